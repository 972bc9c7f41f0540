"""The messages that wait in queues, from one run to the next."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import unquote_plus

from moto.sqs.models import Message, sqs_backends

from local.loopback import ACCOUNT, REGION

Json = dict[str, Any]

_KEPT = (
    "sent_timestamp",
    "approximate_first_receive_timestamp",
    "approximate_receive_count",
    "delayed_until",
)


_KEY = re.compile(r'\\*"object\\*": *{\\*"key\\*": *\\*"([^"\\]+)')


def waiting() -> dict[str, list[Json]]:
    """What has not been deleted from the queues, by their names: what is in flight, too."""
    found = {}
    for name, queue in sqs_backends[ACCOUNT][REGION].queues.items():
        with queue._messages_lock:
            found[name] = [_to_json(message) for message in queue._messages]
    return {name: messages for name, messages in found.items() if messages}


def keys_in(messages: dict[str, list[Json]]) -> set[str]:
    """The keys of objects that messages tell of, however deep S3's notification lies in them.

    What lies among dead letters tells nobody.
    """
    alive = (one for name, waiting in messages.items() if not name.endswith("-dead") for one in waiting)
    return {unquote_plus(key) for one in alive for key in _KEY.findall(one["body"])}


def restore(messages: dict[str, list[Json]]) -> None:
    """Put messages back: those in flight can be received at once, as whoever had them is no more.

    What waited in a queue that there is no more is dropped.
    """
    queues = sqs_backends[ACCOUNT][REGION].queues
    for name in messages.keys() & queues.keys():
        for one in messages[name]:
            queues[name].add_message(_from_json(one))


def _to_json(message: Any) -> Json:
    return {
        "id": message.id,
        "body": message.body,
        "system_attributes": message.system_attributes,
        "attributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        **{name: getattr(message, name) for name in _KEPT},
    }


def _from_json(one: Json) -> Any:
    message: Any = Message(one["id"], one["body"], one["system_attributes"])
    message.message_attributes = {name: _restored(value) for name, value in one["attributes"].items()}
    for name in _KEPT:
        setattr(message, name, one[name])
    return message


def _attribute(value: Json) -> Json:
    return {
        name: {"base64": base64.b64encode(part).decode()} if isinstance(part, bytes) else part
        for name, part in value.items()
    }


def _restored(value: Json) -> Json:
    return {
        name: base64.b64decode(part["base64"]) if isinstance(part, dict) else part
        for name, part in value.items()
    }
