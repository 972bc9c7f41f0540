"""docs/architecture.md is true: what it names is there, and both ways pass its steps in its order."""

from __future__ import annotations

import ast
import base64
import itertools
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import app
from chalicelib import pipeline, wiring
from chalicelib.model import Label, ObjectUploaded
from tests.api.client import Api
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices
from tests.fakes.world import CAT, s3_event
from tests.test_imports import GROUND, MAY_IMPORT

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
NAMED = re.findall(r"\[`([\w/]+\.py)`\]\(\.\./(chalicelib/[\w/]+\.py)\)(?: `([\w.]+)`)?", TEXT)


@dataclass(frozen=True)
class Step:
    """A function of a module below chalicelib, by its qualified name."""

    module: str
    function: str


def section(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def steps(heading: str) -> list[Step]:
    """The numbered steps of a way, in their order."""
    lines = re.findall(r"^(\d+)\. \[`([\w/]+\.py)`\]\(\S+\) `([\w.]+)` ", section(heading), re.MULTILINE)
    assert [int(number) for number, _, _ in lines] == list(range(1, len(lines) + 1))
    return [Step(module, function) for _, module, function in lines]


def picture(heading: str) -> str:
    [drawn] = re.findall(r"^```mermaid\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
    return drawn


@contextmanager
def watched() -> Iterator[list[Step]]:
    """Collect which functions of chalicelib are called, each when it is called first."""
    passed: dict[Step, None] = {}
    below = f"{ROOT / 'chalicelib'}/"

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(below):
            passed.setdefault(Step(code.co_filename.removeprefix(below), code.co_qualname))

    found: list[Step] = []
    before = sys.getprofile()
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
        found += passed


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    made = FakeServices(INTEGRATION_URL="https://partner.example/labels")
    made.recogniser = FakeRecogniser(Label("Cat", 93.0, parents=("Animal",)))
    made.outbound = FakeReceiver()  # type: ignore[assignment]  # another piece of the internet
    monkeypatch.setattr(wiring, "services", lambda: made)
    return made


@pytest.fixture
def api(services: FakeServices, tmp_path: Path) -> Api:
    return Api(app.app, str(tmp_path))


def send_and_be_told(api: Api, services: FakeServices) -> None:
    """A photo is sent in, labelled, projected and delivered, as the triggers do it one after the other."""
    image_id = api.handed_in(content=base64.b64encode(CAT).decode())
    key = services.images.get("default", image_id).key
    pipeline.label_or_leave(s3_event(ObjectUploaded(key, services.objects.etag(key) or "")), services)  # type: ignore[arg-type]
    services.project()
    Mail(services).run()
    assert len(services.outbound.posted) == 1


def ask(api: Api, services: FakeServices) -> None:
    found = api.get("/images?q=animal%20%26%20!dog").json_body["images"]
    assert [one["labels"][0]["name"] for one in found] == ["Cat"]


WAYS: dict[str, Callable[[Api, FakeServices], None]] = {
    "An image's way": send_and_be_told,
    "A query's way": ask,
}


@pytest.mark.parametrize("heading", WAYS)
def test_the_steps_are_passed_in_the_order_of_the_page(
    heading: str, api: Api, services: FakeServices
) -> None:
    expected = steps(heading)
    assert len(expected) > 10
    if heading != "An image's way":
        send_and_be_told(api, services)

    with watched() as passed:
        WAYS[heading](api, services)

    assert [one for one in expected if one not in passed] == []
    assert [one for one in passed if one in expected] == list(dict.fromkeys(expected))


@pytest.mark.parametrize("heading", WAYS)
def test_the_picture_shows_the_steps_of_the_list(heading: str) -> None:
    drawn = re.findall(r'\b(\d+)\["(\d+) ([\w.]+)"\]', picture(heading))

    assert [(name, number) for name, number, _ in drawn] == [
        (str(n), str(n)) for n in range(1, len(drawn) + 1)
    ]
    assert [function for _, _, function in drawn] == [one.function for one in steps(heading)]


@pytest.mark.parametrize(("shown", "path", "name"), NAMED, ids=lambda one: one)
def test_what_it_names_is_in_the_module_that_it_links(shown: str, path: str, name: str) -> None:
    assert path == f"chalicelib/{shown}"
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for part in name.split(".") if name else ():
        defined = [one for one in ast.walk(tree) if part in names_of(one)]
        assert defined, f"{path} has no {name}"
        tree = defined[0]  # type: ignore[assignment]


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    return [ast.unparse(one) for one in node.targets] if isinstance(node, ast.Assign) else []


def test_the_picture_of_the_rooms_has_the_arrows_that_imports_may_take() -> None:
    drawn = picture("The rooms")
    arrows: dict[str, set[str]] = {}
    for chain in re.findall(r"^ *([\w &]+ --> .*)$", drawn, re.MULTILINE):
        groups = [[one.strip() for one in part.split("&")] for part in chain.split("-->")]
        for sources, targets in itertools.pairwise(groups):
            for source in sources:
                arrows.setdefault(source, set()).update(targets)

    def below(room: str) -> set[str]:
        return {room}.union(*(below(one) for one in arrows.get(room, ())))

    drawn_below = {room: below(room) for room in arrows if room != "app"}
    allowed = {
        room: {"ground" if one in GROUND else one for one in targets} | {room}
        for room, targets in MAY_IMPORT.items()
        if room not in GROUND
    }
    assert drawn_below == allowed
    assert below("app") == {"app", "ground"} | set(allowed)
