"""What waits to be labelled: uploads, as the bucket tells of them, and the lines of jobs."""

from __future__ import annotations

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.errors import Busy, Superseded
from chalicelib.model import Json, Order
from chalicelib.pipeline import measuring
from chalicelib.pipeline.batches import Message, each_message, for_each_upload
from chalicelib.pipeline.labelling import RETRY_SECONDS, label_image
from chalicelib.pipeline.orders import label_line
from chalicelib.wiring import Services


def label_messages(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Label what the messages of an SQS event name; answers which of them failed, and these come again.

    The message of an image that another worker holds comes when that one must be done; nothing is sent to
    the queue that feeds this function, as Lambda ends such circles after 16 rounds.
    """
    measuring.waited(event, "uploads", services)

    def label(message: Message) -> float | None:
        try:
            if "line" in message.body:
                label_line(Order.from_json(message.body["line"]), services, time_left)
            else:
                for_each_upload(message.body, lambda uploaded: label_image(uploaded, services, time_left))
        except (Busy, Superseded) as error:
            return error.retry_after or RETRY_SECONDS
        return None

    return each_message(event, label, services.uploads_queue, reports=services.settings.partial_batches)
