"""One secret for a deployment, whoever is first."""

from __future__ import annotations

from chalicelib.library.deployment_secret import DeploymentSecret
from tests.fakes.table import FakeTable


def test_of_two_processes_that_both_find_none_both_use_the_first_ones() -> None:
    table = FakeTable()
    slow = DeploymentSecret(table)  # type: ignore[arg-type]  # held to Table's contract
    whole = table.get
    keys = []

    def get(key: object) -> None:
        table.get = whole  # type: ignore[method-assign]
        keys.append(DeploymentSecret(table).key_for("cursors"))  # type: ignore[arg-type]  # is faster

    table.get = get  # type: ignore[method-assign,assignment]
    assert [slow.key_for("cursors")] == keys
    assert slow.key_for("other") != keys[0]
