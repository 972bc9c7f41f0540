"""What a stage's recogniser needs in its package besides the code: networks, their names, their runtime.

Chalice packages whatever lies in ``vendor/`` as it is, and knows no other way to leave anything out. So the
runtime is laid there, without what only its developers use: whole it would not fit into the 50 MB that
Lambda takes from a client directly ("Lambda quotas"), and ``chalice deploy`` has no other way.
``vendor/models`` ends up beside ``chalicelib/``, where the setting MODELS_DIR looks for ``models``. Stages
whose recogniser needs none of it do not carry it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from infra import libraries
from infra.project import Stage

LOCK = "requirements-onnx.lock"
HIERARCHY = "imagenet_hierarchy.json"
NETWORKS = ("efficientnet_lite0_int8.onnx", "efficientdet_lite0.onnx", HIERARCHY)
LICENCES = ("LICENSE-Apache-2.0.txt", "LICENSE-BSD-3-Clause.txt", "LICENSE-WordNet-3.0.txt")

# Which of the models a recogniser reads, and whether it runs them itself.
_READ = {"onnx": NETWORKS, "cascade": NETWORKS, "sagemaker": (HIERARCHY,)}
_RUN = frozenset({"onnx", "cascade"})

# What inference does not load. libonnxruntime is the same engine once more, for programs in C; Python has it
# inside onnxruntime_pybind11_state.
_LEFT_OUT = (
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "numpy/_core/_*_tests*.so",
    "numpy/f2py",
    "numpy/fft",
    "numpy/ma",
    "numpy/polynomial",
    "numpy/random",
    "numpy/testing",
    "numpy/**/tests",
    "numpy/**/*.pyi",
    "numpy/**/*.a",
    "numpy/_core/include",
)


def bring(stage: Stage, folder: Path, architecture: str) -> None:
    """Lay out in ``folder``, a copy of the project, what the stage's recogniser needs in the package.

    :raises Refused: the runtime could not be had.
    """
    vendor = folder / "vendor"
    models = _READ.get(stage.recogniser, ())
    for name in (*models, *(LICENCES if models else ())):
        _copy(stage.root / "models" / name, vendor / "models")
    if stage.recogniser in _RUN:
        # The runtime's other dependencies are for the tools that are left out.
        libraries.install(stage.root / LOCK, vendor, architecture, dependencies=False)
        libraries.leave_out(_LEFT_OUT, vendor)


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)
