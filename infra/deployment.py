"""``make deploy`` and ``make destroy``: a stage brought up with ``chalice deploy``, and taken down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra import beyond_chalice, chalice_cli, data_resources, vendor
from infra.account import Account, Client
from infra.checks import account_of, may_deploy, may_reserve
from infra.cloudformation import Stack
from infra.data_resources import holds_images
from infra.inventory import Inventory
from infra.policies import Location
from infra.project import API, Json, Refused, Stage
from infra.stack_template import SETTING_OF_OUTPUT, resources_template
from infra.state import State
from infra.workspace import Choices, configure, lay_out, remember, remembered

NOBODY = "none"  # EMAIL=none: alarms are written to nobody any more


def deploy(stage: Stage, account: Account, build: Path, *, architecture: str = "", email: str = "") -> str:
    """Bring the stage up, or up to date; answers the address of its REST API.

    What is not said stays as the last deployment chose it. All steps stand here in their order, because each
    takes what those before it have found.

    :raises Refused: it cannot be done; where that shows beforehand, nothing has been created.
    """
    number = account_of(account.client)
    may_deploy(account.client, stage)
    stack = _stack(stage, account)
    _made_by_us(stack)
    if not stack.exists():
        data_resources.refuse(account.client, stage, number)
    architecture = architecture or _present_architecture(account.client, stage)
    folder = lay_out(stage, _workspace(build, stage))
    vendor.fill(stage, folder, architecture)
    print(f"Resources of {stage.name}, in account {number}, {account.region}:")
    told = {"AlarmEmail": "" if email == NOBODY else email} if email else {}
    outputs = stack.bring_up(
        resources_template(stage),
        {
            "Stage": stage.name,
            "UploadTrigger": stage.trigger,
            "LogRetentionDays": str(stage.log_days),
            **told,
        },
    )
    outputs["TableStreamArn"] = beyond_chalice.stream_of(account.client("dynamodb"), outputs["Table"])
    place = Location(account.partition, account.region, number, stage.name)
    reserve = may_reserve(account.client, stage)
    if not reserve:
        print(f"No concurrency is reserved: this account has too little of it for {stage.reserved}.")
    configure(stage, folder, Choices(_settings(outputs), place, architecture, reserve))
    with State(account.client("dynamodb"), outputs["Table"]).locked() as state:
        known = _known(
            stage, state.resources, Inventory(account.client, account.region, stage).entries(outputs)
        )
        functions = account.client("lambda")
        remember(
            folder,
            stage,
            beyond_chalice.drop_former_mappings(functions, stage, known, outputs["TableStreamArn"]),
        )
        print("Functions:")
        chalice_cli.run(folder, "deploy", "--stage", stage.name)
        state.save(remembered(folder, stage))
        return _finish(stage, account, outputs, remembered(folder, stage))


def destroy(stage: Stage, account: Account, build: Path, *, with_images: bool = False) -> None:
    """Remove everything that :func:`deploy` made, from wherever that was run, and look whether it has gone.

    :raises Refused: there are images in the bucket and nobody said that they may go, and nothing was removed;
        or something is left, and is named.
    """
    number = account_of(account.client)
    stack, inventory = _stack(stage, account), Inventory(account.client, account.region, stage)
    _made_by_us(stack)
    there = data_resources.found(account.client, stage, number)
    if "Bucket" in there and not with_images and holds_images(account.client("s3"), there["Bucket"]):
        raise Refused(
            f"There are images in {there['Bucket']}. To delete them too: "
            f"make destroy STAGE={stage.name} IMAGES=delete"
        )
    outputs = {**stack.outputs(), **there}
    with _held(account, there) as stored:
        _remove_functions(stage, build, _known(stage, stored, inventory.entries(outputs)))
    stack.take_down()
    data_resources.remove(account.client, there)
    for (
        group
    ) in inventory.log_groups():  # Lambda writes a last line when the group has gone: there it is again
        account.client("logs").delete_log_group(logGroupName=group)
    if left := [*inventory.left(), *data_resources.found(account.client, stage, number).values()]:
        raise Refused(f"Of {stage.name} there is left: {', '.join(left)}. Run make destroy again.")


@contextmanager
def _held(account: Account, there: dict[str, str]) -> Iterator[list[Json]]:
    """What is remembered of the stage, while nobody else deploys it; without a table there is no lock."""
    if "Table" not in there:
        yield []
        return
    with State(account.client("dynamodb"), there["Table"]).locked() as state:
        yield state.resources


def recorded(stage: Stage, account: Account) -> tuple[str, dict[str, str]]:
    """The address of the stage's REST API, and the settings that its functions got from the resources.

    :raises Refused: there is no such stage in this account and region.
    """
    outputs = _stack(stage, account).outputs()
    table = outputs.get("Table", "")
    entries = State(account.client("dynamodb"), table).resources() if table else []
    address = next((one["rest_api_url"] for one in entries if "rest_api_url" in one), "")
    if not address:
        raise Refused(f"There is no stage {stage.name} in this account and region that make deploy made.")
    return address, _settings(outputs)


def _known(stage: Stage, stored: list[Json], found: list[Json]) -> list[Json]:
    """What there is, and of what was recorded that which looking cannot find.

    Roles and rules are looked for by their names; those of a handler that the project does not have any more
    are in the record alone, once its function has gone.
    """
    unseen = (one for one in stored if one["resource_type"] in ("iam_role", "cloudwatch_event"))
    handlers, names = set(stage.every_function), {one["name"] for one in found}
    former = (
        one for one in unseen if one["name"].removesuffix("_role").removesuffix("-event") not in handlers
    )
    return [*found, *(one for one in former if one["name"] not in names)]


def _remove_functions(stage: Stage, build: Path, known: list[Json]) -> None:
    if known:
        folder = lay_out(stage, _workspace(build, stage))
        configure(stage, folder, Choices({}))
        remember(folder, stage, known)
        chalice_cli.run(folder, "delete", "--stage", stage.name)


def _present_architecture(client: Client, stage: Stage) -> str:
    """What the stage's functions run on now; empty where there are none."""
    functions = client("lambda")
    try:
        described = functions.get_function_configuration(FunctionName=stage.full_name(API))
    except functions.exceptions.ResourceNotFoundException:
        return ""
    return str(next(iter(described.get("Architectures", [])), ""))


def _finish(stage: Stage, account: Account, outputs: dict[str, str], entries: list[Json]) -> str:
    api = next(one for one in entries if one["resource_type"] == "rest_api")
    beyond_chalice.leave_failures(account.client, stage, outputs)
    beyond_chalice.set_up_sources(account.client, stage, outputs)
    beyond_chalice.let_go_in_circles(account.client, stage)
    beyond_chalice.speak_in_problems(account.client, stage, api["rest_api_id"])
    return str(api["rest_api_url"])


def _settings(outputs: dict[str, str]) -> dict[str, str]:
    return {setting: outputs[output] for output, setting in SETTING_OF_OUTPUT.items()}


def _made_by_us(stack: Stack) -> None:
    if "EndpointURL" in stack.outputs():
        raise Refused(f"The stack {stack.name} is a SAM application: it is deployed and deleted by sam.")


def _stack(stage: Stage, account: Account) -> Stack:
    return Stack(account.client("cloudformation"), stage.stack)


def _workspace(build: Path, stage: Stage) -> Path:
    return build / f"workspace-{stage.name}"
