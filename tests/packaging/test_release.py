"""What is in the way of a release is said, a line each; each check is broken once.

Holds `infra/release.py`. The project here is made up: the least that the command reads.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra import release
from local.config import ROOT

VERSION = '__version__ = "1.2.3"\n'
FILES = {
    "chalicelib/__init__.py": VERSION,
    "client/sightline_labels/__init__.py": VERSION,
    "client/pyproject.toml": '[project]\nname = "client"\ndynamic = ["version"]\n',
    "pyproject.toml": '[project]\nname = "service"\ndynamic = ["version"]\n',
    "chalicelib/api/openapi/service.json": '{"content": [{"example": {"version": "1.2.3"}}]}',
    "CHANGELOG.md": "# Changelog\n\n## [1.2.3] - 2026-01-31\n\n- A line.\n\n## [1.2.2] - 2025-01-01\n",
    "requirements.txt": "# What Lambda gets.\nidna==3.20\n",
    "requirements.lock": "# made\nidna==3.20 \\\n    --hash=sha256:1\n    # via -r requirements.txt\n",
    "requirements-onnx.txt": "numpy==2.4.6  # to compute\n",
    "requirements-onnx.lock": "numpy==2.4.6 \\\n    --hash=sha256:2\n    # via -r requirements-onnx.txt\n",
    "README.md": "# A title\n\n[Speed](docs/speed.md#what-costs-what) `[no](link)`\n",
    "docs/speed.md": "## What costs what?\n\n| package of a stage with rekognition | 2.00 MB | ≤ 3 ✓ |\n",
    "Makefile": "check:\n\t@echo 12 passed\n",
    ".gitignore": "__pycache__\n",
    "infra/__init__.py": "",
}
# What stands for `python -m infra package-sam`: writes a package of so many bytes.
PACKAGE = """
import sys
from pathlib import Path
folder = Path(sys.argv[-1]) / "sam-prod"
folder.mkdir()
(folder / "deployment.zip").write_bytes(bytes({size}))
"""


def git(project: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True)  # noqa: S603, S607


def write(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    # Python takes a file of the same second and the same length for the one that it has compiled.
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that can be released as 1.2.3."""
    for name, text in FILES.items():
        write(tmp_path, name, text)
    write(tmp_path, "infra/__main__.py", PACKAGE.format(size=2_000_000))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "All of it")
    return tmp_path


def found(check: release.Check, project: Path) -> list[str]:
    return list(check(project))


QUICK = [one for one in release.QUICK if one is not release.wheel]
BROKEN: list[tuple[release.Check, str, str, str]] = [
    (release.tree, "stray.txt", "", "Not everything is committed: stray.txt."),
    (release.tree, "README.md", "<<<<<<< a\n", "README.md has the marks of a merge conflict."),
    (release.versions, "client/sightline_labels/__init__.py", '__version__ = "1"', "__init__.py says 1, and"),
    (release.versions, "client/sightline_labels/__init__.py", "", "__init__.py says nothing, and"),
    (
        release.versions,
        "pyproject.toml",
        '[project]\nversion = "1.2.3"',
        "pyproject.toml says a version of its",
    ),
    (
        release.versions,
        "chalicelib/api/openapi/service.json",
        '{"example": {"version": "1.2"}}',
        "shows version 1.2, and it is 1.2.3.",
    ),
    (release.changelog, "CHANGELOG.md", "## [1.2.2] - 2026-01-31\n", "no section `## [1.2.3] - 2"),
    (release.changelog, "CHANGELOG.md", "## [1.2.3] - 9026-01-31\n", "which is still to come."),
    (
        release.changelog,
        "CHANGELOG.md",
        "## Unreleased\n\n- A\n- B\n\n## [1.2.3] - 2026-01-31\n",
        "has 2 entries under 'Unreleased'",
    ),
    (
        release.changelog,
        "CHANGELOG.md",
        "## [1.2.3] - 2026-01-31\n\n## 1.2.2\n",
        "under '1.2.2', which is no",
    ),
    (
        release.locks,
        "requirements.txt",
        "idna==3.21\n",
        "requirements.lock does not fit requirements.txt for",
    ),
    (
        release.locks,
        "requirements-onnx.txt",
        'numpy==2.4.6\nonnx==1; python_version < "3.12"\n',
        "requirements-onnx.lock does not fit requirements-onnx.txt for Python 3.11: run make lock.",
    ),
    (release.links, "README.md", "[gone](docs/gone.md)\n", "README.md links to docs/gone.md, which is not"),
    (release.links, "README.md", "[gone](docs/speed.md#gone)\n", "docs/speed.md#gone, and there is no such"),
    (release.links, "README.md", "See `infra/gone.py`.\n", "README.md names infra/gone.py, which is not"),
    (release.links, "README.md", "See `gone.py`.\n", "README.md names gone.py, which is not"),
    (release.links, "README.md", "See `infra.gone.Thing`.\n", "README.md names infra.gone.Thing, which is"),
    (release.package, "infra/__main__.py", PACKAGE.format(size=3_000_001), "may have 3 MB."),
    (
        release.package,
        "infra/__main__.py",
        PACKAGE.format(size=2_100_000),
        "2.10 MB, and docs/speed.md says 2",
    ),
    (release.package, "infra/__main__.py", "raise SystemExit('No.')", "The package cannot be built: No."),
    (release.package, "docs/speed.md", "", "docs/speed.md has no row for the package"),
    (release.suite, "Makefile", "check:\n\t@echo 1 failed; false\n", "make check fails: 1 failed"),
    (release.suite, "Makefile", "check:\n\t@echo FAILED a.py::b - c; false\n", "make check fails: a.py::b"),
]


@pytest.mark.parametrize(
    ("check", "name", "text", "said"), BROKEN, ids=[f"{one[0].__name__}: {one[3]}" for one in BROKEN]
)
def test_what_is_in_the_way_is_said_in_one_line(
    project: Path, check: release.Check, name: str, text: str, said: str
) -> None:
    assert found(check, project) == []

    write(project, name, text)

    lines = [line for line in found(check, project) if said in line]
    assert len(lines) == 1
    assert "\n" not in lines[0]


def test_a_version_that_was_released_is_not_released_again(project: Path) -> None:
    git(project, "tag", "v1.2.3")
    assert found(release.tree, project) == []

    git(project, "commit", "-qm", "More", "--allow-empty")

    assert found(release.tree, project) == ["The tag v1.2.3 stands on another commit: raise the version."]


@pytest.fixture
def with_client(project: Path) -> Iterator[Path]:
    """The same with the client as it is here."""
    shutil.rmtree(project / "client")
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "client", project / "client", ignore=ignored)
    return project


@pytest.mark.slow  # pip fetches setuptools each time
def test_the_clients_wheel_is_built_and_weighed(with_client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(release.wheel, with_client) == []
    monkeypatch.setattr(release, "MOST_BYTES_OF_WHEEL", 10_000)
    [line] = found(release.wheel, with_client)
    assert line.endswith("and may have 10000.")
    write(with_client, "client/pyproject.toml", "[project]\nname = 3\n")
    [line] = found(release.wheel, with_client)
    assert line.startswith("The client's wheel cannot be built: ")


def command(project: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = release.main(project)
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_says_how_to_release_or_why_not(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "QUICK", QUICK)
    status, out, err = command(project, capsys)
    assert (status, out.splitlines()[-1], err) == (0, "1.2.3 can be released: git tag v1.2.3", "")

    write(project, "Makefile", "check:\n\t@echo 1 failed; false\n")
    git(project, "commit", "-qam", "Break it")
    status, out, err = command(project, capsys)
    assert (status, err) == (1, "make check fails: 1 failed\n")
    assert "released" not in out

    write(project, "stray.txt", "")
    assert command(project, capsys) == (
        1,
        "",
        "Not everything is committed: stray.txt.\n"
        "The package was not built and make check was not run: mend the above first.\n",
    )


@pytest.mark.parametrize(
    "check", [release.versions, release.locks, release.links], ids=lambda one: one.__name__
)
def test_this_project_passes_what_holds_between_releases_too(check: Callable[[Path], Iterator[str]]) -> None:
    assert list(check(ROOT)) == []
