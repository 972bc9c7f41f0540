"""A neural network in an ONNX file, loaded when it is first run."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.errors import BadSetting

if TYPE_CHECKING:
    import numpy

logger = logging.getLogger("sightline.recognition.network")

# A network this small gains little from a third core, and other threads of the process want theirs.
_MOST_THREADS = 2
_ERRORS_ONLY = 3  # onnxruntime's log severity: below it are remarks that nobody can act on


class Network:
    """Runs the network in ``path``; safe to share between threads, which load it only once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session: Any = None
        self._loading = threading.Lock()

    def run(self, outputs: list[str], pixels: numpy.ndarray[Any, Any]) -> list[Any]:
        """The named outputs for ``pixels``, uint8 RGB of shape ``[n, height, width, 3]``.

        Raises :exc:`~chalicelib.errors.BadSetting` where the file or onnxruntime is missing.
        """
        answers: list[Any] = self._loaded().run(outputs, {"image": pixels})
        return answers

    def fingerprint(self) -> str:
        """Eight hexadecimal digits of the file's SHA-256, so that other weights are another version."""
        return hashlib.sha256(required(self.path).read_bytes()).hexdigest()[:8]

    def _loaded(self) -> Any:
        with self._loading:
            if self._session is None:
                self._session = _session(required(self.path))
            return self._session


def required(path: Path) -> Path:
    """``path``, or :exc:`~chalicelib.errors.BadSetting` that says what MODELS_DIR should hold."""
    if path.is_file():
        return path
    raise BadSetting(
        f"MODELS_DIR is {str(path.parent)!r}, where there is no {path.name}; "
        "it should be the folder with the embedded networks, models/ in the project."
    )


def _session(path: Path) -> Any:
    started = time.perf_counter()
    session = _runtime().InferenceSession(
        str(path), sess_options=_options(), providers=["CPUExecutionProvider"]
    )
    logger.info("loaded network=%r milliseconds=%.0f", path.name, 1000 * (time.perf_counter() - started))
    return session


def _options() -> Any:
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = min(_MOST_THREADS, _processors())
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that wait for the next image must not spin: a Lambda pays for it, a laptop heats by it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _processors() -> int:
    """How many processors this process may use; not every system tells that."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _runtime() -> Any:
    """onnxruntime, imported only where it is used: it takes longer to import than the rest of a function."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BadSetting(
            "The recogniser runs networks itself, but onnxruntime is not installed here; "
            "install requirements-onnx.txt, or deploy with `make deploy`, which brings it along."
        ) from error
    return onnxruntime
