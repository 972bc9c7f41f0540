"""``python -m local.token_command``: tokens of a stage, made, listed and revoked by whoever runs it.

Works on the stage's table directly, so the first token needs none: in AWS with the credentials of the
shell, on this machine with the running offline stack. Where one runs and no stage is named, it is meant.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.access.tokens import LONGEST_DAYS, SCOPES, Token, Tokens
from chalicelib.errors import SightlineError
from chalicelib.ids import rfc3339
from chalicelib.table import Table
from local.folder import DEFAULT, folder_named, running, shown

CONFIG = Path(__file__).resolve().parent.parent / ".chalice" / "config.json"


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; 1 and a sentence where that cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        _find_stack(asked)
        _ACTIONS[asked.action](_tokens(asked), asked)
    except (SightlineError, BotoCoreError, ClientError) as error:
        print(getattr(error, "detail", error), file=sys.stderr)
        return 1
    return 0


def _issue(tokens: Tokens, asked: argparse.Namespace) -> None:
    token, text = tokens.issue(asked.owner, asked.scopes, days=asked.days, name=asked.name)
    print(_told(token), file=sys.stderr)
    print("Send it as Authorization: Bearer …; it cannot be shown again:", file=sys.stderr)
    print(text)


def _list(tokens: Tokens, asked: argparse.Namespace) -> None:
    for token in tokens.all(asked.owner):
        print(_told(token))


def _revoke(tokens: Tokens, asked: argparse.Namespace) -> None:
    tokens.revoke(tokens.get(asked.owner, asked.id))
    print(f"{asked.id} and what was made with it open nothing any more.")
    print("A deployed API may take a minute to notice.")


_ACTIONS = {"issue": _issue, "list": _list, "revoke": _revoke}


def _told(token: Token) -> str:
    until, used = rfc3339(token.expires_at)[:10], token.last_used_at[:10] or "never"
    scopes = ",".join(token.scopes)
    return f"{token.id}  {token.owner}  {scopes}  until {until}  used {used}  {token.name}".rstrip()


def _find_stack(asked: argparse.Namespace) -> None:
    """Settle which stage is meant, and where the offline stack is if it is that one; says so."""
    found = running(asked.data)
    if asked.stage is None:
        asked.stage = "local" if found or asked.aws_port else "dev"
        if found:
            print(f"The offline stack at {found.api} is meant; STAGE=dev is the stage dev.", file=sys.stderr)
    if asked.stage == "local" and not asked.aws_port:
        if found is None:
            raise SightlineError(f"No offline stack runs with {shown(asked.data)}: start it with make run.")
        asked.aws_port = int(found.aws.rpartition(":")[2])


def _tokens(asked: argparse.Namespace) -> Tokens:
    stages = json.loads(CONFIG.read_text(encoding="utf-8"))["stages"]
    if asked.stage not in stages:
        raise SightlineError(f"There is no stage {asked.stage!r}; there are {', '.join(stages)}.")
    variables = stages[asked.stage]["environment_variables"]
    here: dict[str, str] = {}
    if asked.stage == "local":
        here = {
            "endpoint_url": f"http://127.0.0.1:{asked.aws_port}",
            "region_name": variables["AWS_REGION"],
            "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
        }
    return Tokens(Table(boto3.client("dynamodb", **here), variables["TABLE"]), time.time)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.token_command", description="Tokens of a stage.")
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("--stage", help="the offline stack where one runs, else dev")
    parser.add_argument("--owner", required=True)
    parser.add_argument(
        "--scopes", type=_scopes, default=("read", "write"), help="some of " + ", ".join(SCOPES)
    )
    parser.add_argument("--days", type=int, choices=range(1, LONGEST_DAYS + 1), metavar="DAYS", default=365)
    parser.add_argument("--name", default="", help="for people")
    parser.add_argument("--id", default="", help="which to revoke")
    parser.add_argument("--data", type=folder_named, default=DEFAULT, help="the folder of the offline stack")
    parser.add_argument("--aws-port", type=int, help="of an offline stack whose folder is not known")
    return parser


def _scopes(text: str) -> tuple[str, ...]:
    wanted = tuple(text.split(","))
    if not set(wanted) <= set(SCOPES):
        raise argparse.ArgumentTypeError(f"some of {','.join(SCOPES)}")
    return wanted


if __name__ == "__main__":
    sys.exit(main())
