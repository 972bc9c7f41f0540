"""What docs/clients.md shows is executed as it stands."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from tests.journeys.conftest import Service, eventually

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SHELL = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "clients.md").read_text(), re.S)
MANNERS, KNOWN, OLDER = SHELL


def run(service: Service, script: str, folder: Path) -> str:
    """What a script prints; what it leaves stays in the folder."""
    if not (folder / "photos").exists():
        shutil.copytree(ROOT / "photos", folder / "photos")
    here = {"8000": service.api, "5056": service.partner}
    script = re.sub(r"http://127\.0\.0\.1:(8000|5056)\b", lambda found: here[found[1]], script)
    done = subprocess.run(
        ["/bin/sh", "-eu"], input=script, cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_on_manners_do_what_they_are_there_for(service: Service, tmp_path: Path) -> None:
    printed = run(service, MANNERS, tmp_path)
    head, _, rest = printed.partition("\n\n")
    assert " 200 " in head.splitlines()[0]
    first, again, with_content = re.findall(r'"links":{"self":"([^"]*)"', rest)
    assert first == again != with_content
    assert "problem" not in rest


def test_the_lines_on_known_bytes_find_the_photo(service: Service, tmp_path: Path) -> None:
    """By bytes of its own: of those that others send too, the newest image may become known at any moment."""
    (tmp_path / "photos").mkdir()
    content = (ROOT / "photos" / "chelsea.jpg").read_bytes() + b"known"
    (tmp_path / "photos" / "chelsea.jpg").write_bytes(content)
    image_id = service.create(content=base64.b64encode(content).decode())["id"]
    assert service.final(image_id)["status"] == "labelled"
    digest = {"sha256": [hashlib.sha256(content).hexdigest()]}
    eventually(lambda: image_id in requests.post(f"{service.api}/images/known", json=digest, timeout=30).text)

    printed = run(service, KNOWN, tmp_path)

    known, skipped = printed.split("}]}")
    assert re.findall(r'"id":"(\w+)"', known) == [image_id]
    assert json.loads(skipped)["id"] == image_id
    assert json.loads(skipped)["status"] == "labelled"


def test_the_lines_of_older_clients_lead_to_labels_and_a_call(service: Service, tmp_path: Path) -> None:
    printed = run(service, OLDER, tmp_path)
    assert "problem" not in printed
    assert printed.count('"blob_id"') == 3
    prediction = json.loads(printed[printed.rindex('{"filename"') :])
    assert prediction["filename"] == "cat.jpg"
    assert "Cat" in [label["name"] for label in prediction["labels"]]
    blob_id = json.loads((tmp_path / "blob.json").read_text())["blob_id"]
    done = eventually(lambda: (blob := service.get(f"/blobs/{blob_id}")).get("completed_on") and blob)
    assert done["invocation_status"] == "COMPLETED"

    def calls() -> list[object]:
        hooks = service.hooks()
        return [told for one in hooks if (told := json.loads(one["body"])).get("blob_id") == blob_id]

    [told] = eventually(calls)
    assert told == {name: value for name, value in done.items() if name != "_links"}
