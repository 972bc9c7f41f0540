"""Photos and what is known of them outlive ``python -m local``, and agree at its next start.

Holds `local/reconciliation.py`, `local/persistence.py`.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from local.config import ROOT
from tests.journeys.conftest import eventually
from tests.local.process import Process, started, token_for

pytestmark = pytest.mark.slow


class User:
    """Somebody who uses a running stack over HTTP, with the token that it prints."""

    def __init__(self, process: Process) -> None:
        self.api = f"http://127.0.0.1:{process.ports[0]}"
        self.session = requests.Session()
        if found := re.search(r"Bearer (\S+)'", process.output):
            self.session.headers["Authorization"] = f"Bearer {found[1]}"

    def get(self, path: str, **params: Any) -> Any:
        answer = self.session.get(self.api + path, params=params, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def upload(self, photo: str) -> str:
        new = self.session.post(f"{self.api}/images", json={"filename": photo}, timeout=30).json()
        content = (ROOT / "photos" / photo).read_bytes()
        requests.put(new["upload"]["url"], data=content, timeout=30).raise_for_status()
        return str(new["id"])

    def status_of(self, image_id: str) -> str:
        """Where an image stands."""
        return str(self.session.get(f"{self.api}/images/{image_id}", timeout=30).json()["status"])

    def labelled(self, image_id: str) -> Any:
        eventually(lambda: self.status_of(image_id) == "labelled")
        return self.get(f"/images/{image_id}")

    def sees(self) -> dict[str, Any]:
        """All that there is to see: images with photos, labels, deliveries, subscriptions and tokens."""
        ids = [image["id"] for image in self.get("/images", limit=200)["images"]]
        links = (self.session.get(f"{self.api}/images/{one}/content", timeout=30) for one in ids)
        return {
            "images": {one: {**self.get(f"/images/{one}"), "links": None} for one in ids},
            "photos": {one: link.content for one, link in zip(ids, links, strict=True)},
            "labels": self.get("/labels", limit=200),
            "deliveries": {one: self.get(f"/images/{one}/deliveries") for one in ids},
            "subscriptions": self.get("/subscriptions"),
            "corrected": [one["id"] for one in self.get("/images", label="Breakfast")["images"]],
        }

    def all_is_told(self) -> bool:
        """Whether every delivery has come to its end."""
        ids = [image["id"] for image in self.get("/images", limit=200)["images"]]
        found = [
            one["status"] for image in ids for one in self.get(f"/images/{image}/deliveries")["deliveries"]
        ]
        return len(found) >= len(ids) and set(found) <= {"delivered", "parked", "cancelled"}

    def delivered(self, image_id: str, status: str) -> bool:
        found = self.get(f"/images/{image_id}/deliveries")["deliveries"]
        return any(one["status"] == status for one in found)


def test_everything_is_there_the_next_time_however_it_ended(tmp_path: Path) -> None:
    with started("--auth", "token", data=tmp_path) as process:
        user = User(process)
        image_id = user.upload("coffee.jpg")
        user.labelled(image_id)
        user.session.put(f"{user.api}/images/{image_id}/labels/Breakfast", timeout=30).raise_for_status()
        gone = f"http://127.0.0.1:{process.ports[2]}/nowhere"  # answers 404, so its deliveries are parked
        asked = {"url": gone, "filter": "breakfast"}
        user.session.post(f"{user.api}/subscriptions", json=asked, timeout=30).raise_for_status()
        user.session.post(f"{user.api}/images/{image_id}/relabel", json={}, timeout=30).raise_for_status()
        eventually(lambda: user.delivered(image_id, "parked"))
        user.labelled(image_id)
        copy_by_the_line(process.output)
        eventually(lambda: user.get("/images", filename="holiday/astronaut.jpg", status="labelled")["images"])
        mine = token_for(process)
        eventually(user.all_is_told)
        before = user.sees()
        assert before["corrected"] == [image_id]
        process.end(signal.SIGINT)

    for number in (signal.SIGKILL, signal.SIGINT):
        with started("--auth", "token", heir=process) as again:
            assert "6 photos are here from before" in again.output
            assert "Seen on the photos" not in again.output  # the sample photos were labelled the first time
            assert User(again).sees() == before
            returning = {"Authorization": f"Bearer {mine}"}
            address = f"http://127.0.0.1:{again.ports[0]}/images"
            assert requests.get(address, headers=returning, timeout=30).status_code == 200
            assert run(again, "--reset").returncode == 1  # not while somebody works there
            again.end(number)
            assert "Traceback" not in again.output

    done = run(again, "--reset")
    assert (done.returncode, done.stdout.partition(",")[0]) == (0, f"Removed 6 photos from {tmp_path}")
    assert {one.name for one in tmp_path.iterdir()} == {"lock"}


def test_work_goes_on_after_a_kill_and_files_and_records_agree(tmp_path: Path) -> None:
    uploads = tmp_path / "objects" / "uploads"
    with started(data=tmp_path) as process:
        user = User(process)
        [sample] = [one["id"] for one in user.get("/images", filename="rocket.jpg")["images"]]
        ids = [user.upload(photo) for photo in ("coffee.jpg", "chelsea.jpg", "rocket.jpg") * 2]
        process.end(signal.SIGKILL)
    (uploads / "~default" / sample).unlink()
    (uploads / "found").mkdir()
    shutil.copy(ROOT / "photos" / "chelsea.jpg", uploads / "found" / "cat 1.jpg")

    with started(heir=process) as again:
        user = User(again)
        eventually(lambda: user.status_of(sample) == "binned")
        [found] = eventually(lambda: user.get("/images", filename="found/cat 1.jpg")["images"])
        for image_id in (*ids, found["id"]):
            assert user.labelled(image_id)["labels"]
        again.end(signal.SIGINT)
    journal = tmp_path / "table.jsonl"
    damaged = journal.read_bytes().replace(b'"table"', b'"tabel"')
    journal.write_bytes(damaged)

    with started(heir=process) as once_more:
        user = User(once_more)
        [aside] = re.findall(r"Damaged, and set aside: (\S+)", once_more.output)
        assert Path(aside).read_bytes() == damaged
        for image_id in ids:
            assert user.labelled(image_id)["labels"]


def test_a_second_one_says_that_it_runs_and_proposes_what_is_free(tmp_path: Path) -> None:
    with started(data=tmp_path) as process:
        names = ("--port", "--aws-port", "--partner-port")
        ports = [part for pair in zip(names, map(str, process.ports), strict=True) for part in pair]
        beside, elsewhere = run(process, *ports), run(process, *ports, "--data", str(tmp_path / "other"))

    assert f"Sightline runs already at http://127.0.0.1:{process.ports[0]}/" in beside.stderr
    assert f"DATA={tmp_path}-2 " in beside.stderr
    assert "is taken by another Sightline" in elsewhere.stderr
    for ran in (beside, elsewhere):
        proposed = {int(port) for port in re.findall(r"PORT=(\d+)", ran.stderr)}
        assert (ran.returncode, len(proposed - set(process.ports))) == (1, 3)
        assert "Traceback" not in ran.stderr


def run(process: Process, *options: str) -> subprocess.CompletedProcess[str]:
    """Another ``python -m local`` with the same folder."""
    command = [sys.executable, "-m", "local", "--data", str(process.data), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def copy_by_the_line(output: str) -> None:
    """Do what the printed line says: by the command line where there is one, else by the same client."""
    [line] = [one.strip() for one in output.splitlines() if "s3 cp" in one]
    aws = shutil.which("aws")
    if aws and subprocess.run([aws, "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        subprocess.run(["/bin/sh", "-ec", line], cwd=ROOT, check=True, timeout=120)  # noqa: S603 - our own
        return
    words = shlex.split(line)
    variables = dict(word.split("=", 1) for word in words if re.match(r"AWS_\w+=", word))
    *_, photo, target = words
    bucket, _, folder = target.removeprefix("s3://").partition("/")
    script = (
        f"import boto3; boto3.client('s3', endpoint_url={words[words.index('--endpoint-url') + 1]!r})"
        f".upload_file({photo!r}, {bucket!r}, {folder + Path(photo).name!r})"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=variables, check=True, timeout=120)  # noqa: S603
