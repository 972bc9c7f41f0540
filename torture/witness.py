"""Sees how a session's calls end: which failed in all their tries, what the recogniser was heard to say."""

from __future__ import annotations

from typing import Any

from chalicelib.aws import THROTTLED
from torture.invocation import given_up
from torture.seer import SHOWN, Seer


def witnessed(session: Any, seer: Seer) -> Any:
    """The session, from now on with a witness."""

    def ended(http_response: Any, parsed: Any, **_: Any) -> None:
        code = parsed.get("Error", {}).get("Code", "")
        if http_response.status_code >= 500 or code in THROTTLED:
            given_up()
        elif shown := http_response.headers.get(SHOWN):
            seer.note_heard(shown)

    session.events.register("after-call", ended)
    session.events.register("after-call-error", given_up)
    return session
