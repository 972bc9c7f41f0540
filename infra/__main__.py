"""``python -m infra deploy --stage dev``: what the Makefile calls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import ClientError, ProfileNotFound

from infra import deployment, sam, terraform
from infra.account import Account
from infra.checks import python_is_new_enough
from infra.project import ROOT, Refused, stage
from infra.redrive import redrive
from infra.stack import Stack


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; 1 and a sentence where that cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        asked.act(asked)
    except (Refused, ProfileNotFound) as refused:
        print(refused, file=sys.stderr)
        return 1
    except ClientError as error:
        print(
            f"AWS refused {error.operation_name}: {error.response['Error'].get('Message')}", file=sys.stderr
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    actions = {
        "deploy": _deploy,
        "destroy": _destroy,
        "package-sam": _package_sam,
        "package-terraform": _package_terraform,
        "redrive": _redrive,
    }
    parser.add_argument("action", choices=actions)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--arch", default="", choices=["", "x86_64", "arm64"])
    parser.add_argument("--email", default="", help="who is told of alarms")
    parser.add_argument("--delete-images", action="store_true")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.set_defaults(act=lambda asked: actions[asked.action](asked))
    return parser


def _deploy(asked: argparse.Namespace) -> None:
    python_is_new_enough()
    chosen = stage(asked.stage, "s3")
    url = deployment.deploy(
        chosen, Account.of_shell(), asked.build, architecture=asked.arch, email=asked.email
    )
    print(f"\n{chosen.name} is up: {url}")


def _destroy(asked: argparse.Namespace) -> None:
    deployment.destroy(
        stage(asked.stage, "s3"), Account.of_shell(), asked.build, with_images=asked.delete_images
    )
    print(f"Nothing is left of {asked.stage}.")


def _package_sam(asked: argparse.Namespace) -> None:
    python_is_new_enough()
    out = sam.package(stage(asked.stage, "queue"), asked.build, asked.arch)
    print(f"\nsam deploy --guided --capabilities CAPABILITY_IAM --template-file {out}/sam.json")


def _package_terraform(asked: argparse.Namespace) -> None:
    python_is_new_enough()
    out = terraform.package(stage(asked.stage, "s3"), asked.build, asked.arch)
    print(f"\nterraform -chdir={out} init && terraform -chdir={out} apply")


def _redrive(asked: argparse.Namespace) -> None:
    account = Account.of_shell()
    outputs = Stack(account.client("cloudformation"), stage(asked.stage, "s3").stack).outputs()
    for queue, moved in redrive(account.client, outputs).items():
        print(f"{queue:24} {moved:5} sent again")


if __name__ == "__main__":
    sys.exit(main())
