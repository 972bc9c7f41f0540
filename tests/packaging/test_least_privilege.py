"""Each function may do what it does, and nothing else: its calls on the deployed code against its policy."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from chalicelib.ids import new_id
from infra.project import Stage as Configured
from infra.project import on_disk
from local.config import ROOT, stage_config
from local.server import Server
from tests.packaging import privileges
from tests.packaging.functions import Call, Failed
from tests.packaging.journey import Stage
from tests.packaging.privileges import Need
from tests.packaging.tour import Tour as Guide

pytestmark = pytest.mark.slow
LABELERS = ("on_s3_upload", "on_upload_message")
FUNCTIONS = tuple(on_disk()["lambda_functions"])


@dataclass(frozen=True)
class Tour:
    """The routes that were asked for, and what each function needed on the way."""

    asked: set[tuple[str, str]]
    needed: dict[str, set[Need]]


@pytest.fixture(scope="module")
def tour(dev: Stage, office: Server) -> Tour:
    dev.forget()
    guide = Guide(dev, f"{office.url}/labels")
    guide.go()
    for labeler in LABELERS:
        classify(dev, labeler)
    calls = {name: function.calls for name, function in dev.functions.items()}
    calls["check_token"] = let_in(dev)
    return Tour(guide.asked, {name: privileges.needs(made) for name, made in calls.items()})


def let_in(stage: Stage) -> list[Call]:
    """Somebody asks with a token, where a stage wants one."""
    arn = "arn:aws:execute-api:eu-west-1:123456789012:api/api/GET/images"
    made_up = f"Bearer sightline.default.{new_id()}.secret"
    with stage.functions["api_handler"].called("check_token", AUTH="token") as door:
        with pytest.raises(Failed, match="Unauthorized"):
            door({"type": "TOKEN", "authorizationToken": made_up, "methodArn": arn})
        return door.calls


def classify(stage: Stage, labeler: str) -> None:
    """The same with an endpoint of one's own, which is another stage's choice."""
    key = f"uploads/classified-by-{labeler}.jpg"
    stage.put(key, (ROOT / "photos" / "coffee.jpg").read_bytes() + labeler.encode())
    chosen = {"SAGEMAKER_ENDPOINT": "sightline-dev", "MODELS_DIR": str(ROOT / "models")}
    with stage.functions[labeler].chosen(RECOGNISER="sagemaker", **chosen) as other:
        stage.put_to(other, labeler, key)


def test_the_tour_goes_everywhere(tour: Tour) -> None:
    import app

    routes = {(method, route) for route, methods in app.app.routes.items() for method in methods}

    left = [f"{method} {route}" for method, route in sorted(routes - tour.asked)]
    assert not left, f"tests/packaging/tour.py does not ask for {', '.join(left)}: give each a line there."


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_missing_from_a_policy(tour: Tour, function: str) -> None:
    path = ROOT / ".chalice" / stage_config(function).iam_policy_file
    calls = tour.needed[function]

    lacking = [
        f"{action} on {arn}"
        for action, arn in sorted(privileges.missing(json.loads(path.read_text()), calls))
    ]

    assert calls
    assert not lacking, f"{function} calls what .chalice/{path.name} does not allow: {'; '.join(lacking)}."


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_in_a_policy_is_unused(tour: Tour, function: str) -> None:
    path = ROOT / ".chalice" / stage_config(function).iam_policy_file

    spare = privileges.unused(json.loads(path.read_text()), tour.needed[function])

    said = [f"{action} on {pattern}" for action, pattern in sorted(spare)]
    assert not said, f".chalice/{path.name} allows what {function} never did on the tour: {'; '.join(said)}."


def test_a_log_is_written_by_its_own_function_alone() -> None:
    for function in on_disk()["lambda_functions"]:
        stage = Configured("*", "s3")
        [logs] = [one for one in stage.policy(function)["Statement"] if one["Sid"] == "Logs"]

        assert logs["Resource"] == [f"arn:aws:logs:*:*:log-group:/aws/lambda/{stage.full_name(function)}:*"]
