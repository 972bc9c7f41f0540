"""Sightline's triggers, in the order in which an image meets them.

A table of contents: each trigger says what sets it off and which use case it calls. The routes are a
table in :mod:`chalicelib.api.routes`, and the way of an image is in :mod:`chalicelib.pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from chalice.app import (
    AuthRequest,
    AuthResponse,
    Chalice,
    CloudWatchEvent,
    DynamoDBEvent,
    S3Event,
    SNSEvent,
    SQSEvent,
)

from chalicelib import logs, pipeline, wiring
from chalicelib.api import gate, problems, routes
from chalicelib.aws import TimeLeft
from chalicelib.model import Json
from chalicelib.settings import settings

app = Chalice(app_name="sightline")
app.api.cors = gate.cors_for(settings().cors_origin)
app.register_middleware(problems.framework_errors_as_problems(app.api.cors), "http")
logs.set_up(app.log, settings().log_level)


@app.middleware("all")
def name_the_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Let every line of the log say which invocation wrote it."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    with logs.about(request_id=getattr(context, "aws_request_id", "")):
        return get_response(event)


def time_left(event: S3Event | SQSEvent | DynamoDBEvent | CloudWatchEvent) -> TimeLeft:
    """How many seconds the function that got ``event`` may still run."""
    context = cast(Any, event).context  # Lambda's own, which Chalice passes on untyped
    return lambda: float(context.get_remaining_time_in_millis()) / 1000


# ── somebody asks: for an upload, for what is known, for being told ──────────────────────────
@app.authorizer(ttl_seconds=gate.KEPT_SECONDS)
def check_token(request: AuthRequest) -> AuthResponse:
    """Say who sends a bearer token."""
    return gate.admit(request.token, wiring.services())


routes.register(app, check_token if settings().auth == "token" else None)


# ── an image is labelled ─────────────────────────────────────────────────────────────────────
if settings().upload_trigger == "s3":

    @app.on_s3_event(
        bucket=settings().bucket, events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], prefix="uploads/"
    )
    def on_s3_upload(event: S3Event) -> None:
        """Label what was put into the bucket; what cannot be finished now is left on the uploads queue.

        So is what was removed: it may have been renamed.
        """
        pipeline.label_or_leave(event.to_dict(), wiring.services(), time_left(event))


# However many uploads are waiting, no more than these are recognised at once from here: recognisers have
# quotas (Rekognition: 5 to 50 calls a second, by region), and what they throttled ends up on this queue.
@app.on_sqs_message(
    queue=settings().uploads_queue, batch_size=1, maximum_concurrency=settings().uploads_concurrency
)
def on_upload_message(event: SQSEvent) -> Json:
    """Label what the bucket's notification, the labeler or the sweep put on the queue."""
    return pipeline.label_messages(event.to_dict(), wiring.services(), time_left(event))


# ── what its record says now is told to everything that is derived from it ───────────────────
# A new mapping begins with the oldest change that the stream still has: none is missed while a stage is
# deployed. A batch waits a second for more, because counts are dear one image at a time.
@app.on_dynamodb_record(
    stream_arn=settings().table_stream_arn,
    batch_size=200,  # an image that is labelled makes three changes
    maximum_batching_window_in_seconds=1,
    starting_position="TRIM_HORIZON",
)
def on_image_change(event: DynamoDBEvent) -> Json:
    """Project changed records; answers which of them are to come again."""
    return pipeline.project(event.to_dict(), wiring.services(), time_left(event))


# ── work on many images ──────────────────────────────────────────────────────────────────────
@app.on_sqs_message(
    queue=settings().jobs_queue, batch_size=1, maximum_concurrency=settings().jobs_concurrency
)
def on_job_message(event: SQSEvent) -> Json:
    """Bring jobs some images further; what is left of one goes on the same queue again."""
    return pipeline.work_on_jobs(event.to_dict(), wiring.services(), time_left(event))


# ── everyone who asked is told ───────────────────────────────────────────────────────────────
@app.on_sns_message(topic=settings().topic_arn)
def on_sns_message(event: SNSEvent) -> None:
    """Fan out: one delivery message for each destination."""
    pipeline.fan_out(event.to_dict(), wiring.services())


# Ten at once: they go out side by side, so the slowest takes DELIVERY_TIMEOUT_SECONDS and no more.
@app.on_sqs_message(
    queue=settings().deliveries_queue, batch_size=10, maximum_concurrency=settings().deliveries_concurrency
)
def on_sqs_message(event: SQSEvent) -> Json:
    """The integration worker: bring deliveries to their destinations."""
    return pipeline.deliver(event.to_dict(), wiring.services())


# ── nothing is forgotten ─────────────────────────────────────────────────────────────────────
@app.schedule("rate(1 minute)")
def sweep(event: CloudWatchEvent) -> None:
    """Put whatever is stuck or due back on its queue."""
    pipeline.sweep(wiring.services(), time_left(event))
