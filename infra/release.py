"""``make release-check``: whether what is committed can be released as its version.

Prints one line for each thing that is in the way and exits with 1, or says how to tag the release. The quick
checks come first; the package is built, and ``make check`` runs, only where they find nothing.
"""

from __future__ import annotations

import ast
import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from infra.project import ROOT

Check = Callable[[Path], Iterator[str]]
SERVICE, CLIENT = "chalicelib/__init__.py", "client/sightline_labels/__init__.py"
OPENAPI = "chalicelib/api/openapi/service.json"
REQUIREMENTS = ("requirements", "requirements-onnx")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MOST_BYTES_OF_WHEEL = 80_000
FIGURES = "docs/speed.md"
TOLERANCE = (
    0.01  # of a package's size, beside what the documentation says: compilers and zips differ a little
)
_PACKAGE = re.compile(r"^\| package of a stage with rekognition \| ([\d.]+) MB \| ≤ ([\d.]+) ", re.MULTILINE)
_NAMED = re.compile(
    r"`((?:chalicelib|local|infra|tests|benchmarks|torture|client|examples|sagemaker)[./][\w./-]+\.\w+|\w+\.py)`"
)
_HEADING = re.compile(r"^## (?:\[([^]]+)\] - (\d{4}-\d\d-\d\d)|(.+))$", re.MULTILINE)


def main(root: Path = ROOT) -> int:
    """Check what is in ``root``; 1 where something is in the way of a release."""
    found = [line for check in QUICK for line in check(root)]
    if found:
        found.append("The package was not built and make check was not run: mend the above first.")
    else:
        for check, name in LONG.items():
            sys.stdout.write(f"… {name}\n")
            sys.stdout.flush()
            found += check(root)
    if found:
        sys.stderr.write("".join(f"{line}\n" for line in found))
        return 1
    version = _assigned(root / SERVICE)
    sys.stdout.write(f"{version} can be released: git tag v{version}\n")
    return 0


def tree(root: Path) -> Iterator[str]:
    """Everything is committed, nothing of a merge is left, and the version was not released before."""
    if changed := _git(root, "status", "--porcelain").splitlines():
        yield f"Not everything is committed: {', '.join(line[3:] for line in changed)}."
    for name in _git(root, "grep", "-lE", "^(<{7}|>{7}) ").splitlines():
        yield f"{name} has the marks of a merge conflict."
    tag = f"v{_assigned(root / SERVICE)}"
    tagged = _git(root, "rev-parse", "--quiet", "--verify", f"refs/tags/{tag}^{{commit}}")
    if tagged and tagged != _git(root, "rev-parse", "HEAD"):
        yield f"The tag {tag} stands on another commit: raise the version."


def versions(root: Path) -> Iterator[str]:
    """The service and the client say the same version, each in one place."""
    version = _assigned(root / SERVICE)
    if (of_client := _assigned(root / CLIENT)) != version:
        yield f"{CLIENT} says {of_client}, and {SERVICE} {version}."
    for name in ("pyproject.toml", "client/pyproject.toml"):
        if said := tomllib.loads((root / name).read_text("utf-8"))["project"].get("version"):
            yield f"{name} says a version of its own, {said}: it should be dynamic."
    for said in sorted(set(_examples(json.loads((root / OPENAPI).read_text("utf-8")))) - {version}):
        yield f"{OPENAPI} shows version {said}, and it is {version}."


def changelog(root: Path) -> Iterator[str]:
    """The newest section is that of the version, with a date, and nothing waits above it."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    version = _assigned(root / SERVICE)
    headings = list(_HEADING.finditer(text))
    dated = [one for one in headings if one[1]]
    if not dated or dated[0][1] != version:
        yield f"CHANGELOG.md has no section `## [{version}] - {_today()}` on top."
    elif dated[0][2] > _today():
        yield f"CHANGELOG.md dates {version} {dated[0][2]}, which is still to come."
    for one in headings:
        waiting = text[one.end() :].split("\n## ")[0].count("\n- ")
        if not one[1] and (one[3] != "Unreleased" or waiting):
            yield f"CHANGELOG.md has {waiting} entries under {one[3]!r}, which is no version with a date."


def locks(root: Path) -> Iterator[str]:
    """The lock files pin what the requirements name, for every Python."""
    for name in REQUIREMENTS:
        required = [line for line in _lines(root / f"{name}.txt") if not line.startswith(("#", "-"))]
        locked = list(_locked(root, name))
        differ = [one for one in PYTHONS if _installed(required, one) != _installed(locked, one)]
        if differ:
            yield f"{name}.lock does not fit {name}.txt for Python {', '.join(differ)}: run make lock."


def links(root: Path) -> Iterator[str]:
    """Links to files and headings lead there, and paths and modules in back-ticks are there."""
    pages = _git(root, "ls-files", "*.md").splitlines()
    for page in pages:
        path = root / page
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(path)):
            file, _, heading = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            aim = (path.parent / file).resolve() if file else path
            if not aim.exists():
                yield f"{page} links to {target}, which is not there."
            elif heading and aim.suffix == ".md" and heading not in _anchors(aim):
                yield f"{page} links to {target}, and there is no such heading."
        if page != "CHANGELOG.md":  # which names what was there
            named = set(_NAMED.findall(path.read_text("utf-8")))
            yield from (
                f"{page} names {one}, which is not there." for one in sorted(named) if not _there(root, one)
            )


def wheel(root: Path) -> Iterator[str]:
    """The client's wheel can be built and is small."""
    with tempfile.TemporaryDirectory() as folder:
        source = (
            Path(folder) / "client"
        )  # a copy: what setuptools leaves beside it would be in the next wheel
        shutil.copytree(root / "client", source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder]
        ran = _run(root, *build, str(source))
        made = list(Path(folder).glob("*.whl"))
        if ran.returncode or not made:
            yield "The client's wheel cannot be built: `pip wheel ./client` says why."
        elif (size := made[0].stat().st_size) > MOST_BYTES_OF_WHEEL:
            yield f"The client's wheel has {size} bytes, and may have {MOST_BYTES_OF_WHEEL}."


def package(root: Path) -> Iterator[str]:
    """A stage with Rekognition can be packaged, within its bound, and the documentation says its size."""
    row = _PACKAGE.search((root / FIGURES).read_text("utf-8"))
    if not row:
        yield f"{FIGURES} has no row for the package of a stage with rekognition: run make bench CHART=1."
        return
    said, most = float(row[1]), float(row[2])
    with tempfile.TemporaryDirectory() as folder:
        ran = _run(root, sys.executable, "-m", "infra", "package-sam", "--stage", "prod", "--build", folder)
        made = Path(folder) / "sam-prod" / "deployment.zip"
        if ran.returncode or not made.exists():
            yield f"The package cannot be built: {_last_line(ran.stderr)}"
            return
        size = made.stat().st_size / 1e6
    if size > most:
        yield f"The package has {size:.2f} MB, and may have {most:g} MB."
    if abs(size - said) > TOLERANCE * said:
        yield f"The package has {size:.2f} MB, and {FIGURES} says {said:g} MB: run make bench CHART=1."


def suite(root: Path) -> Iterator[str]:
    """``make check`` is green; each test that is not is named."""
    ran = _run(root, "make", "--no-print-directory", "check")
    if ran.returncode:
        named = re.findall(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
        yield from (f"make check fails: {one}" for one in named or [_last_line(ran.stdout or ran.stderr)])


QUICK: tuple[Check, ...] = (tree, versions, changelog, locks, links, wheel)
LONG: dict[Check, str] = {package: "building the package", suite: "make check, some minutes"}


def _assigned(path: Path) -> str:
    """What a module assigns to ``__version__``."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    return "nothing"


def _examples(described: Any) -> Iterator[str]:
    """The versions that examples of an OpenAPI description show."""
    if isinstance(described, dict):
        shown = described.get("example")
        if isinstance(shown, dict) and "version" in shown:
            yield str(shown["version"])
    for one in described.values() if isinstance(described, dict) else described:
        if isinstance(one, dict | list):
            yield from _examples(one)


def _locked(root: Path, name: str) -> Iterator[str]:
    """What a lock file pins because the requirements name it, not for the sake of something else there."""
    for entry in re.split(r"\n(?=\S)", (root / f"{name}.lock").read_text("utf-8")):
        if re.search(rf"-r {name}\.txt$", entry, re.MULTILINE):
            yield entry.splitlines()[0].rstrip(" \\")


def _installed(requirements: list[str], python: str) -> dict[str, str]:
    """Which versions a Python gets, by name."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    wanted = [Requirement(one) for one in requirements]
    return {
        one.name: str(one.specifier) for one in wanted if not one.marker or one.marker.evaluate(environment)
    }


def _lines(path: Path) -> list[str]:
    return [line.split("  #")[0] for line in path.read_text("utf-8").splitlines() if line]


def _prose(path: Path) -> str:
    """A page without its code, where brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "", _without_blocks(path))


def _without_blocks(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def _there(root: Path, named: str) -> bool:
    """Whether a path is there, a file somewhere, or a module by its dotted name and what follows it."""
    if "/" in named:
        return (root / named).exists()
    if named.endswith(".py"):
        return bool(_git(root, "ls-files", f"*/{named}", named))
    parts = named.split(".")
    return any((root / "/".join(parts[:end])).with_suffix(".py").exists() for end in range(1, len(parts) + 1))


def _anchors(path: Path) -> set[str]:
    """What GitHub makes of a page's headings: small letters, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", _without_blocks(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _git(root: Path, *arguments: str) -> str:
    return _run(root, "git", *arguments).stdout.rstrip("\n")


def _run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def _last_line(said: str) -> str:
    """Where a command says what went wrong."""
    return next(iter(reversed(said.strip().splitlines())), "nothing is said of the reason")


if __name__ == "__main__":
    sys.exit(main())
