"""The errors of this package, with the service's own ``code`` and sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SightlineError(Exception):
    """The base of all errors here; its text is a sentence for people."""


class NotReachable(SightlineError):
    """Nobody answers at the service's address."""


class NotInTime(SightlineError):
    """An image or a job was not finished in the given time."""


class ServiceError(SightlineError):
    """The service refused. ``code`` names the reason and does not change; ``problem`` is the whole answer."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", f"http-{status}"))
        self.detail = str(problem.get("detail", f"HTTP {status}"))
        super().__init__(f"{self.code}: {self.detail}")


class NotAllowed(ServiceError):
    """401 or 403: no token, a wrong one, or one without the scope."""


class NotFound(ServiceError):
    """404."""


class Conflict(ServiceError):
    """409: not possible in its present state."""


class Outdated(ServiceError):
    """412: it has changed since the ETag that was given."""


class TooMany(ServiceError):
    """429, after several tries: too many requests, calls or jobs."""


class Unavailable(ServiceError):
    """5xx, after several tries."""


BY_STATUS: dict[int, type[ServiceError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Outdated,
    429: TooMany,
}


def error_for(status: int, problem: Mapping[str, Any]) -> ServiceError:
    """The error of an answer."""
    kind = Unavailable if status >= 500 else BY_STATUS.get(status, ServiceError)
    return kind(status, problem)
