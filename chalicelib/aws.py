"""What the adapters of AWS services share: faults told apart by whether trying again can help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.errors import Unavailable

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
        "TransactionInProgressException",
    }
)


def code_of(error: ClientError) -> str:
    """The service's own code of an error answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


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
        if not passing(error):
            raise
        raise Unavailable(f"{service} did not take the call: {code_of(error)}.") from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached: {type(error).__name__}.") from error
