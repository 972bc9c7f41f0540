"""The guards that are switched off to see a test go red stand where ``make bite`` looks for them."""

from __future__ import annotations

import pytest

from infra.project import stage
from tests.bite import GUARDS, RIGHTS, ROOT, Guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_and_its_tests_are_where_they_were(guard: Guard) -> None:
    assert (ROOT / guard.path).read_text("utf-8").count(guard.on) == 1
    assert (ROOT / guard.tests.partition("::")[0]).is_file()


@pytest.mark.parametrize("right", sorted(RIGHTS))
def test_a_right_that_is_taken_away_stands_in_the_functions_policy(right: str) -> None:
    function, _, action = right.partition(":")
    policy = stage("dev", "s3").policy(function)
    assert action in [one for statement in policy["Statement"] for one in statement["Action"]]
