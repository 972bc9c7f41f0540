"""Sightline's triggers, in the order in which an image meets them.

A table of contents: each trigger says what sets it off and which use case it calls. What the
routes do is in :mod:`chalicelib.api`, the way of an image is in :mod:`chalicelib.pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from chalice.app import (
    AuthRequest,
    AuthResponse,
    CloudWatchEvent,
    Request,
    Response,
    S3Event,
    SNSEvent,
    SQSEvent,
)

from chalicelib import logs, pipeline
from chalicelib.api import (
    curation,
    deliveries,
    exports,
    gate,
    histories,
    images,
    jobs,
    labels,
    legacy,
    pages,
    problems,
    relabelling,
    service,
    signing,
    subscriptions,
    tokens,
    usage,
)
from chalicelib.aws import TimeLeft
from chalicelib.settings import settings
from chalicelib.wiring import services

app = gate.GatedApp(app_name="sightline")
app.register_middleware(problems.framework_errors_as_problems, "http")
logs.set_up(app.log, settings().log_level)


@app.middleware("all")
def name_the_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Let every line of the log say which invocation wrote it."""
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    with logs.about(request_id=getattr(context, "aws_request_id", "")):
        return get_response(event)


def answer(handler: Callable[..., Response], *path: str) -> Response:
    """Call a handler of :mod:`chalicelib.api`; what it raises becomes a problem."""
    request = cast(Request, app.current_request)  # there is one whenever Chalice calls a view
    return problems.guarded(handler, request, services(), *path)


def time_left(event: S3Event | SQSEvent) -> TimeLeft:
    """How many seconds the function that got ``event`` may still run."""
    context = cast(Any, event).context  # Lambda's own, which Chalice passes on untyped
    return lambda: float(context.get_remaining_time_in_millis()) / 1000


# ── who may come in: all routes below are shut, but for those that gate.OPEN names ────────────
@app.authorizer(ttl_seconds=gate.KEPT_SECONDS)
def check_token(request: AuthRequest) -> AuthResponse:
    """Say who sends a bearer token."""
    return gate.admit(request.token, services())


app.api.cors = gate.shared_with(settings().cors_origin)
app.door = check_token if settings().auth == "token" else None


@app.route("/tokens", methods=["POST"])
def create_token() -> Response:
    """Make a token; the answer alone shows it."""
    return answer(tokens.create)


@app.route("/tokens")
def list_tokens() -> Response:
    return answer(tokens.index)


@app.route("/tokens/{token_id}")
def show_token(token_id: str) -> Response:
    return answer(tokens.show, token_id)


@app.route("/tokens/{token_id}", methods=["DELETE"])
def revoke_token(token_id: str) -> Response:
    return answer(tokens.remove, token_id)


# ── an image comes in ────────────────────────────────────────────────────────────────────────
@app.route("/images", methods=["POST"])
def create_image() -> Response:
    """Announce an upload, or take an image from a URL or from the body."""
    return answer(images.create)


@app.route("/blobs", methods=["POST"])
@app.route("/blobs/upload", methods=["POST"])
def create_blob() -> Response:
    """Announce an upload in the shape of older services."""
    return answer(legacy.create_blob)


@app.route("/upload", methods=["POST"])
def upload_named() -> Response:
    """Store a base64 image under a file name, for clients of older services."""
    return answer(legacy.upload)


# ── an image is labelled ─────────────────────────────────────────────────────────────────────
if settings().upload_trigger == "s3":

    @app.on_s3_event(bucket=settings().bucket, events=["s3:ObjectCreated:*"], prefix="uploads/")
    def on_s3_upload(event: S3Event) -> None:
        """Label what was put into the bucket; what cannot be finished now is left on the uploads queue."""
        pipeline.label_or_leave(event.to_dict(), services(), time_left(event))


# However many uploads are waiting, no more than these are recognised at once from here: recognisers have
# quotas (Rekognition: 5 to 50 calls a second, by region), and what they throttled ends up on this queue.
@app.on_sqs_message(
    queue=settings().uploads_queue, batch_size=1, maximum_concurrency=settings().uploads_concurrency
)
def on_upload_message(event: SQSEvent) -> None:
    """Label what the bucket's notification, the labeler or the sweep put on the queue; bring jobs further."""
    pipeline.label_messages(event.to_dict(), services(), time_left(event))
    pipeline.work_on_jobs(event.to_dict(), services())


# ── everyone who asked is told ───────────────────────────────────────────────────────────────
@app.on_sns_message(topic=settings().topic_arn)
def on_sns_message(event: SNSEvent) -> None:
    """Fan out: one delivery message for each destination."""
    pipeline.fan_out(event.to_dict(), services())


# Ten at once: they go out side by side, so the slowest takes DELIVERY_TIMEOUT_SECONDS and no more.
@app.on_sqs_message(queue=settings().deliveries_queue, batch_size=10)
def on_sqs_message(event: SQSEvent) -> None:
    """The integration worker: bring deliveries to their destinations."""
    pipeline.deliver(event.to_dict(), services())


# ── nothing is forgotten ─────────────────────────────────────────────────────────────────────
@app.schedule("rate(1 minute)")
def sweep(event: CloudWatchEvent) -> None:
    """Put whatever is stuck or due back on its queue."""
    pipeline.sweep(services())


# ── the library is read ──────────────────────────────────────────────────────────────────────
@app.route("/images")
def list_images() -> Response:
    return answer(images.index)


@app.route("/images/{image_id}")
def show_image(image_id: str) -> Response:
    return answer(images.show, image_id)


@app.route("/images/{image_id}", methods=["DELETE"])
def remove_image(image_id: str) -> Response:
    """Remove the object, its sidecar, its record and its part of the index."""
    return answer(images.remove, image_id)


@app.route("/images/{image_id}/content")
def show_content(image_id: str) -> Response:
    """Redirect to the photo in the bucket."""
    return answer(images.content, image_id)


@app.route("/images/{image_id}/thumbnail")
def show_thumbnail(image_id: str) -> Response:
    """Redirect to a small JPEG of the photo."""
    return answer(images.thumbnail, image_id)


@app.route("/images/{image_id}/metadata")
def show_metadata(image_id: str) -> Response:
    """The sidecar, as JSON or as XML."""
    return answer(images.metadata, image_id)


@app.route("/labels")
def list_labels() -> Response:
    return answer(labels.index)


@app.route("/export")
def export() -> Response:
    """What a query finds, as a file of CSV or JSON Lines."""
    return answer(exports.show)


@app.route("/export", methods=["POST"])
def export_originals() -> Response:
    """The originals of what a query finds, as one ZIP file, made by a job."""
    return answer(exports.create)


@app.route("/blobs/{blob_id}")
@app.route("/blobs/get/{blob_id}")
def show_blob(blob_id: str) -> Response:
    """An image in the shape of older services."""
    return answer(legacy.show_blob, blob_id)


@app.route("/predict")
def predict() -> Response:
    """What is on the latest image of a file name, for clients of older services."""
    return answer(legacy.predict)


@app.route("/usage")
def show_usage() -> Response:
    """Images, recogniser calls and their cost, day by day."""
    return answer(usage.show)


# ── who asked is shown, and told again ───────────────────────────────────────────────────────
@app.route("/images/{image_id}/deliveries")
def list_image_deliveries(image_id: str) -> Response:
    """Everyone who was told of an image, attempt by attempt."""
    return answer(deliveries.of_image, image_id)


@app.route("/deliveries")
def list_deliveries() -> Response:
    """What a destination was sent, or what of it is parked."""
    return answer(deliveries.index)


@app.route("/deliveries/{delivery_id}")
def show_delivery(delivery_id: str) -> Response:
    return answer(deliveries.show, delivery_id)


@app.route("/deliveries/{delivery_id}/retry", methods=["POST"])
def retry_delivery(delivery_id: str) -> Response:
    return answer(deliveries.retry, delivery_id)


@app.route("/deliveries/retry", methods=["POST"])
def retry_parked_deliveries() -> Response:
    """Send what is parked for a destination again, for a range of time."""
    return answer(deliveries.retry_parked)


@app.route("/subscriptions", methods=["POST"])
def create_subscription() -> Response:
    """Be told of every result that fits; the answer alone shows the signing secret."""
    return answer(subscriptions.create)


@app.route("/subscriptions")
def list_subscriptions() -> Response:
    return answer(subscriptions.index)


@app.route("/subscriptions/{subscription_id}")
def show_subscription(subscription_id: str) -> Response:
    return answer(subscriptions.show, subscription_id)


@app.route("/subscriptions/{subscription_id}", methods=["DELETE"])
def remove_subscription(subscription_id: str) -> Response:
    return answer(subscriptions.remove, subscription_id)


@app.route("/subscriptions/{subscription_id}/deliveries")
def list_subscription_deliveries(subscription_id: str) -> Response:
    return answer(deliveries.of_subscription, subscription_id)


@app.route("/subscriptions/{subscription_id}/test", methods=["POST"])
def test_subscription(subscription_id: str) -> Response:
    """Send a signed sample now, and say what came back."""
    return answer(subscriptions.test, subscription_id)


@app.route("/subscriptions/{subscription_id}/signing-secret/rotate", methods=["POST"])
def rotate_subscription_secret(subscription_id: str) -> Response:
    return answer(signing.rotate_subscription, subscription_id)


@app.route("/signing-secret")
def show_signing_secret() -> Response:
    """The secret that callbacks and the integration server's XML are signed with."""
    return answer(signing.show)


@app.route("/signing-secret/rotate", methods=["POST"])
def rotate_signing_secret() -> Response:
    return answer(signing.rotate)


# ── a person knows better ────────────────────────────────────────────────────────────────────
@app.route("/images/{image_id}/labels/{name}", methods=["PUT"])
def put_label(image_id: str, name: str) -> Response:
    """A person says that it is there."""
    return answer(curation.put_label, image_id, name)


@app.route("/images/{image_id}/labels/{name}", methods=["DELETE"])
def remove_label(image_id: str, name: str) -> Response:
    """A person says that it is not there."""
    return answer(curation.remove_label, image_id, name)


@app.route("/images/{image_id}/corrections/{name}", methods=["DELETE"])
def undo_correction(image_id: str, name: str) -> Response:
    """The person takes it back."""
    return answer(curation.undo, image_id, name)


@app.route("/images/labels", methods=["POST"])
def correct_images() -> Response:
    """The same corrections for many images."""
    return answer(curation.correct_many)


@app.route("/labels/{name}/rename", methods=["POST"])
def rename_label(name: str) -> Response:
    """Call a label otherwise, now and from now on."""
    return answer(curation.rename, name)


@app.route("/labels/{name}/rename", methods=["DELETE"])
def end_rename(name: str) -> Response:
    """Call it by its old name again from now on."""
    return answer(curation.end_rename, name)


@app.route("/renames")
def list_renames() -> Response:
    return answer(curation.renames)


@app.route("/images/{image_id}/relabel", methods=["POST"])
def relabel_image(image_id: str) -> Response:
    """Recognise an image again."""
    return answer(relabelling.relabel, image_id)


@app.route("/relabel", methods=["POST"])
def relabel_images() -> Response:
    """Recognise again what a filter finds."""
    return answer(relabelling.relabel_many)


@app.route("/jobs/{job_id}")
def show_job(job_id: str) -> Response:
    """How far work on many images has come."""
    return answer(jobs.show, job_id)


@app.route("/images/{image_id}/history")
def show_history(image_id: str) -> Response:
    """An image's results, and what changed between them."""
    return answer(histories.show, image_id)


@app.route("/images/{image_id}/why")
def show_why(image_id: str) -> Response:
    """Why an image has a label, or has not."""
    return answer(histories.why, image_id)


# ── the service itself ───────────────────────────────────────────────────────────────────────
@app.route("/")
def show_page() -> Response:
    """The web page."""
    return answer(pages.photos)


@app.route("/docs")
def show_docs() -> Response:
    """The API, to read."""
    return answer(pages.docs)


@app.route("/page/{version}/{name}")
def show_page_file(version: str, name: str) -> Response:
    return answer(pages.file, version, name)


@app.route("/health")
def show_health() -> Response:
    return answer(service.health)


@app.route("/openapi.json")
def show_description() -> Response:
    return answer(service.description)


@app.route("/schemas/image-1.xsd")
def show_schema() -> Response:
    """The contract of the XML about an image."""
    return answer(service.schema)
