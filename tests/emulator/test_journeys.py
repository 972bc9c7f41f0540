"""The whole service on an AWS that we did not write, every function with the rights of its own role alone."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from infra import project
from tests.emulator.conftest import ACCOUNTS, World
from tests.emulator.journey import Journey
from tests.emulator.stage import Right

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("trigger", ACCOUNTS)
def test_everything_arrives_and_nothing_is_refused(
    trigger: str, journeys: dict[str, Future[Journey]]
) -> None:
    journeys[trigger].result()


def test_the_journey_asks_for_every_route(journeys: dict[str, Future[Journey]]) -> None:
    import app

    # What is answered to GET is answered to HEAD, by the same code.
    routes = {
        (method, route) for route, methods in app.app.routes.items() for method in methods if method != "HEAD"
    }

    left = [f"{method} {route}" for method, route in sorted(routes - journeys["s3"].result().asked)]
    assert not left, f"tests/emulator/journey.py does not ask for {', '.join(left)}: give each a line there."


# What a journey does not lead to: races of a labeler or a job with a deletion, documents of more than 256 KB.
RARE = {
    "on_image_change": {"dynamodb:DeleteItem", "dynamodb:GetItem", "s3:GetObject", "s3:ListBucket"},
    "on_job_message": {
        "dynamodb:DeleteItem",
        "dynamodb:UpdateItem",
        "s3:DeleteObject",
        "s3:ListBucket",
        "sqs:ChangeMessageVisibility",
    },
    "on_s3_upload": {"dynamodb:DeleteItem", "dynamodb:Query", "s3:DeleteObject"},
    "on_sqs_message": {"s3:GetObject", "ssm:PutParameter"},  # the API has made the key before
    "on_upload_message": {"dynamodb:DeleteItem", "dynamodb:Query", "s3:DeleteObject"},
}


def test_nothing_is_allowed_that_nobody_needs(
    worlds: dict[str, World], journeys: dict[str, Future[Journey]]
) -> None:
    """Whatever is needed is missed: a journey ends as soon as a role is refused anything."""
    for journey in journeys.values():
        journey.result()
    every = {named(right, world): right for world in worlds.values() for right in world.stage.rights}
    used = {name for world in worlds.values() for name in made_use_of(world)}
    unused = [
        name
        for name, right in every.items()
        if name not in used and right.action not in RARE.get(right.function, ())
    ]

    assert not unused, "Allowed, and never needed on the journeys:\n" + "\n".join(sorted(unused))


def named(right: Right, world: World) -> str:
    """A right of both stages by one name."""
    return str(right).replace(world.stage.account, "*")


def made_use_of(world: World) -> set[str]:
    """The rights that a function of the stage has made use of."""
    used = {(function, one.action, one.resource) for function, one in world.stage.decisions() if one.allowed}
    return {named(right, world) for right in world.stage.rights if any(right.covers(*one) for one in used)}


def test_a_log_is_written_by_its_own_function_alone() -> None:
    every = project.Stage("*", "s3")
    for function in project.on_disk()["lambda_functions"]:
        [logs] = [one for one in every.policy(function)["Statement"] if one["Sid"] == "Logs"]

        assert logs["Resource"] == [f"arn:aws:logs:*:*:log-group:/aws/lambda/{every.full_name(function)}:*"]
