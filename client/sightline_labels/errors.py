"""What a call can end with, each with the service's own ``code`` and sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SightlineError(Exception):
    """Anything that this package raises of its own; its text is a sentence for people."""


class NotReachable(SightlineError):
    """Nobody answers at the service's address."""


class NotInTime(SightlineError):
    """Something was not finished in the time that was given."""


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
    """409: not in the state that it is in now."""


class Outdated(ServiceError):
    """412: it has changed since the ETag that was given."""


class TooMany(ServiceError):
    """429, also after waiting: so many requests, calls or jobs are not allowed."""


class Unavailable(ServiceError):
    """5xx, also after waiting."""


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
