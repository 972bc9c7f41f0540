"""How large the packages are that ``make package-sam`` makes, with and without the embedded networks."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Progress
from tests.packaging.workbench import set_up

MEGABYTES = {"rekognition": 10, "onnx": 45}


def figures(say: Progress) -> Iterator[Figure]:
    """A row for each of two recognisers."""
    with tempfile.TemporaryDirectory() as made:
        bench = set_up(Path(made) / "project", {"AWS_DEFAULT_REGION": "eu-west-1"}, faults=None)
        path = bench.project / ".chalice" / "config.json"
        for recogniser, most in MEGABYTES.items():
            say(f"packages: a stage with {recogniser}")
            config = json.loads(path.read_text())
            config["stages"]["dev"]["environment_variables"]["RECOGNISER"] = recogniser
            path.write_text(json.dumps(config))
            ran = bench.infra("package-sam", "--stage", "dev", "--build", made)
            if ran.returncode:
                raise RuntimeError(ran.stdout + ran.stderr)
            size = (Path(made) / "sam-dev" / "deployment.zip").stat().st_size / 1e6
            yield Figure(f"package of a stage with {recogniser}", size, "MB", most=most)
