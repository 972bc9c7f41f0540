"""``python -m infra deploy --stage dev``: what the Makefile calls."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from infra import deployment, sam, terraform
from infra.account import Account
from infra.checks import python_is_new_enough, settings_are_right
from infra.cloudformation import Stack
from infra.exit_status import exit_status
from infra.project import ROOT, Refused, Stage, stage
from infra.redrive import redrive
from infra.stack_template import import_template


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; 1 and a sentence where that cannot be."""
    asked = _parser().parse_args(arguments)
    return exit_status(lambda: asked.act(asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    actions = {
        "deploy": _deploy,
        "destroy": _destroy,
        "import-template": _import_template,
        "package-sam": _package_sam,
        "package-terraform": _package_terraform,
        "redrive": _redrive,
    }
    parser.add_argument("action", choices=actions)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--arch", default="", choices=["", "x86_64", "arm64"])
    parser.add_argument("--email", default="", help="who is told of alarms")
    parser.add_argument("--stack", default="", help="the stack's name, where it is not the stage's")
    parser.add_argument("--delete-images", action="store_true")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.set_defaults(act=lambda asked: actions[asked.action](asked))
    return parser


def _deploy(asked: argparse.Namespace) -> None:
    chosen = _sound(asked, "s3")
    url = deployment.deploy(
        chosen, Account.of_shell(), asked.build, architecture=asked.arch, email=asked.email
    )
    print(f"\n{chosen.name} is up: {url}")


def _sound(asked: argparse.Namespace, trigger: str) -> Stage:
    """The stage that is asked for, which may be packaged here."""
    python_is_new_enough()
    chosen = stage(asked.stage, trigger)
    settings_are_right(chosen)
    return chosen


def _destroy(asked: argparse.Namespace) -> None:
    deployment.destroy(
        stage(asked.stage, "s3"), Account.of_shell(), asked.build, with_images=asked.delete_images
    )
    print(f"Nothing is left of {asked.stage}.")


def _package_sam(asked: argparse.Namespace) -> None:
    _forget(asked.build / f"sam-{asked.stage}")
    out = sam.package(_sound(asked, "queue"), asked.build, asked.arch)
    print(f"\nsam deploy --guided --capabilities CAPABILITY_IAM --template-file {out}/sam.json")


def _package_terraform(asked: argparse.Namespace) -> None:
    _forget(asked.build / f"terraform-{asked.stage}")
    out = terraform.package(_sound(asked, "s3"), asked.build, asked.arch)
    print(f"\nterraform -chdir={out} init && terraform -chdir={out} apply")


def _import_template(asked: argparse.Namespace) -> None:
    print(json.dumps(import_template(stage(asked.stage, "s3")), indent=2))


def _forget(package: Path) -> None:
    """Remove a package of before, which could be taken for the one that is asked for, if that fails."""
    shutil.rmtree(package, ignore_errors=True)


def _redrive(asked: argparse.Namespace) -> None:
    account, name = Account.of_shell(), asked.stack or stage(asked.stage, "s3").stack
    outputs = Stack(account.client("cloudformation"), name).outputs()
    if "EventsDeadLettersUrl" not in outputs:
        raise Refused(
            f"There is no stack {name} of this project here; if the stage has one of another name, say it: "
            f"make redrive STAGE={asked.stage} STACK=its-name"
        )
    for queue, moved in redrive(account.client, outputs).items():
        print(f"{queue:24} {moved:5} sent again")


if __name__ == "__main__":
    sys.exit(main())
