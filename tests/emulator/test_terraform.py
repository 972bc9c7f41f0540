"""What `make package-terraform` writes, applied by Terraform itself to an AWS that we did not write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import app
from tests.emulator.emulator import Emulator
from tests.packaging.test_terraform import NO_TERRAFORM, plugins, terraform
from tests.packaging.workbench import set_up

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly,
    pytest.mark.skipif(not plugins(), reason=NO_TERRAFORM),
]
ACCOUNT = "777777777777"


def test_the_module_is_applied_replaces_nothing_when_it_is_again_and_goes(
    emulator: Emulator, tmp_path: Path
) -> None:
    variables = emulator.variables(ACCOUNT)
    (tmp_path / "project").mkdir()
    bench = set_up(tmp_path / "project", {**variables, "WITHOUT_LIBRARIES": "1"}, faults=None)
    assert bench.infra("package-terraform", "--stage", "prod").returncode == 0
    folder = bench.project / "build" / "terraform-prod"

    terraform(folder, "init", f"-plugin-dir={plugins()}")
    terraform(folder, "apply", "-auto-approve", **variables)
    named = {one.name for one in (*app.app.event_sources, *app.app.builtin_auth_handlers)}
    assert functions(emulator).keys() == {"sightline-prod", *(f"sightline-prod-{one}" for one in named)}
    assert set(functions(emulator).values()) <= {
        one["Arn"] for one in emulator.client(ACCOUNT, "iam").list_roles()["Roles"]
    }

    terraform(folder, "plan", "-out=again", **variables)
    planned = json.loads(terraform(folder, "show", "-json", "again"))["resource_changes"]
    # Updated is what MiniStack tells otherwise than it was told.
    assert {action for one in planned for action in one["change"]["actions"]} <= {"no-op", "read", "update"}

    terraform(folder, "destroy", "-auto-approve", **variables)
    assert not functions(emulator)
    assert not emulator.client(ACCOUNT, "iam").list_roles()["Roles"]
    assert not emulator.client(ACCOUNT, "cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    )["StackSummaries"]


def functions(emulator: Emulator) -> dict[str, Any]:
    """The role of each function in the account."""
    found = emulator.client(ACCOUNT, "lambda").list_functions()["Functions"]
    return {one["FunctionName"]: one["Role"] for one in found}
