"""What an answer of the REST function takes in a warm process, without what botocore takes of it.

The function runs in this process, from API Gateway's event to its answer. Each call of botocore, a signature
among them, is timed and subtracted; the table behind it is the tests' own. Beside it a route of Chalice's
that returns the very bytes, status and headers, from the same kind of event.
"""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from chalice.app import Chalice, Response

from benchmarks.figures import Figure, Progress, median
from benchmarks.images import labels
from chalicelib.expressions import Key, decoded, encoded
from chalicelib.ids import first_id_of
from chalicelib.library.record import key_for
from chalicelib.model import Image
from chalicelib.table import Table
from local.config import Ports, enter, environment
from tests.emulator.requests import proxy_event
from tests.fakes.world import World

IMAGES = 60
ROUNDS, CALLS = 15, 40
Json = dict[str, Any]


class Client:
    """DynamoDB's client, in front of the tests' table; ``inside`` is how long it and others were at work."""

    def __init__(self, world: World) -> None:
        self._table = world.table
        self._kept: dict[str, Any] = {}
        self.inside = 0

    def timed(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same act, which counts as botocore's."""

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time_ns()
            try:
                return act(*arguments, **named)
            finally:
                self.inside += time.thread_time_ns() - began

        return call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self.timed(getattr(self, f"_{name}"))

    def _get_item(self, Key: Json, **_: Any) -> Json:  # noqa: N803 - DynamoDB's names
        item = self._table.get(_key(Key))
        return {"Item": encoded(item)} if item else {}

    def _batch_get_item(self, RequestItems: Json) -> Json:  # noqa: N803
        ((name, asked),) = RequestItems.items()
        found = self._table.get_many([_key(one) for one in asked["Keys"]])
        return {"Responses": {name: [encoded(item) for item in found.values()]}}

    def _query(self, **asked: Any) -> Json:
        kept = json.dumps(asked)
        if kept not in self._kept:
            values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
            after = asked.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
            items = self._table.query(
                values[":pk"],
                limit=asked["Limit"],
                prefix=values.get(":prefix", ""),
                at_most=values.get(":at_most"),
                after=after,
                newest_first=not asked["ScanIndexForward"],
            )
            self._kept[kept] = {"Items": [encoded(item) for item in items]}
        return self._kept[kept]

    def _put_item(self, **_: Any) -> Json:
        return {}

    def _transact_write_items(self, **_: Any) -> Json:
        return {}


def _key(wire: Json) -> Key:
    key = decoded(wire)
    return Key(str(key["pk"]), str(key["sk"]))


def figures(say: Progress) -> Iterator[Figure]:
    """A row for each kind of request."""
    enter(environment(Ports()))
    import app
    from chalicelib.wiring import services

    world, newest = _library()
    client, used = Client(world), services()
    used.table = Table(client, used.settings.table)
    signs: Any = used.objects._client
    for name in ("generate_presigned_url", "generate_presigned_post"):
        setattr(signs, name, client.timed(getattr(signs, name)))
    asked = {
        "GET /images/{id}": (proxy_event("GET", f"/images/{newest}", None, {}), 12),
        "GET /images, a list of 50": (proxy_event("GET", "/images", None, {"limit": "50"}), 120),
        "POST /images {}": (proxy_event("POST", "/images", {}, {}), 40),
    }
    for what, (event, most) in asked.items():
        say(f"warm: {what}")
        answer = app.app(dict(event), None)
        bare, same = _bare(answer, event)
        taken = [(_spent(app.app, event, client), _spent(bare, same, client)) for _ in range(ROUNDS)]
        own, least = median([one for one, _ in taken]), median([one for _, one in taken])
        yield Figure(
            f"warm, outside botocore: {what}",
            own / least,
            "×",
            beside="a bare Chalice route that returns the same bytes",
            most=most,
            detail=f"{own:.0f} µs beside {least:.0f} µs",
        )


def _spent(app: Chalice, event: Json, client: Client) -> float:
    """Microseconds of the processor for one call, without botocore's."""
    client.inside, began = 0, time.thread_time_ns()
    for _ in range(CALLS):
        app(dict(event), None)
    return (time.thread_time_ns() - began - client.inside) / CALLS / 1000


def _bare(answer: Json, event: Json) -> tuple[Chalice, Json]:
    """The least app that gives this answer, and the event that asks for it."""
    app, headers = Chalice(app_name="bare"), {**answer["headers"]}
    body, status = answer["body"], answer["statusCode"]

    @app.route("/", methods=[event["httpMethod"]])
    def same() -> Response:
        return Response(body=body, status_code=status, headers=headers)

    context = {**event["requestContext"], "resourcePath": "/"}
    return app, {**event, "resource": "/", "path": "/", "pathParameters": None, "requestContext": context}


def _library() -> tuple[World, str]:
    world, chance = World(), random.Random(3)  # noqa: S311 - the same images each time
    for number in range(IMAGES):
        image_id = first_id_of(1_767_225_600_000 + number * 60_000)
        made = Image(
            image_id, "default", key_for("default", image_id), "labelled", "p.jpg", "2026-01-01T00:00:00Z"
        )
        world.images.create(dataclasses.replace(made, labels=labels(chance)))
    world.project()
    return world, image_id
