"""What moto was told to store is there again after a restart.

Tables, bucket and queues have files of their own: test_item_journal.py, test_moto_objects.py and
test_queue_messages.py.
"""

from __future__ import annotations

import pytest

from tests.local.machine import Machine

pytestmark = pytest.mark.slow  # moto starts anew for each


def test_what_signing_secrets_are_derived_from_is_the_same_at_every_start(machine: Machine) -> None:
    given = []

    class Parameters:
        def put_parameter(self, **parameter: str) -> None:
            given.append(parameter)

    for _ in range(2):
        machine.persistence.restore_signing_root(Parameters(), "a-root")
        machine.restart()
    assert given[0] == given[1]
    assert (len(given[0]["Value"]), given[0]["Name"], given[0]["Type"]) == (64, "a-root", "SecureString")
    assert (machine.folder / "signing-root").stat().st_mode & 0o077 == 0
