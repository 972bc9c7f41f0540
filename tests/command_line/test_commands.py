"""The command line as it is installed from its wheel, with a running service that asks for tokens.

Holds `client/sightline_labels/cli.py`, `client/sightline_labels/arguments.py`,
`client/sightline_labels/photo_commands.py`, `client/sightline_labels/delivery_commands.py`,
`client/sightline_labels/shell_commands.py`, `client/sightline_labels/completion.py`,
`client/sightline_labels/manual.py`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image as Picture

from local.config import ROOT, stage_config
from tests.journeys.conftest import eventually
from tests.local.process import Process, started, token_for
from tests.packets import packet, photo_with

pytestmark = pytest.mark.slow

Ran = subprocess.CompletedProcess[str]
Sightline = Callable[..., Ran]
MOST_BYTES = 80_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel brings."""
    source = shutil.copytree(ROOT / "client", tmp_path_factory.mktemp("source") / "client")
    wheels, into = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(wheels), str(source)], check=True)  # noqa: S603
    [wheel] = wheels.glob("*.whl")
    assert wheel.stat().st_size <= MOST_BYTES
    subprocess.run([*pip, "install", "--no-deps", "--target", str(into), str(wheel)], check=True)  # noqa: S603
    return into


@pytest.fixture(scope="module")
def running() -> Iterator[Process]:
    with started("--auth", "token") as process:
        yield process


@pytest.fixture(scope="module")
def anyone(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Sightline:
    """``sightline`` for somebody who has not logged in."""
    config = tmp_path_factory.mktemp("config") / "profiles.json"

    def run(*words: str, code: int = 0, **variables: str) -> Ran:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
        ran = subprocess.run(  # noqa: S603 - our own
            [str(installed / "bin" / "sightline"), *words],
            env={**kept, "PYTHONPATH": str(installed), "SIGHTLINE_CONFIG": str(config), **variables},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=installed,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    return run


@pytest.fixture(scope="module")
def sightline(anyone: Sightline, running: Process) -> Sightline:
    """The same, logged in."""
    url, token = f"http://127.0.0.1:{running.ports[0]}", token_for(running)
    assert "asks for a token" in anyone("login", url, code=1).stderr
    assert "unauthorized" in anyone("login", url, "--token", "slt_wrong", code=1).stderr
    anyone("login", url, "--token", token)
    config = Path(str(anyone.__closure__[0].cell_contents))  # type: ignore[attr-defined]
    assert config.stat().st_mode & 0o777 == 0o600
    return anyone


def documents(ran: Ran) -> list[Any]:
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def cat(sightline: Sightline, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a photo that was labelled under a name with a space."""
    folder = tmp_path_factory.mktemp("photos") / "my cat.jpg"
    # A byte more: another photo than the sample, which the service knows already.
    folder.write_bytes((ROOT / "photos" / "chelsea.jpg").read_bytes() + b"\0")
    [told] = documents(sightline("--json", "label", str(folder)))
    assert (told["file"], told["known"], told["image"]["status"]) == ("my cat.jpg", False, "labelled")
    image_id = str(told["image"]["id"])
    eventually(lambda: image_id in sightline("search", "--quiet", "my cat").stdout)
    return image_id


def test_a_folder_is_labelled_and_the_second_time_known(sightline: Sightline, cat: str) -> None:
    photos = str(ROOT / "photos")
    first = sightline("label", photos)
    assert "chelsea.jpg" in first.stdout
    assert "4 known already" in first.stdout.splitlines()[-1]
    assert first.stderr.splitlines() == [
        f"Left out: {ROOT / 'photos' / 'README.md'} (no picture)"
    ]  # and no bar


def test_it_is_found_shown_and_explained(sightline: Sightline, cat: str) -> None:
    assert cat in sightline("search", "cats", "--json").stdout
    assert "my cat.jpg" in sightline("search", "cat").stdout
    assert "my cat.jpg" in sightline("search", "-hovercraft", "cat", "--status", "labelled").stdout
    assert "Nothing found." in sightline("search", "cat", "-animal").stdout
    assert "Cat" in sightline("show", cat).stdout
    assert "It was seen with" in sightline("why", cat, "cat").stdout
    assert "Nothing found." in sightline("search", "--strict", "cat & !cat").stdout
    assert "bad-query: Column 6" in sightline("search", "--strict", "cat &&", code=1).stderr


def test_it_is_corrected_alone_and_by_a_query(sightline: Sightline, cat: str) -> None:
    assert "Breakfast" in sightline("correct", cat, "--add", "Breakfast").stdout
    eventually(lambda: "breakfast" in sightline("labels", "brea").stdout.lower())
    done = sightline("correct", "--query", "breakfast", "--add", "Morning", "--remove", "Breakfast").stdout
    assert "1 looked at, 1 changed, 0 failed" in done
    assert "+Morning" in sightline("history", cat).stdout
    assert done.split()[0] in sightline("jobs", "list", "--quiet").stdout
    assert "Name a label to --add" in sightline("correct", cat, code=1).stderr
    assert "Name images by their ids" in sightline("correct", "--add", "Morning", code=1).stderr


def test_its_caption_is_a_persons_and_its_terms_are_chosen(
    sightline: Sightline, cat: str, tmp_path: Path
) -> None:
    told = sightline("caption", cat, "A cat on a wall", "--alt", "A cat").stdout
    assert "A cat on a wall" in told
    assert "alt: A cat" in told
    assert "A cat on a wall" not in sightline("caption", cat, "--remove").stdout
    assert "Give a caption" in sightline("caption", cat, code=1).stderr
    assert "There is no vocabulary" in sightline("vocabulary").stdout
    (tmp_path / "terms.txt").write_text("# ours\nPuss = cat\n\n")
    sightline("vocabulary", "--file", str(tmp_path / "terms.txt"))
    assert sightline("vocabulary").stdout == "Puss = cat\n"
    eventually(lambda: "Puss" in sightline("show", cat).stdout)
    sightline("vocabulary", "--clear")
    eventually(lambda: "Puss" not in sightline("show", cat).stdout)


def test_it_is_written_and_downloaded(sightline: Sightline, cat: str, tmp_path: Path) -> None:
    sightline("export", "-o", str(tmp_path / "all.csv"))
    sightline("export", "--zip", "-o", str(tmp_path / "all.zip"))
    with ZipFile(tmp_path / "all.zip") as archive:
        assert any(one.startswith(cat) for one in archive.namelist())
    assert cat in (tmp_path / "all.csv").read_text()
    assert [one["id"] for one in documents(sightline("export", "--format", "jsonl"))].count(cat) == 1
    sightline("download", cat, "--to", str(tmp_path))
    sightline("download", cat, "--to", str(tmp_path))
    written = {one.name for one in tmp_path.iterdir()}
    assert written == {"all.csv", "all.zip", "my cat.jpg", f"my cat-{cat}.jpg"}
    assert (tmp_path / "my cat.jpg").read_bytes()[:-1] == (ROOT / "photos" / "chelsea.jpg").read_bytes()


def test_it_goes_to_the_bin_and_back(sightline: Sightline, cat: str) -> None:
    sightline("delete", cat)
    assert "binned" in sightline("show", cat).stdout
    assert "labelled" in sightline("restore", cat).stdout


def test_others_are_told_and_let_in(sightline: Sightline, running: Process) -> None:
    hook = f"http://127.0.0.1:{running.ports[2]}/hook"
    made = documents(sightline("--json", "subscriptions", "add", hook, "--filter", "cat"))[0]
    assert made["secret"].startswith("whsec_")
    assert "paused" in sightline("subscriptions", "pause", made["id"]).stdout
    assert "paused" not in sightline("subscriptions", "resume", made["id"]).stdout
    assert made["id"] in sightline("subscriptions", "list").stdout
    assert sightline("subscriptions", "test", made["id"]).stdout == "arrived: status 200\n"
    assert "not confirmed" in sightline("subscriptions", "confirm", made["id"], code=1).stdout
    sightline("subscriptions", "remove", made["id"])
    assert sightline("deliveries", "list").stdout
    token = sightline("tokens", "create", "--name", "phone", "--scopes", "read", "--quiet").stdout.strip()
    assert "phone" in sightline("tokens", "list").stdout
    refused = sightline("delete", "01JD3Y7V4M8B5WZ0QX6T2K9RCA", "--token", token, code=1)
    assert "scope" in refused.stderr
    assert "not-found" in sightline("show", "01JD3Y7V4M8B5WZ0QX6T2K9RCA", code=1).stderr
    assert sightline("usage").stdout.startswith("day")


def test_the_readmes_example_runs(running: Process, installed: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "client" / "README.md").read_text(), re.DOTALL)
    service = f"'http://127.0.0.1:{running.ports[0]}', '{token_for(running)}'"
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", example.replace('"http://127.0.0.1:8000"', service)],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Cat" in ran.stdout.splitlines()[0]
    assert ran.stdout.splitlines()[-1] == "not-found"


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["nonsense"], "invalid choice: 'nonsense'", 2),
        (["label"], "PATH", 2),
        (["--profile", "gone", "labels"], "There is no profile 'gone'", 1),
        (["--url", "http://127.0.0.1:9", "labels"], "Nothing answers at http://127.0.0.1:9.", 1),
        (["logout", "--profile", "gone"], "There is no profile 'gone'", 1),
    ],
)
def test_a_wrong_line_is_said_in_a_sentence(
    anyone: Sightline, words: list[str], said: str, code: int
) -> None:
    assert said in anyone(*words, code=code).stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (["sightline", "sub"], "subscriptions"),
        (["sightline", "--json", "jobs", "w"], "wait"),
        (["sightline", "search", "--str"], "--strict"),
        (["sightline", "completion", "fi"], "fish"),
    ],
)
def test_bash_completes_commands_and_options(anyone: Sightline, line: list[str], offered: str) -> None:
    script = anyone("completion", "bash").stdout
    asked = f"COMP_WORDS=({' '.join(line)}); COMP_CWORD={len(line) - 1}; _sightline; echo ${{COMPREPLY[@]}}"
    bash = shutil.which("bash")
    assert bash
    ran = subprocess.run(  # noqa: S603 - our own
        [bash, "-c", f"{script}\n{asked}"], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == (offered, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(anyone: Sightline, shell: str) -> None:
    script = anyone("completion", shell).stdout
    for name in ("subscriptions", "strict"):
        assert name in script
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not on this machine")
    ran = subprocess.run(  # noqa: S603 - our own
        [program, "-n"], input=script, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_manual_has_every_command(anyone: Sightline) -> None:
    page = anyone("manual").stdout
    for command in ("label", "subscriptions pause", "tokens create", "completion"):
        assert f".SS {command}\n" in page
    man = shutil.which("mandoc") or shutil.which("groff")
    if man:
        options = ["-Tlint", "-Wwarning"] if man.endswith("mandoc") else ["-man", "-ww", "-z"]
        ran = subprocess.run(  # noqa: S603 - our own
            [man, *options], input=page, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_labels_are_written_into_photos_or_beside_them_but_over_no_other_programs_file(
    sightline: Sightline, tmp_path: Path
) -> None:
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(ROOT / "photos" / "chelsea.jpg", tmp_path / name)
    Picture.new("RGB", (90, 90), "red").save(tmp_path / "c.png")
    (tmp_path / "b.jpg.xmp").write_text("<x:xmpmeta>another program's</x:xmpmeta>")

    ran = sightline("label", "--xmp", "sidecar", str(tmp_path), code=1)
    embedded = sightline("label", "--xmp", "embed", "--xmp-name", "photo.xmp", str(tmp_path))
    again = sightline("label", "--xmp", "embed", str(tmp_path / "a.jpg"))

    assert "b.jpg.xmp belongs to another program and was not changed." in ran.stdout
    assert "another program's" in (tmp_path / "b.jpg.xmp").read_text()
    assert "lr:hierarchicalSubject" in (tmp_path / "a.jpg.xmp").read_text()
    assert b"lr:hierarchicalSubject" in (tmp_path / "b.jpg").read_bytes()
    assert "c.png: Only JPEGs can hold labels. Its labels are beside it." in embedded.stderr
    assert (tmp_path / "c.xmp").exists()
    assert "known already" in again.stdout


def test_keywords_in_and_beside_photos_are_taken_along(sightline: Sightline, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(photo_with((ROOT / "photos" / "coffee.jpg").read_bytes(), packet("Vienna")))
    (tmp_path / "a.xmp").write_bytes(packet("Sacher"))
    [image] = documents(sightline("--json", "label", "--xmp", "embed", str(tmp_path)))
    assert {one["name"] for one in image["image"]["corrections"]} == {"Vienna", "Sacher"}
    photo.write_bytes(photo.read_bytes().replace(b"<rdf:li>Vienna</rdf:li>", b"<rdf:li>Prater</rdf:li>"))
    [again] = documents(sightline("--json", "label", str(tmp_path)))
    assert {one["name"] for one in again["image"]["corrections"]} == {"Vienna", "Sacher", "Prater"}
    assert (again["image"]["id"], again["known"]) == (image["image"]["id"], True)


def test_addresses_are_labelled_in_bulk_at_a_price_that_is_told_before(
    sightline: Sightline, cat: str, tmp_path: Path
) -> None:
    told = sightline("jobs", "label", "https://127.0.0.1:1/a.jpg", "https://127.0.0.1:1/b.jpg", "--dry-run")
    assert "2  images" in told.stdout
    assert "price: $0.00" in told.stdout
    ran = sightline("jobs", "label", "https://127.0.0.1:1/a.jpg", "--max-cost", "1", code=1)
    job_id = ran.stdout.split()[0]
    assert "1  refused" in ran.stdout
    sightline("jobs", "results", job_id, "-o", str(tmp_path / "results.jsonl"))
    [line] = [json.loads(one) for one in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert (line["source-ref"], line["outcome"]) == ("https://127.0.0.1:1/a.jpg", "refused")
    assert "job-has-ended" in sightline("jobs", "pause", job_id, code=1).stderr
    assert "own-folder" in sightline("jobs", "label", f"s3://{own_bucket()}/metadata/", code=1).stderr
    assert "A source is s3://" in sightline("jobs", "label", "photos", code=1).stderr


def own_bucket() -> str:
    return str(stage_config("api_handler").environment_variables["BUCKET"])
