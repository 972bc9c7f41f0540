"""A stage belongs to the account: whoever deploys, from wherever, goes on where the last one stopped.

Holds `infra/state.py`, `infra/inventory.py`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.project import Refused
from infra.state import KEY, LEASE_SECONDS, State
from local.moto_server import LocalAws
from tests.packaging.cloud import empty_account, variables
from tests.packaging.test_deploy import STAGE, inventory
from tests.packaging.workbench import Workbench, set_up

Json = dict[str, Any]
pytestmark = pytest.mark.slow
TABLE = f"sightline-{STAGE}"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """An account of their own."""
    with empty_account() as running:
        yield running


class Colleagues:
    """People with a clone of the project each, at one version; their packages hold no libraries."""

    def __init__(self, folder: Path, aws: LocalAws) -> None:
        self._folder, self._aws, self._clones = folder, aws, 0

    def clone(self) -> Workbench:
        self._clones += 1
        return set_up(self._folder / str(self._clones), {**variables(self._aws), "WITHOUT_LIBRARIES": "1"})


@pytest.fixture(scope="module")
def colleagues(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Colleagues]:
    folder = tmp_path_factory.mktemp("clones")
    yield Colleagues(folder, aws)
    shutil.rmtree(folder)


def made(bench: Workbench, action: str, *more: str) -> str:
    ran = bench.infra(action, "--stage", STAGE, *more)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def everything(aws: LocalAws) -> Json:
    """What is in the account, down to its settings; all but the moments of changes, and API Gateway's ids."""
    functions = aws.client("lambda")
    configurations = {
        one["FunctionName"]: {
            key: one.get(key) for key in ("Architectures", "Environment", "Role", "Timeout")
        }
        for one in functions.list_functions()["Functions"]
    }
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    [stack] = aws.client("cloudformation").describe_stacks(StackName=TABLE)["Stacks"]
    [api] = aws.client("apigateway").get_rest_apis()["items"]
    told = aws.client("s3").get_bucket_notification_configuration(Bucket=f"{TABLE}-123456789012")
    return {
        **inventory(aws),
        "configurations": configurations,
        "settings of mappings": sorted(
            (one["UUID"], json.dumps({key: one[key] for key in one if key != "LastModified"}))
            for one in mappings
        ),
        "parameters": stack["Parameters"],
        "API": api["id"],
        "answers": len(aws.client("apigateway").get_gateway_responses(restApiId=api["id"])["items"]),
        "notifications": [{**one, "Id": ""} for one in told["LambdaFunctionConfigurations"]],
    }


def test_whoever_comes_next_goes_on_and_the_last_one_leaves_nothing(
    colleagues: Colleagues, aws: LocalAws
) -> None:
    said = made(colleagues.clone(), "deploy", "--arch", "arm64", "--email", "anna@example.com")
    first = everything(aws)

    # The second names no architecture and nobody for alarms: both stay as they were chosen.
    again = made(colleagues.clone(), "deploy")
    assert everything(aws) == first
    assert said.rpartition("is up: ")[2] == again.rpartition("is up: ")[2]
    assert {one["Architectures"][0] for one in first["configurations"].values()} == {"arm64"}
    assert "anna@example.com" in json.dumps(first["parameters"])

    # A run that broke off leaves no record of what it made: it is found by looking.
    aws.client("dynamodb").delete_item(TableName=TABLE, Key=KEY)
    made(colleagues.clone(), "deploy")
    assert everything(aws) == first

    made(colleagues.clone(), "destroy")
    assert not [name for names in inventory(aws).values() for name in names]
    assert not aws.client("apigateway").get_rest_apis()["items"]


@pytest.fixture
def table(aws: LocalAws) -> Iterator[str]:
    dynamodb, name = aws.client("dynamodb"), "locked"
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
    )
    yield name
    dynamodb.delete_table(TableName=name)


def test_of_two_who_deploy_at_once_the_second_is_told_who_is_at_it(aws: LocalAws, table: str) -> None:
    state = State(aws.client("dynamodb"), table, lambda: 1_700_000_000.0)
    with state.locked() as first:
        with pytest.raises(Refused, match=r"\S+@\S+ is deploying this stage.*until 2023-11-14T22:43:20"):
            state.locked().__enter__()
        first.save([{"name": "sweep"}])
    with state.locked() as second:
        assert second.resources == state.resources() == [{"name": "sweep"}]


def test_one_that_died_holds_nobody_up_for_good_and_saves_nothing_when_it_comes_to_life(
    aws: LocalAws, table: str
) -> None:
    now = [1_700_000_000.0]
    state = State(aws.client("dynamodb"), table, lambda: now[0])
    with state.locked() as died:
        now[0] += LEASE_SECONDS + 1
        with state.locked() as other:
            with pytest.raises(Refused, match="Somebody else has deployed meanwhile"):
                died.save([])
            other.save([{"name": "sweep"}])
    assert state.resources() == [{"name": "sweep"}]


def test_where_there_is_no_table_nothing_is_remembered(aws: LocalAws) -> None:
    assert State(aws.client("dynamodb"), "nowhere").resources() == []
