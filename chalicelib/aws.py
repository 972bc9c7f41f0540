"""Error translation and retries that all adapters of AWS services share."""

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
TimeLeft = Callable[[], float]  # returns how many seconds the function may still run


def unhurried() -> float:
    """Infinite time left: for callers without a time limit."""
    return math.inf


# Error codes of several services that mean "try again later" (AWS general reference, common errors).
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


# Error codes that mean that the deployment lacks a permission: no client or image is the cause.
REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "InvalidObjectState", "AuthorizationError"}
)


def code_of(error: ClientError) -> str:
    """The error code in a service's answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


THROTTLE = "throttled"  # the code of an Unavailable for a throttle that is not from AWS


def is_throttle(error: BaseException | None) -> bool:
    """Whether the error is a service's throttle."""
    return isinstance(error, ClientError) and code_of(error) in THROTTLED - {"InternalServerError"}


def passing(error: ClientError) -> bool:
    """Whether the error is a throttle or the service's own fault (5xx)."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in THROTTLED or status >= 500


@contextmanager
def faults_told_apart(service: str) -> Iterator[None]:
    """Raise :exc:`Unavailable` for throttles, 5xx, timeouts and broken connections; pass on all others.

    :raises Misconfigured: the deployment lacks a permission.
    """
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
    """Retries a call while its service throttles, fails or is silent, and the function has the time.

    ``call_seconds`` is how long one call may take by its client's timeouts; a call that could outlast the
    function is not made. Pauses have exponential backoff with full jitter (AWS Architecture Blog,
    "Exponential Backoff And Jitter"). ``throttled()`` is called after each throttle.
    """

    call_seconds: float
    sleep: Callable[[float], None] = time.sleep
    most_tries: int = 10
    throttled: Callable[[], object] = lambda: None

    # Seconds. The reserve is the time to release the image and to send its event to the queue.
    RESERVE = 5.0
    FIRST_PAUSE = 0.5
    LONGEST_PAUSE = 8.0

    def call(self, service: str, ask: Callable[[], T], time_left: TimeLeft) -> T:
        """Return ``ask()``; a permanent error is raised at once.

        :raises Unavailable: the last try failed, or there is no time for another one.
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
