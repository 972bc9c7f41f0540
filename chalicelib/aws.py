"""What the adapters of AWS services share: faults told apart, and patience with those that pass."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.errors import Misconfigured, Unavailable

T = TypeVar("T")
TimeLeft = Callable[[], float]  # seconds until whoever called must have answered


def unhurried() -> float:
    """All the time in the world: for callers whom nothing stops."""
    return math.inf


# Codes that several services use for "not now" (AWS general reference, common errors).
THROTTLED = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottlingError",
        "RequestThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "LimitExceededException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "TransactionInProgressException",
        "InternalServerError",
    }
)


# Codes that say that the deployment may not do what it wants to: nothing that a client or an image did.
REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "InvalidObjectState", "AuthorizationError"}
)


def code_of(error: ClientError) -> str:
    """The service's own code of an error answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


THROTTLE = "throttled"  # the code of an Unavailable that no AWS service caused


def is_throttle(error: BaseException | None) -> bool:
    """Whether a service answered that it was asked too often."""
    return isinstance(error, ClientError) and code_of(error) in THROTTLED - {"InternalServerError"}


def passing(error: ClientError) -> bool:
    """Whether the error is a throttle or the service's own fault (5xx)."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in THROTTLED or status >= 500


@contextmanager
def faults_told_apart(service: str) -> Iterator[None]:
    """Raise :exc:`Unavailable` for throttles, 5xx, timeouts and broken connections; let the rest through."""
    try:
        yield
    except ParamValidationError:
        raise
    except ClientError as error:
        if code_of(error) in REFUSED or code_of(error).startswith("KMS."):
            refusal = (
                f"{service} refused the call: {code_of(error)}: {error.response['Error'].get('Message', '')}"
            )
            raise Misconfigured(refusal) from error
        if not passing(error):
            raise
        raise Unavailable(f"{service} did not take the call: {code_of(error)}.") from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached: {type(error).__name__}.") from error


@dataclass(frozen=True)
class Patience:
    """Makes a call again while its service throttles, fails or is silent, and the function has the time.

    ``call_seconds`` is the longest that one call can take, by its client's own timeouts; no call is begun
    that could outlast the function. Pauses grow and are drawn at random, so that those who were throttled
    together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter"). Each
    throttle is told to ``throttled``.
    """

    call_seconds: float
    sleep: Callable[[float], None] = time.sleep
    most_tries: int = 10
    throttled: Callable[[], object] = lambda: None

    # Seconds: what it takes to set the image free and leave its event on the queue; the pauses' first and
    # highest bound.
    RESERVE = 5.0
    FIRST_PAUSE = 0.5
    LONGEST_PAUSE = 8.0

    def call(self, service: str, ask: Callable[[], T], time_left: TimeLeft) -> T:
        """What ``ask()`` returns. An error that will not pass goes through at once.

        :raises Unavailable: it did not pass in time; or too little was left for even one try.
        """
        tried = 0
        while True:
            self._check(service, time_left())
            try:
                with faults_told_apart(service):
                    return ask()
            except Misconfigured:
                raise
            except Unavailable as error:
                if error.code == THROTTLE or is_throttle(error.__cause__):
                    self.throttled()
                pause = random.uniform(0, min(self.LONGEST_PAUSE, self.FIRST_PAUSE * 2**tried))  # noqa: S311
                tried += 1
                if tried == self.most_tries or time_left() - pause < self.call_seconds + self.RESERVE:
                    raise
                self.sleep(pause)

    def _check(self, service: str, seconds: float) -> None:
        if seconds < self.call_seconds + self.RESERVE:
            raise Unavailable(f"{seconds:.0f} s are too few to ask {service}.")
