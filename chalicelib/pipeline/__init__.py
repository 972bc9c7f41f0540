"""The use cases: an image's way from its arrival to the deliveries, and what people do with images.

Every step is idempotent: it may run twice, run late, or stop half-way. The record holds the truth. Messages
and S3 events are only hints to read the record, so a repeated hint changes nothing.

A use case is imported on first use, so that a Lambda function loads only its own.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.pipeline.arrival import await_upload, fetch_and_take_in, known_by, take_in
    from chalicelib.pipeline.bin import delete_image, restore_image
    from chalicelib.pipeline.curation import correct, label_edits, relabel, remove_caption, write_caption
    from chalicelib.pipeline.delivery_worker import deliver
    from chalicelib.pipeline.explanation import why
    from chalicelib.pipeline.fanout import fan_out
    from chalicelib.pipeline.job_estimate import estimate_of
    from chalicelib.pipeline.job_progress import progress_of
    from chalicelib.pipeline.job_results import links_to_results
    from chalicelib.pipeline.job_source import check_source, list_of_addresses
    from chalicelib.pipeline.job_worker import cancel, pause, resume, start, work_on_jobs
    from chalicelib.pipeline.labelling import label_image, label_or_leave
    from chalicelib.pipeline.projection import project
    from chalicelib.pipeline.redelivery import send_again, send_parked_again
    from chalicelib.pipeline.routing import check_receiver
    from chalicelib.pipeline.subscription_changes import (
        change_subscription,
        confirm,
        subscribe,
        try_out,
        unsubscribe,
    )
    from chalicelib.pipeline.sweeper import sweep
    from chalicelib.pipeline.upload_worker import label_messages
    from chalicelib.pipeline.xmp_keywords import add_keywords

__all__ = [
    "add_keywords",
    "await_upload",
    "cancel",
    "change_subscription",
    "check_receiver",
    "check_source",
    "confirm",
    "correct",
    "delete_image",
    "deliver",
    "estimate_of",
    "fan_out",
    "fetch_and_take_in",
    "known_by",
    "label_edits",
    "label_image",
    "label_messages",
    "label_or_leave",
    "links_to_results",
    "list_of_addresses",
    "pause",
    "progress_of",
    "project",
    "relabel",
    "remove_caption",
    "restore_image",
    "resume",
    "send_again",
    "send_parked_again",
    "start",
    "subscribe",
    "sweep",
    "take_in",
    "try_out",
    "unsubscribe",
    "why",
    "work_on_jobs",
    "write_caption",
]

_MODULES = {
    "arrival": ("await_upload", "fetch_and_take_in", "known_by", "take_in"),
    "bin": ("delete_image", "restore_image"),
    "curation": ("correct", "relabel", "remove_caption", "label_edits", "write_caption"),
    "delivery_worker": ("deliver",),
    "explanation": ("why",),
    "job_estimate": ("estimate_of",),
    "fanout": ("fan_out",),
    "job_progress": ("progress_of",),
    "job_source": ("check_source", "list_of_addresses"),
    "job_worker": ("cancel", "pause", "resume", "start", "work_on_jobs"),
    "xmp_keywords": ("add_keywords",),
    "labelling": ("label_image", "label_or_leave"),
    "projection": ("project",),
    "routing": ("check_receiver",),
    "redelivery": ("send_again", "send_parked_again"),
    "job_results": ("links_to_results",),
    "subscription_changes": ("change_subscription", "confirm", "subscribe", "try_out", "unsubscribe"),
    "sweeper": ("sweep",),
    "upload_worker": ("label_messages",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(name)
    use_case = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = use_case
    return use_case
