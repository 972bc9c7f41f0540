"""Every error Sightline raises on purpose. The type says whether trying again can help.

::

    SightlineError
    ├── Permanent                the same call will fail the same way
    │   ├── BadSetting           an environment variable holds what it should not
    │   ├── BadRequest           a client sent what cannot be understood
    │   │   └── BadQuery         ... in a label query, at a column
    │   ├── Unauthorized         nobody known to us asks
    │   ├── Forbidden            who asks may not do this
    │   ├── NotFound             no such thing for this owner
    │   ├── Conflict             the thing is in a state that forbids it
    │   ├── Stale                a thing has changed since the client saw it
    │   ├── KeyReused            an idempotency key that stands for another request
    │   ├── TooLarge             more bytes than may be sent this way
    │   ├── TooMuch              more than one image, or one owner's rules, can hold
    │   ├── UnreadableBody       a body of a media type that is not read here
    │   ├── UnusableUrl          an address that may not be, or could not be, fetched
    │   ├── SourceRefused        what a job was to label is not there, or may not be read
    │   ├── UnusableImage        bytes that no recogniser can be given
    │   └── RecogniserRefused    the recogniser will never answer this call
    └── Transient                the same call may succeed later
        ├── Busy                 another worker holds this image
        ├── Superseded           a newer result has been stored meanwhile
        ├── ComesAgain           messages of a batch are to be handed over again
        ├── TooManyRequests      an owner asks more often than is allowed
        ├── Unavailable          an AWS service throttled, failed or did not answer
        │   └── Misconfigured    ... or refused: the deployment lacks a right or a key
        └── DeliveryFailed       a destination did not take a delivery
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class SightlineError(Exception):
    """An error with a stable ``code`` for programs and a ``detail`` sentence for people."""

    code = "error"
    pointer: str | None = None  # the part of a request it is about, where it is about one
    data: Mapping[str, str | int] = MappingProxyType({})  # what a program may want besides the code

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class Permanent(SightlineError):
    """The same call will fail the same way; nothing should retry it."""

    code = "permanent"


class BadSetting(Permanent):
    """An environment variable is missing or holds what it should not."""

    code = "bad-setting"


class BadRequest(Permanent):
    """A client sent what cannot be understood; ``pointer`` names the field or parameter."""

    code = "bad-request"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.pointer = pointer


class BadQuery(BadRequest):
    """A label query breaks its grammar; ``data``: at which ``column`` (from 1) and what was ``expected``."""

    code = "bad-query"

    def __init__(self, column: int, expected: str, found: str) -> None:
        super().__init__(f"Column {column} of the query: expected {expected}, found {found}.", code=self.code)
        self.data = {"column": column, "expected": expected}


class Unauthorized(Permanent):
    """Nobody known to us asks: there is no token, or it opens nothing (any more)."""

    code = "unauthorized"


class Forbidden(Permanent):
    """Who asks is known and may not do this."""

    code = "forbidden"


class NotFound(Permanent):
    """There is no such thing for this owner."""

    code = "not-found"


class Conflict(Permanent):
    """The thing is in a state that forbids what was asked."""

    code = "conflict"


class Stale(Permanent):
    """A thing has changed since the client saw it, and was to be changed only if it had not."""

    code = "stale"


class KeyReused(Permanent):
    """An idempotency key that stands for another request already."""

    code = "idempotency-key-reused"


class TooLarge(Permanent):
    """More bytes than may be sent this way."""

    code = "too-large"


class TooMuch(Permanent):
    """More than one image, or one owner's rules, can hold; ``data``: how many ``bytes``, and the ``most``."""

    code = "too-much"

    def __init__(self, detail: str, *, data: Mapping[str, int]) -> None:
        super().__init__(detail)
        self.data = data


class UnreadableBody(Permanent):
    """A body of a media type that is not read here."""

    code = "unsupported-media-type"


class UnusableUrl(Permanent):
    """An address that may not be fetched, or did not give what was asked of it."""

    code = "unusable-url"


class SourceRefused(Permanent):
    """A list, a bucket or an object that a job was to read is not there, has changed, or may not be read."""

    code = "unreadable"


TOO_LARGE = "too-large"  # the code of a file with too many bytes


class UnusableImage(Permanent):
    """Bytes that no recogniser can be given; the image ends as ``failed`` with this code."""

    code = "unusable-image"


class RecogniserRefused(Permanent):
    """The recogniser will never answer this call; ``calls`` counts what was called in vain and costs."""

    code = "recogniser-refused"

    def __init__(
        self, detail: str, *, code: str | None = None, calls: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        super().__init__(detail, code=code)
        self.calls = calls


class Transient(SightlineError):
    """The same call may succeed later; ``retry_after`` is in seconds where the other side said."""

    code = "transient"

    def __init__(self, detail: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Busy(Transient):
    """Another worker holds this image; its lease ends in ``retry_after`` seconds."""

    code = "busy"


class Superseded(Transient):
    """The record changed under this worker: what it was about to store is out of date."""

    code = "superseded"


class ComesAgain(Transient):
    """Messages of a batch are to be handed over again; the others are done and deleted."""

    code = "comes-again"


class TooManyRequests(Transient):
    """An owner asks more often than is allowed."""

    code = "too-many-requests"


class Unavailable(Transient):
    """An AWS service throttled, failed or did not answer in time."""

    code = "unavailable"


class Misconfigured(Unavailable):
    """An AWS service refused a call: a right is missing, a key is disabled, an object is archived.

    It is the deployment's fault and none of the image's; the same call succeeds once that is mended.
    """

    code = "deployment-fault"


class DeliveryFailed(Transient):
    """A destination did not take a delivery."""

    code = "delivery-failed"
