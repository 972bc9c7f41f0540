"""Where a deployment is made: a copy of the project, and a Python that Lambda still has a runtime for."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.config import ROOT

HARNESS = Path(__file__).parent / "moto_faults"
TOOLS = ("chalice", "boto3", "awslambdaric")
COPIED = (
    "app.py",
    "chalicelib",
    "infra",
    "local",
    ".chalice",
    "Makefile",
    "docs",
    "requirements.txt",
    "requirements-onnx.txt",
    "requirements-dev.txt",
    "requirements.lock",
    "requirements-onnx.lock",
    "models",
    "tests/packaging/moto_faults",
)
NEW_ENOUGH = "import sys, venv; sys.exit(sys.version_info < (3, 12))"

# `python -m infra`, as `make` starts it, but on an old Python too: these machines may have no other. Where it
# does not matter what is in a package, WITHOUT_LIBRARIES makes it a small one.
COMMAND = """
import os
import sys
from infra import checks, vendor
from infra.__main__ import main
if sys.version_info < checks.OLDEST:
    checks.OLDEST = sys.version_info[:2]
if os.environ.get("WITHOUT_LIBRARIES"):
    vendor.fill = lambda stage, folder, architecture="": (folder / "requirements.txt").write_text("")
sys.exit(main(sys.argv[1:]))
"""


# What stands in the project's virtual environment: the workbench's Python.
INTERPRETER = """#!/bin/sh
if [ "$1 $2" = "-m infra" ]; then shift 2; set -- -c '{command}' "$@"; fi
exec '{python}' "$@"
"""
REQUIREMENTS = ("requirements.txt", "requirements-onnx.txt", "requirements-dev.txt")


@dataclass(frozen=True)
class Workbench:
    """``python`` has Chalice and the app's requirements; ``project`` is a copy that may be written to."""

    python: Path
    project: Path
    environment: Mapping[str, str]

    def infra(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run what the Makefile runs, ``python -m infra``, in the project."""
        return self.run("-c", COMMAND, *arguments, **more)

    def run(self, *arguments: str, timeout: float = 600, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project, for ``timeout`` seconds at most."""
        return subprocess.run(  # noqa: S603 - our own
            [str(self.python), *arguments],
            cwd=self.project,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def follow(self, document: str, command: str) -> subprocess.CompletedProcess[str]:
        """Do what a document tells its reader to: ``command`` is a line of it as it stands."""
        assert f"\n{command}\n" in (self.project / "docs" / document).read_text(), command
        return subprocess.run(  # noqa: S603 - our own
            ["/bin/sh", "-c", command],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def libraries(self, folder: Path) -> Path:
        """Fill ``folder`` with what Lambda's runtime has, boto3 and the runtime client, and no more."""
        script = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        found = subprocess.run(  # noqa: S603
            [str(self.python), "-c", script], capture_output=True, text=True, check=True
        )
        folder.mkdir()
        for path in _files_of(("boto3", "awslambdaric"), Path(found.stdout.strip())):
            if not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
        return folder


def set_up(folder: Path, variables: Mapping[str, str], faults: Path | None = HARNESS) -> Workbench:
    """A workbench with a fresh copy of the project in ``folder``; ``faults`` translates its calls."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "deployed"))
        else:
            shutil.copy(source, target)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    pip = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    }
    path = {
        "PYTHONPATH": os.pathsep.join(str(one) for one in (faults, folder) if one),
        "RECURSION_CONFIGS": str(folder / "recursion.json"),
    }
    python = _python()
    _ready(folder, python)
    return Workbench(python, folder, {**kept, **pip, **path, **variables})


def _ready(project: Path, python: Path) -> None:
    """Have the Makefile find the environment that it would have made."""
    interpreter = project / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(INTERPRETER.format(command=COMMAND, python=python))
    interpreter.chmod(0o755)
    wanted = b"".join((project / name).read_bytes() for name in REQUIREMENTS)
    sum_ = subprocess.run(["cksum"], input=wanted, capture_output=True, check=True)  # noqa: S607
    (project / ".venv" / "requirements.cksum").write_bytes(sum_.stdout)


def _python() -> Path:
    """This Python where it is new enough, else one with what it takes to package; else this one after all."""
    if sys.version_info >= (3, 12):
        return Path(sys.executable)
    newer = next((one for one in _candidates() if _runs(one)), None)
    return _equipped(newer) if newer else Path(sys.executable)


def _candidates() -> Iterator[str]:
    yield from ("python3.13", "python3.12", "python3.14")
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from map(str, sorted(versions.glob("3.1[2-4]*/bin/python3"), reverse=True))


def _runs(candidate: str) -> bool:
    try:
        return not subprocess.run([candidate, "-c", NEW_ENOUGH], capture_output=True, check=False).returncode  # noqa: S603
    except OSError:
        return False


def _equipped(python: str) -> Path:
    """A virtual environment with the tools at our versions; made once for as long as those stay."""
    wanted = [f"{tool}=={importlib.metadata.version(tool)}" for tool in TOOLS]
    requirements = ROOT / "requirements.txt"
    state = hashlib.sha256(f"{python}{wanted}{requirements.read_text()}".encode()).hexdigest()[:12]
    venv = ROOT / "build" / f"workbench-{state}"
    venv.parent.mkdir(exist_ok=True)
    with (venv.parent / "workbench.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of several processes want it at once
        if not (venv / "ready").exists():
            _install(python, venv, requirements, wanted)
    return venv / "bin" / "python"


def _install(python: str, venv: Path, requirements: Path, wanted: list[str]) -> None:
    subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)  # noqa: S603
    install = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "-r",
        str(requirements),
        *wanted,
    ]
    subprocess.run(install, check=True)  # noqa: S603
    (venv / "ready").touch()


def _files_of(distributions: tuple[str, ...], site_packages: Path) -> Iterator[Path]:
    """The top-level files of distributions in ``site_packages`` and of all that they require."""
    waiting, seen = list(distributions), set()
    while waiting:
        name = waiting.pop()
        [found] = importlib.metadata.distributions(name=name, path=[str(site_packages)])
        seen.add(name)
        yield from {site_packages / file.parts[0] for file in found.files or [] if file.parts[0] != ".."}
        required = (one for one in found.requires or [] if "extra ==" not in one)
        names = {
            one.split(";")[0].split(" ")[0].split(">")[0].split("=")[0].split("<")[0] for one in required
        }
        waiting += sorted(names - seen)
