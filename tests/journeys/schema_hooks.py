"""A check for schemathesis: what the description allows is not refused, but for what no schema can say."""

from __future__ import annotations

from typing import Any

import schemathesis

# Refusals that no schema can foresee: by what there is (404, 409), by what lies behind a URL, in a photo or
# under a key (422), by the stage (403); and of the 400s:
STATUSES = (403, 404, 409, 422)
CODES = {
    "bad-cursor",  # it is given out, not made up
    "bad-query",  # has a grammar
    "bad-period",  # ends after it began
    "added-and-removed",  # two lists have no name in common
    "nothing-to-do",  # two lists are not both empty
    "same-name",  # the new one is another than the old
}


@schemathesis.check
def refused_for_what_a_schema_can_say(ctx: Any, response: Any, case: Any) -> None:
    """Fail where a request that fits its schemas is refused for what they could have said."""
    if (
        case.meta is None
        or not case.meta.generation.mode.is_positive
        or not 400 <= response.status_code < 500
    ):
        return
    problem = response.json()
    beyond = response.status_code in STATUSES or problem["code"] in CODES
    assert beyond, f"{problem['code']}: {problem['detail']}"
