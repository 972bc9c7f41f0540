"""All Lambda functions of Sightline, in the order in which an image passes through them.

This is a table of contents: each function has its trigger and calls one use case of
:mod:`chalicelib.pipeline`. The HTTP routes are in :mod:`chalicelib.api.routes`.
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
    """Add the request id to every log line of an invocation."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    with logs.about(request_id=getattr(context, "aws_request_id", "")):
        return get_response(event)


def time_left(event: S3Event | SQSEvent | DynamoDBEvent | CloudWatchEvent) -> TimeLeft:
    """A function that returns how many seconds this invocation may still run."""
    context = cast(Any, event).context  # Lambda's own, which Chalice passes on untyped
    return lambda: float(context.get_remaining_time_in_millis()) / 1000


# ── the API ──────────────────────────────────────────────────────────────────────────────────
@app.authorizer(ttl_seconds=gate.KEPT_SECONDS)
def check_token(request: AuthRequest) -> AuthResponse:
    """Authorize a request by its bearer token."""
    return gate.admit(request.token, wiring.services())


routes.register(app, check_token if settings().auth == "token" else None)


# ── labelling ────────────────────────────────────────────────────────────────────────────────
if settings().upload_trigger == "s3":

    @app.on_s3_event(
        bucket=settings().bucket, events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], prefix="uploads/"
    )
    def on_s3_upload(event: S3Event) -> None:
        """Label an object that was put into the bucket.

        What cannot be finished now goes to the uploads queue. So does the removal of an object, because it
        may be part of a rename.
        """
        pipeline.label_or_leave(event.to_dict(), wiring.services(), time_left(event))


# The concurrency limits the calls of a recogniser, which has quotas (Rekognition: 5 to 50 calls a second,
# by region). Images that were throttled come to this queue.
@app.on_sqs_message(
    queue=settings().uploads_queue, batch_size=1, maximum_concurrency=settings().uploads_concurrency
)
def on_upload_message(event: SQSEvent) -> Json:
    """Label the images named by messages from the bucket, the labeler, the sweep or a job."""
    return pipeline.label_messages(event.to_dict(), wiring.services(), time_left(event))


# ── the projection: everything that is derived from records ──────────────────────────────────
# TRIM_HORIZON: a new mapping starts with the oldest change in the stream, so that a deployment misses none.
# The window of a second makes larger batches: counting many images together costs much less.
@app.on_dynamodb_record(
    stream_arn=settings().table_stream_arn,
    batch_size=200,  # labelling an image makes three changes
    maximum_batching_window_in_seconds=1,
    starting_position="TRIM_HORIZON",
)
def on_image_change(event: DynamoDBEvent) -> Json:
    """Project changed records; returns those that shall be retried."""
    return pipeline.project(event.to_dict(), wiring.services(), time_left(event))


# ── jobs: work on many images ────────────────────────────────────────────────────────────────
@app.on_sqs_message(
    queue=settings().jobs_queue, batch_size=1, maximum_concurrency=settings().jobs_concurrency
)
def on_job_message(event: SQSEvent) -> Json:
    """Do the next step of a job; the message for the step after it goes to the same queue."""
    return pipeline.work_on_jobs(event.to_dict(), wiring.services(), time_left(event))


# ── deliveries ───────────────────────────────────────────────────────────────────────────────
@app.on_sns_message(topic=settings().topic_arn)
def on_sns_message(event: SNSEvent) -> None:
    """The fan-out: store and queue one delivery for each destination of a result."""
    pipeline.fan_out(event.to_dict(), wiring.services())


# The ten deliveries of a batch are sent in parallel, so a batch takes DELIVERY_TIMEOUT_SECONDS at most.
@app.on_sqs_message(
    queue=settings().deliveries_queue, batch_size=10, maximum_concurrency=settings().deliveries_concurrency
)
def on_sqs_message(event: SQSEvent) -> Json:
    """The integration worker: send deliveries to their destinations."""
    return pipeline.deliver(event.to_dict(), wiring.services())


# ── the sweep ────────────────────────────────────────────────────────────────────────────────
@app.schedule("rate(1 minute)")
def sweep(event: CloudWatchEvent) -> None:
    """Put everything that is stuck or due back on its queue."""
    pipeline.sweep(wiring.services(), time_left(event))
