"""Every command of the README and of docs/ that can run offline is executed as printed.

A fence marked ``sh`` is for that: the blocks of a document run one after the other, in one shell, beside
``make run``. A block without the mark wants an AWS account, another machine or much time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local.config import ROOT, stage_config
from tests.local.process import Process, started

pytestmark = pytest.mark.slow
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
COMMAND = re.compile(r"^\s*(?:[A-Z_]+=\S+ )*(curl|aws|base64|printf|sightline (?!completion|manual))\b", re.M)
USUAL_PORTS = ("8000", "5055", "5056")
# What a block without the mark may be, by a word in it.
ELSEWHERE = ("cloudformation", "secretsmanager", "ssm", "PAGE_BUCKET", "$TOKEN")


def blocks(document: Path) -> list[tuple[str, str]]:
    """(mark, text) of every fenced block."""
    return FENCE.findall(document.read_text("utf-8"))


def script_of(document: Path) -> str:
    return "\n".join(text for mark, text in blocks(document) if mark == "sh")


def at_ports(script: str, ports: Sequence[int]) -> str:
    """The same at the ports that the service has here; all at once, as one may begin like another."""
    here = dict(zip(USUAL_PORTS, ports, strict=True))
    usual = "|".join(USUAL_PORTS)
    return re.sub(rf"127\.0\.0\.1:({usual})\b", lambda found: f"127.0.0.1:{here[found[1]]}", script)


WITH_COMMANDS = [one for one in DOCUMENTS if script_of(one)]


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with started() as running:
        yield running


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda path: path.name)
def test_its_commands_do_what_they_are_printed_for(process: Process, document: Path, tmp_path: Path) -> None:
    script = script_of(document)
    if " aws " in script and not shutil.which("aws"):
        pytest.skip("there is no aws command here")
    script = at_ports(script, process.ports)
    shutil.copytree(ROOT / "photos", tmp_path / "photos")

    installed = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SIGHTLINE_CONFIG": str(tmp_path / "profiles.json"),
    }
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=script,
        cwd=tmp_path,
        env={**os.environ, **installed},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert "urn:sightline:problem" not in done.stdout, done.stdout
    assert done.stdout


def test_no_command_that_could_run_here_is_left_out() -> None:
    for document in DOCUMENTS:
        for mark, text in blocks(document):
            if mark != "sh" and COMMAND.search(text):
                assert any(word in text for word in ELSEWHERE), f"{document.name}: {text}"


def test_the_bucket_and_the_credentials_it_names_are_those_of_the_offline_stack() -> None:
    local = stage_config("api_handler").environment_variables
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"s3://{local['BUCKET']}/uploads/" in readme
    assert f"AWS_DEFAULT_REGION={local['AWS_REGION']}" in readme


def test_the_first_lines_of_the_readme_lead_to_a_cat(process: Process, tmp_path: Path) -> None:
    first = next(text for mark, text in blocks(ROOT / "README.md") if mark == "sh")
    shutil.copytree(ROOT / "photos", tmp_path / "photos")
    script = at_ports(first, process.ports)
    done = subprocess.run(
        ["/bin/sh", "-eu"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert '"status":"labelled"' in done.stdout
    assert '"name":"Cat"' in done.stdout
