"""``make deploy`` and ``make destroy``: a stage brought up with ``chalice deploy``, and taken down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from infra import chalice_cli, finishing, stream, vendor
from infra.account import Account, Client
from infra.bucket import empty, holds_images
from infra.checks import account_of, may_deploy
from infra.policies import Place
from infra.project import Json, Refused, Stage
from infra.stack import Stack
from infra.template import SETTING_OF_OUTPUT, resources_template
from infra.workspace import Choices, configure, lay_out


def deploy(stage: Stage, account: Account, build: Path, *, architecture: str = "", email: str = "") -> str:
    """Bring the stage up, or up to date; answers the address of its REST API.

    :raises Refused: it cannot be done; where that shows beforehand, nothing has been created.
    """
    number = account_of(account.client)
    may_deploy(account.client, stage)
    folder = lay_out(stage, _workspace(build, stage))
    vendor.fill(stage, folder, architecture)
    print(f"Resources of {stage.name}, in account {number}, {account.region}:")
    outputs = _stack(stage, account).bring_up(
        json.dumps(resources_template(stage)),
        {
            "Stage": stage.name,
            "UploadTrigger": stage.trigger,
            "AlarmEmail": email,
            "LogRetentionDays": str(stage.log_days),
        },
    )
    outputs["TableStreamArn"] = stream.present(account.client("dynamodb"), outputs["Table"])
    _remember(
        stage,
        stream.leave_former(account.client("lambda"), stage, _deployed(stage), outputs["TableStreamArn"]),
    )
    place = Place(account.partition, account.region, number, stage.name)
    configure(stage, folder, Choices(_settings(outputs), place, architecture))
    print("Functions:")
    chalice_cli.run(folder, "deploy", "--stage", stage.name)
    return _finish(stage, account, outputs)


def destroy(stage: Stage, account: Account, build: Path, *, with_images: bool = False) -> None:
    """Remove everything that :func:`deploy` made.

    :raises Refused: there are images in the bucket and nobody said that they may go; nothing was removed.
    """
    account_of(account.client)
    outputs = _stack(stage, account).outputs()
    bucket = outputs.get("Bucket", "")
    if bucket and not with_images and holds_images(account.client("s3"), bucket):
        raise Refused(
            f"There are images in {bucket}. To delete them too: make destroy STAGE={stage.name} IMAGES=delete"
        )
    if _deployed(stage):
        folder = lay_out(stage, _workspace(build, stage))
        configure(stage, folder, Choices({}))
        chalice_cli.run(folder, "delete", "--stage", stage.name)
    if bucket:
        empty(account.client("s3"), bucket)
    _stack(stage, account).take_down()
    _remove_retained(account.client, outputs)


def _finish(stage: Stage, account: Account, outputs: dict[str, str]) -> str:
    api = next(one for one in _deployed(stage) if one["resource_type"] == "rest_api")
    finishing.leave_failures(account.client, stage, outputs)
    finishing.set_up_sources(account.client, stage, outputs)
    finishing.let_go_in_circles(account.client, stage)
    finishing.speak_in_problems(account.client, stage, api["rest_api_id"])
    return str(api["rest_api_url"])


def recorded(stage: Stage, account: Account) -> tuple[str, dict[str, str]]:
    """The address of the stage's REST API, and the settings that its functions got from the resources.

    :raises Refused: the stage has not been deployed from here.
    """
    address = next((one["rest_api_url"] for one in _deployed(stage) if "rest_api_url" in one), "")
    outputs = _stack(stage, account).outputs() if address else {}
    if not outputs:
        raise Refused(f"The stage {stage.name} has not been deployed from here.")
    return address, _settings(outputs)


def _settings(outputs: dict[str, str]) -> dict[str, str]:
    return {setting: outputs[output] for output, setting in SETTING_OF_OUTPUT.items()}


def _deployed(stage: Stage) -> list[Json]:
    """What Chalice remembers to have deployed."""
    path = stage.root / ".chalice" / "deployed" / f"{stage.name}.json"
    if not path.exists():
        return []
    remembered: list[Json] = json.loads(path.read_text(encoding="utf-8"))["resources"]
    return remembered


def _remember(stage: Stage, remembered: list[Json]) -> None:
    path = stage.root / ".chalice" / "deployed" / f"{stage.name}.json"
    if path.exists():
        whole = {**json.loads(path.read_text(encoding="utf-8")), "resources": remembered}
        path.write_text(json.dumps(whole, indent=2), encoding="utf-8")


def _remove_retained(client: Client, outputs: dict[str, str]) -> None:
    """The stack keeps pictures and records on purpose; here somebody has asked for them to go."""
    if "Bucket" in outputs:
        _gone(client("s3").delete_bucket, Bucket=outputs["Bucket"])
    if "Table" in outputs:
        _gone(client("dynamodb").delete_table, TableName=outputs["Table"])


def _gone(remove: Callable[..., object], **named: str) -> None:
    try:
        remove(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "ResourceNotFoundException"):
            raise Refused(f"{', '.join(named.values())} could not be deleted: {error}") from None


def _stack(stage: Stage, account: Account) -> Stack:
    return Stack(account.client("cloudformation"), stage.stack)


def _workspace(build: Path, stage: Stage) -> Path:
    return build / f"workspace-deploy-{stage.name}"
