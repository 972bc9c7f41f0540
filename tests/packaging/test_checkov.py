"""Checkov over all that is deployed; what it minds and we keep is listed here, each with its reason."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.config import ROOT
from tests.packaging.conftest import Module, SamApp

Json = dict[str, Any]
Finding = tuple[str, str]  # check, resource
pytestmark = [pytest.mark.slow, pytest.mark.nightly]
VERSION = "3.3.30"
POLICIES = Path(__file__).parent / "checkov_policies"
PATIENCE_SECONDS = 300

EXCEPTIONS = {
    "CKV_AWS_18": "its access logs are a bucket more, and CloudTrail's data events say more than they do",
    "CKV_AWS_21": "who deletes a picture means it: no older version may stay behind",
    "CKV_AWS_26": "S3 and CloudWatch alarms cannot use the key that AWS keeps for SNS",
    "CKV_AWS_27": "wants a key of KMS; CKV2_SIGHTLINE_1 looks for SQS's own encryption",
    "CKV_AWS_50": "the logs name image and request at every step; X-Ray would cost for each",
    "CKV_AWS_68": "the page's files are public and static; the API throttles",
    "CKV_AWS_73": "as CKV_AWS_50",
    "CKV_AWS_76": "needs a role for the whole account; the function logs each request itself",
    "CKV_AWS_86": "as CKV_AWS_18",
    "CKV_AWS_115": "it would be taken from the account's other functions; queue and throttling bound ours",
    "CKV_AWS_116": "asynchronous functions have an on-failure destination, queues have dead letters",
    "CKV_AWS_117": "nothing private is reached, and a VPC's way out costs more than all the rest",
    "CKV_AWS_119": "DynamoDB's key in KMS encrypts; one of the customer's own costs and is theirs to choose",
    "CKV_AWS_120": "answers belong to whoever asks with a token: a cache in between would hand them on",
    "CKV_AWS_124": "whoever runs terraform sees what becomes of the stack",
    "CKV_AWS_158": "CloudWatch encrypts logs; as CKV_AWS_119",
    "CKV_AWS_173": "Lambda encrypts variables, and no secret is among them",
    "CKV_AWS_174": "CloudFront's own certificate allows no other minimum; one's own name does",
    "CKV_AWS_225": "as CKV_AWS_120",
    "CKV_AWS_272": "whoever deploys builds the package, from locked files",
}  # fmt: skip
# The check above that is not put aside everywhere: where it is.
ONLY_FOR = {"CKV_AWS_26": {"AWS::SNS::Topic.UploadsTopic", "AWS::SNS::Topic.AlarmTopic"}}


@pytest.fixture(scope="module")
def checkov() -> Path:
    """Checkov in an environment of its own, for its requirements clash with ours; made once for a version."""
    venv = ROOT / "build" / f"checkov-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    python = venv / "bin" / "python"
    if not (venv / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)  # noqa: S603
        subprocess.run([str(python), "-m", "pip", "install", "-q", f"checkov=={VERSION}"], check=True)  # noqa: S603
        (venv / "ready").touch()
    return venv / "bin" / "checkov"


@pytest.fixture(scope="module")
def found(checkov: Path, sam: SamApp, module: Module, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What it finds, by file: in what is deployed, and in resources that have lost some guards."""
    folder = tmp_path_factory.mktemp("checked")
    shutil.copy(sam.folder / "sam.json", folder)
    shutil.copy(ROOT / "infra" / "page.yaml", folder)
    # One file, as Terraform merges the module; without the block of versions, over which checkov stumbles.
    blocks = {name: one for name, one in module.blocks.items() if name != "terraform"}
    (folder / "module.tf.json").write_text(json.dumps(blocks, indent=1))
    (folder / "resources.json").write_text(json.dumps(module.resources, indent=1))
    (folder / "careless.json").write_text(json.dumps(careless(module.resources), indent=1))
    asked = ["--directory", str(folder), "--framework", "cloudformation", "terraform_json"]
    how = ["--external-checks-dir", str(POLICIES), "--output", "json", "--quiet", "--skip-download"]
    ran = subprocess.run(  # noqa: S603 - our own words
        [str(checkov), *asked, *how], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    reports = json.loads(ran.stdout)
    assert [one["summary"]["parsing_errors"] for one in reports] == [0, 0], ran.stderr
    by_file: dict[str, set[Finding]] = {path.name: set() for path in folder.iterdir()}
    for finding in findings(reports):
        by_file[finding["file_path"].lstrip("/")].add((finding["check_id"], finding["resource"]))
    return by_file


def findings(reports: list[Json]) -> Iterator[Json]:
    for report in reports:
        yield from report["results"]["failed_checks"]


def careless(resources: Json) -> Json:
    """The same resources, with one guard less for a queue, a topic, the table and the bucket."""
    changed: Json = json.loads(json.dumps(resources))
    for name, guard in LOST.items():
        del changed["Resources"][name]["Properties"][guard]
    return changed


LOST = {
    "UploadsQueue": "SqsManagedSseEnabled",
    "LabelledTopic": "KmsMasterKeyId",
    "Table": "PointInTimeRecoverySpecification",
    "Bucket": "PublicAccessBlockConfiguration",
}


def excepted(finding: Finding) -> bool:
    check, resource = finding
    return check in EXCEPTIONS and resource in ONLY_FOR.get(check, {resource})


@pytest.mark.parametrize("file", ["sam.json", "module.tf.json", "resources.json", "page.yaml"])
def test_checkov_minds_nothing_but_what_is_excepted(found: Json, file: str) -> None:
    assert [finding for finding in sorted(found[file]) if not excepted(finding)] == []


def test_no_exception_outlives_its_reason(found: Json) -> None:
    minded = {check for name, some in found.items() if name != "careless.json" for check, _ in some}

    assert set(EXCEPTIONS) - minded == set()


def test_a_guard_that_is_lost_is_noticed(found: Json) -> None:
    noticed = {finding for finding in found["careless.json"] if not excepted(finding)}

    assert ("CKV2_SIGHTLINE_1", "AWS::SQS::Queue.UploadsQueue") in noticed
    assert ("CKV_AWS_26", "AWS::SNS::Topic.LabelledTopic") in noticed
    assert ("CKV_AWS_28", "AWS::DynamoDB::Table.Table") in noticed
    assert ("CKV_AWS_53", "AWS::S3::Bucket.Bucket") in noticed
    assert {resource.rpartition(".")[2] for _, resource in noticed} == set(LOST)
