"""Clients that others generate from the description: without a warning, compiled, and at work."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from local.config import ROOT
from tests.clients.conftest import PYTHON, Workshop
from tests.local.process import Process

DRIVERS = Path(__file__).parent / "drivers"
PHOTO = ROOT / "photos" / "chelsea.jpg"
SMALLEST = {
    "openapi": "3.1.0",
    "info": {"title": "Smallest", "version": "1"},
    "paths": {},
    "components": {
        "schemas": {
            "One": {"type": "object", "properties": {"a": {"type": "string"}}},
            "Names": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "propertyNames": {"minLength": 1},
            },
        }
    },
}
# A parameter called as a word of the language is given another name in it, which is what one would want.
RENAMED = re.compile(r"\(reserved word\) cannot be used as model name")


def generated(workshop: Workshop, generator: str, description: Path, folder: str) -> set[str]:
    """Let openapi-generator make a client; its warnings."""
    made = ("-i", description, "-g", generator, "-o", workshop.folder / folder)
    printed = workshop.run("openapi-generator-cli", "generate", *made)
    return set(re.findall(r"(?:WARN|ERROR) .*", printed))


def assert_no_warning(workshop: Workshop, generator: str, folder: str) -> None:
    """openapi-generator warns of OpenAPI 3.1 and of maps whose names have rules; of ours it says no more."""
    smallest = workshop.folder / "smallest.json"
    smallest.write_text(json.dumps(SMALLEST))
    always = generated(workshop, generator, smallest, "smallest")
    ours = generated(workshop, generator, workshop.description, folder)
    assert {one for one in ours - always if not RENAMED.search(one)} == set()


def drive(workshop: Workshop, service: Process, *program: str | Path, **environment: str) -> None:
    """Let a client do its work, and look whether it did."""
    api, _, partner = (f"http://127.0.0.1:{port}" for port in service.ports)
    printed = workshop.run(*program, api, PHOTO, f"{partner}/hook", **environment)
    told: Any = json.loads(printed.splitlines()[-1])
    assert "Cat" in told["labels"]
    assert told["image"] in told["found"]
    assert set(told["corrected"]) - set(told["labels"])
    assert told["secret"].startswith("whsec_")
    assert told["lines"] >= 1


def compiled(workshop: Workshop, driver: str) -> Path:
    """A driver and the client it uses, translated by the strict compiler."""
    shutil.copy(DRIVERS / f"{driver}.ts", workshop.folder)
    options = "--strict --skipLibCheck --esModuleInterop --target es2022 --module nodenext"
    found = ("--moduleResolution", "nodenext", "--outDir", f"out-{driver}")
    workshop.run("tsc", *options.split(), *found, f"{driver}.ts")
    return workshop.folder / f"out-{driver}" / f"{driver}.js"


def test_openapi_python_client(workshop: Workshop, service: Process) -> None:
    made = ("--path", workshop.description, "--output-path", workshop.folder / "sightline_attrs")
    told = ("--config", DRIVERS.parent / "openapi-python-client.yaml")
    printed = workshop.run("openapi-python-client", "generate", *made, *told, "--meta", "none")
    assert not re.search("warning|unable|error", printed, re.I), printed
    workshop.run(PYTHON, "-m", "compileall", "-q", workshop.folder / "sightline_attrs")
    models = "".join(one.read_text() for one in (workshop.folder / "sightline_attrs" / "models").glob("*.py"))
    typed = re.sub(r"^    additional_properties: .*", "", models, flags=re.M)
    assert not re.search(r"^    \w+: (.* )?Any\b", typed, re.M), "something typed came out as Any"
    drive(workshop, service, PYTHON, DRIVERS / "attrs_client.py", PYTHONPATH=str(workshop.folder))


def test_openapi_generator_for_python(workshop: Workshop, service: Process) -> None:
    assert_no_warning(workshop, "python", "pydantic")
    workshop.run(PYTHON, "-m", "compileall", "-q", workshop.folder / "pydantic" / "openapi_client")
    models = (workshop.folder / "pydantic" / "openapi_client" / "models").glob("*.py")
    typed = "".join(one.read_text() for one in models if "_response" not in one.name)
    assert not re.search(r"^    \w+: (Optional\[)?(Any|Dict\[str, Any\])", typed, re.M)
    drive(
        workshop,
        service,
        PYTHON,
        DRIVERS / "pydantic_client.py",
        PYTHONPATH=str(workshop.folder / "pydantic"),
    )


@pytest.mark.parametrize("library", ["fetch", "axios"])
def test_openapi_generator_for_typescript(workshop: Workshop, service: Process, library: str) -> None:
    assert_no_warning(workshop, f"typescript-{library}", library)
    drive(workshop, service, "node", compiled(workshop, f"{library}-client"))


def test_openapi_typescript(workshop: Workshop, service: Process) -> None:
    printed = workshop.run("openapi-typescript", workshop.description, "-o", workshop.folder / "types.d.ts")
    assert not re.search("warn|error", printed, re.I), printed
    drive(workshop, service, "node", compiled(workshop, "types-client"))


def test_linters_find_nothing(workshop: Workshop) -> None:
    rules = Path(__file__).with_name("spectral.yaml")
    printed = workshop.run("spectral", "lint", "--fail-severity", "hint", "-r", rules, workshop.description)
    assert "No results" in printed
    printed = workshop.run("redocly", "lint", "--format", "json", workshop.description)
    found = json.loads(printed[printed.index('{\n  "totals"') : printed.rindex("}") + 1])
    assert found["problems"] == []
