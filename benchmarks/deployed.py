"""A stage as it is deployed, with moto in AWS's place, and new processes that take one event each.

The stage is made by ``make deploy`` itself, so what is measured is the code of the package. The peers are
packaged by ``chalice package`` and find the same libraries, boto3 as Lambda has it and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.config import ROOT, Ports, enter, environment
from local.moto_server import LocalAws
from local.partner import PATH, Partner
from tests.packaging.cloud import empty_account, quiet, variables
from tests.packaging.conftest import described
from tests.packaging.functions import Running
from tests.packaging.journey import Stage, started
from tests.packaging.workbench import Workbench, set_up

Json = dict[str, Any]
PHOTO = (ROOT / "photos" / "chelsea.jpg").read_bytes()
# As Lambda does for a function: import the module, find the handler in it, call that with the event.
CALL = """
import sys
libraries, module, handler, out = sys.argv[1:]
sys.path[:] = ["", *sys.path, libraries]
import importlib, json, time
class Context:
    aws_request_id = "r"
    function_name = handler
    def get_remaining_time_in_millis(self):
        return 50000
function = getattr(importlib.import_module(module), handler)
ready = time.process_time()
answer = function(json.load(sys.stdin), Context())
seconds = time.process_time()
json.dump({"ready": ready, "seconds": seconds, "answer": answer}, open(int(out), "w"))
"""


@dataclass(frozen=True)
class Spent:
    """Seconds of the processor that a new process took for one event, those until it was ready among them."""

    ready: float
    seconds: float
    answer: Any


@dataclass(frozen=True)
class DeployedStage:
    """Where functions run: ``stage`` has long-lived ones, :meth:`anew` starts one for a single event."""

    stage: Stage
    bench: Workbench
    libraries: Path
    around: Mapping[str, str]
    folder: Path
    partner: str

    def anew(self, code: Path, handler: str, event: Json, told: Mapping[str, str]) -> Spent:
        """What the first event takes in a new process, whose code cannot be written to, as on Lambda."""
        module, _, name = handler.rpartition(".")
        read, write = os.pipe()
        command = [str(self.bench.python), "-I", "-S", "-B", "-c", CALL, str(self.libraries), module, name]
        with os.fdopen(read) as answer:
            child = subprocess.Popen(  # noqa: S603 - our own
                [*command, str(write)],
                cwd=code,
                env={**self.around, **told},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[write],
                text=True,
            )
            os.close(write)
            _, said = child.communicate(json.dumps(event), timeout=60)
            if child.returncode:
                raise RuntimeError(f"{handler} in {code} failed: {said}")
            return Spent(**json.load(answer))

    def ours(self, name: str, event: Json) -> Spent:
        """The same for one of the stage's functions."""
        function: Running = self.stage.functions[name]
        deployed = function._function
        return self.anew(deployed.code, deployed.handler, event, deployed.variables)


@contextmanager
def place() -> Iterator[DeployedStage]:
    """A stage on which an integration partner is told of every image."""
    enter(environment(Ports()))  # the app tells which routes there are
    with (
        tempfile.TemporaryDirectory() as made,
        empty_account() as aws,
        Partner().serve(0) as office,
    ):
        folder = Path(made)
        bench = set_up(folder / "project", variables(aws))
        _choose(bench.project / ".chalice" / "config.json", aws, office.url + PATH, office.port)
        ran = bench.follow("deploy.md", "make deploy STAGE=dev")
        if ran.returncode:
            raise RuntimeError(ran.stdout + ran.stderr)
        deployment = described(bench, aws)
        quiet(aws, deployment.outputs["Bucket"])
        (folder / "dev").mkdir()
        with started(
            deployment.functions, deployment.outputs, aws, bench, folder / "dev", Partner()
        ) as stage:
            around = {**variables(aws), "AWS_ENDPOINT_URL_REKOGNITION": stage.rekognition.url}
            yield DeployedStage(stage, bench, folder / "dev" / "libraries", around, folder, office.url + PATH)


def _choose(path: Path, aws: LocalAws, partner: str, port: int) -> None:
    config = json.loads(path.read_text())
    config["stages"]["dev"]["environment_variables"].update(
        INTEGRATION_URL=partner, ALLOW_PRIVATE_URLS="true", ALLOWED_PORTS=f"80,443,{port}"
    )
    path.write_text(json.dumps(config))


def packaged(place: DeployedStage) -> Path:
    """What Chalice packages of an app of one file: that, and its own runtime."""
    project, code = place.folder / "peer", place.folder / "peer-code"
    (project / ".chalice").mkdir(parents=True)
    (project / "app.py").write_text(
        "import chalice\napp = chalice.Chalice(app_name='peer')\napp.route('/')(lambda: {})\n"
    )
    (project / "requirements.txt").write_text("")
    config = {"version": "2.0", "app_name": "peer", "stages": {"dev": {}}}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))
    chalice = "import sys; from chalice.cli import main; sys.exit(main())"
    arguments = ("--project-dir", str(project), "package", str(project / "made"))
    ran = place.bench.run("-B", "-c", chalice, *arguments)
    if ran.returncode:
        raise RuntimeError(ran.stdout + ran.stderr)
    zipfile.ZipFile(project / "made" / "deployment.zip").extractall(code)
    return code
