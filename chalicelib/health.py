"""The health check: whether the table and the bucket can be reached."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from chalicelib.cache import Cached
from chalicelib.errors import Unavailable

log = logging.getLogger("sightline.health")

KEPT_SECONDS = 5.0  # a process probes at most this often

Probe = Callable[[], object]


class Health:
    """Probes each part, by name, with a cheap call; the result is cached."""

    def __init__(self, probes: Mapping[str, Probe], now: Callable[[], float]) -> None:
        self._probes = probes
        self._failing = Cached(self._probe_all, KEPT_SECONDS, now)

    def check(self) -> None:
        """:raises Unavailable: a part cannot be reached; code and detail name it."""
        failing = self._failing.value()
        if failing:
            raise Unavailable(
                f"The {' and the '.join(failing)} cannot be reached.",
                code=f"{failing[0]}-unreachable",
                retry_after=KEPT_SECONDS,
            )

    def _probe_all(self) -> tuple[str, ...]:
        return tuple(name for name, probe in self._probes.items() if not _answers(name, probe))


def _answers(name: str, probe: Probe) -> bool:
    try:
        probe()
    except (ClientError, Unavailable) as error:
        log.error("the %s cannot be reached: %s", name, error)
        return False
    return True
