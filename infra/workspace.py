"""A copy of just what is packaged, with a stage's real values in its configuration.

Chalice packages whatever lies in the project's folder, and takes names from a file that is the same for
every account. Here is a folder with nothing stray in it, where the outputs of a stage's resources are
recorded and every policy is narrowed to that stage. The project's own files stay as they are.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.policies import Location, narrowed
from infra.project import Json, Stage, on_disk

_STRAY = shutil.ignore_patterns("__pycache__", "*.pyc", "deployed", "deployments", ".*_cache", ".DS_Store")


@dataclass(frozen=True)
class Choices:
    """What is decided when a stage is packaged.

    ``variables`` are laid over the stage's own; ``place`` narrows the policies (None: they stay as they
    are, for a template that narrows them itself); ``architecture`` is x86_64 or arm64 (empty: the stage's);
    without ``reserve`` no function gets concurrency of its own, whatever the stage says.
    """

    variables: Mapping[str, str]
    place: Location | None = None
    architecture: str = ""
    reserve: bool = True


def lay_out(stage: Stage, folder: Path) -> Path:
    """Fill ``folder``, which is emptied first, with what is packaged; answers it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("app.py", "requirements.txt"):
        shutil.copy(stage.root / name, folder)
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(stage.root / name, folder / name, ignore=_STRAY)
    return folder


def remember(folder: Path, stage: Stage, resources: list[Json]) -> None:
    """Have Chalice know in such a copy what has been deployed of the stage."""
    path = _memory(folder, stage)
    path.parent.mkdir(exist_ok=True)
    write_json(path, {"resources": resources, "schema_version": "2.0", "backend": "api"})


def remembered(folder: Path, stage: Stage) -> list[Json]:
    """What Chalice has deployed of the stage from such a copy."""
    return list(json.loads(_memory(folder, stage).read_text(encoding="utf-8"))["resources"])


def _memory(folder: Path, stage: Stage) -> Path:
    return folder / ".chalice" / "deployed" / f"{stage.name}.json"


def configure(stage: Stage, folder: Path, choices: Choices) -> None:
    """Write what was chosen into the configuration and the policies of such a copy."""
    write_json(folder / ".chalice" / "config.json", _configured(stage, choices))
    if choices.place:
        for function in stage.functions:
            path = folder / ".chalice" / stage.config(function).iam_policy_file
            write_json(path, narrowed(stage.policy(function), choices.place))


def _configured(stage: Stage, choices: Choices) -> Json:
    whole = on_disk(stage.root)
    of_stage = dict(whole["stages"][stage.name])
    of_stage.pop("log_retention_in_days", None)  # the logs belong to the resources
    of_stage["environment_variables"] = {
        **of_stage.get("environment_variables", {}),
        "STAGE": stage.name,
        "UPLOAD_TRIGGER": stage.trigger,
        # Every route sets the flag (infra/event_sources.py). Between a first `chalice deploy` and that, a
        # report is lost, and with it a message of a stage that nobody uses yet: the sweep makes up for it.
        "PARTIAL_BATCHES": "true",
        **choices.variables,
    }
    if choices.reserve:
        functions = dict(of_stage.get("lambda_functions", {}))
        for function, number in stage.reserved.items():
            functions[function] = {**functions.get(function, {}), "reserved_concurrency": number}
        of_stage["lambda_functions"] = functions
    if choices.architecture:
        of_stage["lambda_architecture"] = choices.architecture
    return {**whole, "stages": {stage.name: of_stage}}


def write_json(path: Path, content: Json) -> None:
    """Write a JSON file, readable in a diff."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
