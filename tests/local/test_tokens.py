"""``make token`` and its like, against the table of a running stack.

Holds `local/token_command.py`.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from chalicelib.access.tokens import Tokens
from chalicelib.errors import Unauthorized
from chalicelib.table import Table
from local.folder import Folder, Running
from local.moto_server import LocalAws
from local.provision import provision
from local.token_command import main


@pytest.fixture(scope="module")
def tokens(aws: LocalAws) -> Tokens:
    """What the running app would ask."""
    provision(aws.client)
    return Tokens(Table(aws.client("dynamodb"), "sightline-local"), time.time)


def run(aws: LocalAws, *arguments: str) -> int:
    return main([*arguments, "--stage", "local", "--aws-port", str(aws.port)])


def test_a_token_made_on_the_command_line_opens_the_api_until_it_is_revoked(
    aws: LocalAws, tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(aws, "issue", "--owner", "anna", "--scopes", "read,admin", "--name", "laptop") == 0
    token = tokens.recognise(capsys.readouterr().out.strip())
    assert (token.owner, token.scopes, token.name) == ("anna", ("read", "admin"), "laptop")

    assert run(aws, "list", "--owner", "anna") == 0
    listed = capsys.readouterr().out
    assert listed.startswith(f"{token.id}  anna  read,admin  until ")

    assert run(aws, "revoke", "--owner", "anna", "--id", token.id) == 0
    assert tokens.all("anna") == ()


def test_the_text_of_a_revoked_token_opens_nothing(
    aws: LocalAws, tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    run(aws, "issue", "--owner", "bert")
    text = capsys.readouterr().out.strip()
    run(aws, "revoke", "--owner", "bert", "--id", tokens.recognise(text).id)
    with pytest.raises(Unauthorized):
        tokens.recognise(text)


def test_the_stack_that_runs_is_meant_and_named(
    aws: LocalAws, tokens: Tokens, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Folder(tmp_path)) as folder:
        folder.announce(Running(1, "http://127.0.0.1:8000", aws.url, ""))
        assert main(["issue", "--owner", "carl", "--data", str(tmp_path)]) == 0

    told = capsys.readouterr()
    assert "The offline stack at http://127.0.0.1:8000 is meant" in told.err
    assert tokens.recognise(told.out.strip()).owner == "carl"


def test_where_none_runs_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--owner", "carl", "--stage", "local", "--data", str(tmp_path)]) == 1
    assert f"No offline stack runs with {tmp_path}: start it with make run." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("issue", "--owner", "A b"), "lower-case"),
        (("revoke", "--owner", "anna", "--id", "x"), "no such token"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    aws: LocalAws, tokens: Tokens, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(aws, *arguments) == 1
    assert said in capsys.readouterr().err
