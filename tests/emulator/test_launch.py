"""MiniStack is started with mends for what it lacks, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.emulator import LAUNCH, PYTHON, Emulator
from tests.emulator.stage import ASSUMED_BY_LAMBDA

ACCOUNT = "333333333333"
ANOTHER_VERSION = """
import runpy, sys
from ministack.services import sns
del sns._deliver_to_lambda
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def test_a_version_without_a_function_that_is_mended_does_not_start() -> None:
    ran = subprocess.run(  # noqa: S603 - our own
        [str(PYTHON), "-c", ANOTHER_VERSION, str(LAUNCH)], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert "has no ministack.services.sns._deliver_to_lambda" in ran.stdout


def test_the_version_that_is_installed_is_the_one_that_was_tried() -> None:
    tried = LAUNCH.with_name("requirements.txt").read_text()
    installed = subprocess.run(  # noqa: S603 - our own
        [str(PYTHON), "-c", "import importlib.metadata as m; print(m.version('ministack'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert f"ministack=={installed}\n" in tried
    assert f'TRIED = "{installed}"' in LAUNCH.read_text()


@pytest.fixture
def reader(emulator: Emulator) -> Any:
    """S3 for a role that may read a bucket's objects, and not list them."""
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::judged/*"}
    iam = emulator.client(ACCOUNT, "iam")
    trusted = json.dumps(ASSUMED_BY_LAMBDA)
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    iam.put_role_policy(RoleName="reader", PolicyName="rights", PolicyDocument=document(allowed))
    emulator.client(ACCOUNT, "s3").create_bucket(
        Bucket="judged", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    emulator.client(ACCOUNT, "s3").put_object(Bucket="judged", Key="there", Body=b"")
    made = emulator.client(ACCOUNT, "sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return emulator.session(ACCOUNT).client(
        "s3",
        endpoint_url=emulator.url,
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.slow
def test_who_may_not_list_is_told_nothing_of_what_is_missing(reader: Any) -> None:
    reader.get_object(Bucket="judged", Key="there")
    with pytest.raises(ClientError) as refused:
        reader.get_object(Bucket="judged", Key="missing")

    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_an_emulator_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.emulator.emulator.PYTHON", tmp_path / "nothing")

    with pytest.raises(RuntimeError, match="make emulator"), Emulator(tmp_path):
        pass
    assert sys.prefix in str(PYTHON)
