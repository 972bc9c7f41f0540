"""Every error Sightline raises on purpose. The type says whether trying again can help.

::

    SightlineError
    ├── Permanent                the same call will fail the same way
    │   ├── BadSetting           an environment variable holds what it should not
    │   ├── BadRequest           a client's request is not valid
    │   │   └── BadQuery         ... in a label query, at a column
    │   ├── Unauthorized         the token is missing or not valid
    │   ├── Forbidden            the caller has no permission for this
    │   ├── NotFound             no such thing for this owner
    │   ├── Conflict             the thing is in a state that forbids it
    │   ├── Stale                a thing has changed since the client saw it
    │   ├── KeyReused            an idempotency key that was used for another request
    │   ├── TooLarge             more bytes than may be sent this way
    │   ├── TooMuch              more than one image, or one owner's rules, can hold
    │   ├── UnreadableBody       a body of a media type that is not read here
    │   ├── UnusableUrl          an address that may not be, or could not be, fetched
    │   ├── SourceRefused        a job's source is missing, or may not be read
    │   ├── UnusableImage        a file that cannot be recognised
    │   └── RecogniserRefused    the recogniser will never answer this call
    └── Transient                the same call may succeed later
        ├── Busy                 another worker holds this image
        ├── Superseded           a newer result has been stored meanwhile
        ├── ComesAgain           messages of a batch shall be received again
        ├── TooManyRequests      an owner has reached a limit
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
    pointer: str | None = None  # the part of a request that the error is about
    data: Mapping[str, str | int] = MappingProxyType({})  # details for programs

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
    """A client's request is not valid; ``pointer`` names the field or parameter."""

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
    """The caller is not known: the token is missing, not valid, or has expired."""

    code = "unauthorized"


class Forbidden(Permanent):
    """The caller is known and has no permission for this."""

    code = "forbidden"


class NotFound(Permanent):
    """There is no such thing for this owner."""

    code = "not-found"


class Conflict(Permanent):
    """The thing is in a state that forbids what was asked."""

    code = "conflict"


class Stale(Permanent):
    """A conditional request (``If-Match``) failed: the thing has changed since the client read it."""

    code = "stale"


class KeyReused(Permanent):
    """An idempotency key that was used for another request already."""

    code = "idempotency-key-reused"


class TooLarge(Permanent):
    """More bytes than may be sent this way."""

    code = "too-large"


class TooMuch(Permanent):
    """More than an image, or an owner's rules, can hold; ``data``: how many ``bytes``, and the ``most``."""

    code = "too-much"

    def __init__(self, detail: str, *, data: Mapping[str, int]) -> None:
        super().__init__(detail)
        self.data = data


class UnreadableBody(Permanent):
    """A body of a media type that is not read here."""

    code = "unsupported-media-type"


class UnusableUrl(Permanent):
    """An address that may not be fetched, or that did not answer as expected."""

    code = "unusable-url"


class SourceRefused(Permanent):
    """A list, bucket or object that a job reads is missing, has changed, or may not be read."""

    code = "unreadable"


TOO_LARGE = "too-large"  # the code of a file with too many bytes


class UnusableImage(Permanent):
    """A file that cannot be recognised; its image ends as ``failed`` with this code."""

    code = "unusable-image"


class RecogniserRefused(Permanent):
    """The recogniser will never answer this call; ``calls`` counts the calls that cost money anyway."""

    code = "recogniser-refused"

    def __init__(
        self, detail: str, *, code: str | None = None, calls: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        super().__init__(detail, code=code)
        self.calls = calls


class Transient(SightlineError):
    """The same call may succeed later; ``retry_after`` (seconds) is set if the other side named it."""

    code = "transient"

    def __init__(self, detail: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Busy(Transient):
    """Another worker holds this image; its lease ends in ``retry_after`` seconds."""

    code = "busy"


class Superseded(Transient):
    """Another writer has changed the record: what this worker was about to store is stale."""

    code = "superseded"


class ComesAgain(Transient):
    """Messages of a batch shall be received again; the others are done and deleted."""

    code = "comes-again"


class TooManyRequests(Transient):
    """An owner has reached a rate limit or another limit that passes."""

    code = "too-many-requests"


class Unavailable(Transient):
    """An AWS service throttled, failed or did not answer in time."""

    code = "unavailable"


class Misconfigured(Unavailable):
    """An AWS service refused a call: a permission is missing, a key is disabled, an object is archived.

    The deployment has to be fixed; then the same call succeeds.
    """

    code = "deployment-fault"


class DeliveryFailed(Transient):
    """A destination did not take a delivery."""

    code = "delivery-failed"
