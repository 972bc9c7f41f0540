"""Requests to the service over pooled connections; what may be sent again is, after a pause."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sightline_labels.errors import NotReachable, error_for

AGAIN = {429, 502, 503, 504}
TRIES = 6
LONGEST_PAUSE = 30.0  # seconds; a service that asks for more gets more
TIMEOUT = (5, 60)  # seconds to connect, and without a byte
ONCE = ("/tokens",)  # answers with a secret that is kept nowhere, so it takes no key and is not sent twice


class Transport:
    """Requests to a service at ``url``, each with up to ``tries`` tries and pauses by ``sleep``."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        agent: str,
        connections: int = 16,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._tries = tries
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers["User-Agent"] = agent
        self._token = token
        self._reached = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=connections))

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to the API, with its token; raises the error of an answer that is one."""
        headers = {**options.pop("headers", {})}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        once = method == "POST" and path in ONCE
        if method == "POST" and not once:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        return self._patiently(method, self.url + path, once=once, headers=headers, **options)

    def elsewhere(self, method: str, url: str, **options: Any) -> requests.Response:
        """A request to an address that the API gave; the address is the permission, so no token is sent."""
        return self._patiently(method, url, once=False, **options)

    def _patiently(self, method: str, url: str, *, once: bool, **options: Any) -> requests.Response:
        body: Any = options.get("data")
        start = body.tell() if hasattr(body, "tell") else None
        for tried in range(1, self._tries + 1):
            last = tried == self._tries
            if start is not None:
                body.seek(start)
            try:
                reply = self._session.request(method, url, timeout=TIMEOUT, **options)
            except requests.RequestException as error:
                # Where nobody has answered yet, the address is wrong or nothing runs: no patience helps.
                unknown = not self._reached and isinstance(error, requests.ConnectionError)
                if last or once or unknown:
                    raise NotReachable(f"Nothing answers at {self.url}.") from error
                self._sleep(pause(tried))
                continue
            self._reached = True
            if reply.status_code in AGAIN and not last and not (once and reply.status_code != 429):
                self._sleep(pause(tried, reply.headers))
                continue
            if reply.status_code >= 400:
                raise error_for(reply.status_code, _problem(reply))
            return reply
        raise AssertionError("the last try ends above")


def pause(tried: int, headers: Mapping[str, str] = {}) -> float:
    """Seconds until the next try: twice as long each time, with jitter; at least what was asked for."""
    asked = headers.get("Retry-After", "")
    least = float(asked) if asked.isdigit() else 0.0
    return max(least, min(LONGEST_PAUSE, 0.5 * 2.0**tried) * random.uniform(0.5, 1.0))  # noqa: S311


def _problem(reply: requests.Response) -> Mapping[str, Any]:
    if "json" not in reply.headers.get("Content-Type", ""):
        return {}
    try:
        problem = reply.json()
    except requests.JSONDecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}
