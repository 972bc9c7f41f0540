"""What a stage's recogniser needs in its package besides the code: networks, their names, their runtime.

Chalice packages whatever lies in ``vendor/`` as it is, and knows no other way to leave anything out. So the
runtime is laid there, without what only its developers use: whole it would not fit into the 50 MB that
Lambda takes from a client directly ("Lambda quotas"), and ``chalice deploy`` has no other way.
``vendor/models`` ends up beside ``chalicelib/``, where the setting MODELS_DIR looks for ``models``. Stages
whose recogniser needs none of it do not carry it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.project import Refused, Stage

HIERARCHY = "imagenet_hierarchy.json"
NETWORKS = ("efficientnet_lite0_int8.onnx", "efficientdet_lite0.onnx", HIERARCHY)
LICENCES = ("LICENSE-Apache-2.0.txt", "LICENSE-BSD-3-Clause.txt", "LICENSE-WordNet-3.0.txt")

# Which of the models a recogniser reads, and whether it runs them itself.
_READ = {"onnx": NETWORKS, "cascade": NETWORKS, "sagemaker": (HIERARCHY,)}
_RUN = frozenset({"onnx", "cascade"})

# Lambda's Python 3.12 and newer has glibc 2.34: wheels for any of these run there.
_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux2014")
_MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}

# What inference does not load. libonnxruntime is the same engine once more, for programs in C; Python has it
# inside onnxruntime_pybind11_state.
_LEFT_OUT = (
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "numpy/f2py",
    "numpy/**/tests",
    "numpy/**/*.pyi",
    "numpy/**/*.a",
    "numpy/_core/include",
    "bin",
)


def bring(stage: Stage, folder: Path, architecture: str = "") -> None:
    """Lay out in ``folder``, a copy of the project, what the stage's recogniser needs in the package.

    For functions of this Python's version, on ``architecture`` (x86_64 or arm64; empty: the stage's).

    :raises Refused: the runtime could not be had.
    """
    vendor = folder / "vendor"
    models = _READ.get(stage.recogniser, ())
    for name in (*models, *(LICENCES if models else ())):
        _copy(stage.root / "models" / name, vendor / "models")
    if stage.recogniser in _RUN:
        _install(stage.root / "requirements-onnx.txt", vendor, architecture or stage.architecture)
        _remove(path for pattern in _LEFT_OUT for path in vendor.glob(pattern))


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)


def _install(requirements: Path, vendor: Path, architecture: str) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    platforms = (word for one in _GLIBC for word in ("--platform", f"{one}_{_MACHINE[architecture]}"))
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(vendor)]
    # The runtime's other dependencies are for the tools that are left out.
    chosen = ["--no-deps", "--only-binary=:all:", "--python-version", version, *platforms]
    command = [sys.executable, "-m", "pip", "install", *options, *chosen, "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise Refused(f"The networks' runtime could not be packaged for Python {version}: {done.stderr}")


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
