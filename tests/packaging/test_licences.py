"""docs/licences.md lists what the wheels that are shipped have inside, and nothing of it is under the GPL."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from local.config import ROOT

TEXT = (ROOT / "docs" / "licences.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \|(?: [^|]*\|)?$", TEXT, re.M)
LICENCES = {
    name.strip(): licence.strip()
    for names, licence in ROWS
    for name in names.split(",")
    if names not in ("library", "in machine code")
}
NATIVE = re.compile(r"(?:^|/)(lib\w+?)(?:-[0-9a-f]{8})*\.so[.\d]*$")
GPL = re.compile(r"(?<![AL])GPL|(?<!Lesser )General Public License")


def shipped() -> Iterator[str]:
    """The libraries of a package, with those that they want for themselves."""
    for file in ("requirements.txt", "requirements-onnx.txt"):
        for line in (ROOT / file).read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                yield Requirement(line).name
    yield "typing-extensions"  # of python-ulid's, until 3.12


def native(name: str) -> set[str]:
    """The libraries in machine code in an installed wheel, by their names without versions and hashes."""
    files = importlib.metadata.distribution(name).files or []
    return {found[1].removesuffix("-") for file in files if (found := NATIVE.search(str(file)))}


def test_every_library_is_listed() -> None:
    listed = {name for name in LICENCES if not name.startswith("lib")}
    assert listed == {*shipped(), "chalice"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' wheels hold other files")
def test_every_library_in_machine_code_is_listed() -> None:
    listed = {name for name in LICENCES if name.startswith("lib")}
    assert listed == {one for name in shipped() for one in native(name)}


@pytest.mark.parametrize("name", sorted(LICENCES))
def test_none_is_under_the_gpl(name: str) -> None:
    assert not GPL.search(LICENCES[name].replace("GPL-3.0-or-later WITH GCC-exception-3.1", ""))


@pytest.mark.parametrize("name", sorted(shipped()))
def test_no_wheel_says_otherwise_of_itself(name: str) -> None:
    about = importlib.metadata.distribution(name).metadata
    said = [about.get("License-Expression") or "", about.get("License") or ""]
    said += [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    bundled = [one for one in importlib.metadata.files(name) or [] if one.name == "LICENSES_bundled.txt"]
    if name == "pi-heif":
        assert bundled
        said += [line for one in bundled for line in one.read_text().splitlines() if "GPL" in line]
    assert not any(GPL.search(one) for one in said), said


def test_the_wheel_that_would_bring_the_gpl_is_told_by_what_is_in_it() -> None:
    assert "libx265" in native("pillow-heif")
