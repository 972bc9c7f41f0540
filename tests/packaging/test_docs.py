"""The documents' commands are there, and their tables say what the configuration says.

Holds `infra/stack_template.py`, `infra/alarms.py`.
"""

from __future__ import annotations

import math
import re

import pytest

from chalicelib import metrics
from infra import alarms, sam
from infra.project import on_disk, stage
from infra.stack_template import resources_template
from local.config import ROOT, stage_config

DOCUMENTS = ("README.md", "docs/deploy.md", "docs/operations.md", "docs/access.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?:^|`|=\S+ )make ([a-z][a-z-]*)", (ROOT / document).read_text(), re.MULTILINE))

    assert asked <= targets


def test_the_functions_memory_and_timeout_are_the_configured_ones() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    rows = re.findall(r"^\| (`.+?) \| (\d+) MB \| (\d+) s \|", text, re.MULTILINE)
    said = {name: (int(mb), int(s)) for names, mb, s in rows for name in re.findall(r"`(\w+)`", names)}

    configs = {name: stage_config(name, stage="dev") for name in on_disk()["lambda_functions"]}
    assert said == {name: (one.lambda_memory_size, one.lambda_timeout) for name, one in configs.items()}


def test_every_parameter_of_the_sam_application_is_described() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    described = set(re.findall(r"^\| `([A-Z]\w+)` \|", text, re.MULTILINE))

    assert described == set(sam.overlay(stage("dev", "queue"))["Parameters"])


def test_every_metric_is_described_with_its_unit_and_dimension() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    described = set(re.findall(r"^\| `([A-Z]\w+)` \| (\w+) \| (?:`(\w+)`)? ?\|", text, re.MULTILINE))
    ours = [one for one in vars(metrics).values() if isinstance(one, metrics.Metric)]

    assert described == {(one.name, one.unit, one.by) for one in ours}


def costs() -> dict[str, tuple[str, float]]:
    """The arithmetic and the dollars of each row of the cost tables."""
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*×[^|]*) \| ([\d.]+) \|$", text, re.MULTILINE)
    return {what: (arithmetic, float(usd)) for what, arithmetic, usd in rows}


def worth(arithmetic: str) -> float:
    """Products, and their sum where it says "and"; what stands behind a colon explains."""
    products = arithmetic.partition(":")[0].split(", and ")
    factors = [re.findall(r"\d[\d,]*\.?\d*", product) for product in products]
    return sum(math.prod(float(one.replace(",", "")) for one in product) for product in factors)


def test_the_arithmetic_of_the_costs_is_right() -> None:
    assert len(costs()) > 10
    for what, (arithmetic, usd) in costs().items():
        assert worth(arithmetic) == pytest.approx(usd, abs=0.009), what


def test_as_many_alarms_are_paid_for_as_there_are() -> None:
    made = resources_template(stage("dev", "s3"))["Resources"].values()
    alarms = [one for one in made if one["Type"] == "AWS::CloudWatch::Alarm"]

    assert costs()["alarms"][0] == f"{len(alarms)} × 0.10"


def test_every_kind_of_alarm_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    body = resources_template(stage("dev", "s3"))
    names = [
        one["Properties"]["AlarmName"]["Fn::Sub"]
        for one in body["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    ]

    assert names
    explained = re.findall(r"`…(-[\w-]+)`", text)
    assert not [name for name in names if not name.endswith(tuple(explained))]
    assert f"over {alarms.OLDEST_SECONDS // 60} minutes" in text
