"""Limits on how much of a kind there is: they hold however many ask at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib import pipeline, quotas
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.errors import Conflict, TooManyRequests
from chalicelib.export.listings import write_listing
from chalicelib.ids import new_id
from chalicelib.library.query import Query
from tests.fakes.world import World

AT_ONCE = 160


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was too slow tries again at once, which makes it harder."""
    monkeypatch.setattr(quotas, "TRIES", 1000)
    monkeypatch.setattr(quotas.time, "sleep", lambda seconds: None)


def token(world: World) -> object:
    return world.tokens.issue("anna", ["read"], days=1)


def subscription(world: World) -> object:
    made = Subscription(new_id(), "anna", "https://r.example/", "2026-01-01T00:00:00.000Z")
    return pipeline.subscribe(made, world)  # type: ignore[arg-type]


def job(world: World) -> object:
    return pipeline.start("anna", "relabel", {"q": ""}, world)  # type: ignore[arg-type]


@pytest.mark.parametrize(("make", "most"), [(token, 100), (subscription, 100), (job, 10)])
def test_a_limit_holds_under_160_requests_at_once(make: Callable[[World], object], most: int) -> None:
    world = World()

    def tried(_: int) -> bool:
        try:
            make(world)
        except (Conflict, TooManyRequests):
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        made = list(pool.map(tried, range(AT_ONCE)))
    assert sum(made) == most


def test_a_subscription_that_was_refused_leaves_no_secret() -> None:
    world = World()
    for _ in range(100):
        subscription(world)
    with pytest.raises(Conflict):
        subscription(world)
    assert len(world.table.items_of_kind("secret")) == 100


def test_a_job_that_is_done_makes_room() -> None:
    world = World()
    jobs = [pipeline.start("anna", "relabel", {"q": ""}, world) for _ in range(10)]  # type: ignore[arg-type]
    with pytest.raises(TooManyRequests) as refused:
        job(world)
    assert (refused.value.code, refused.value.retry_after) == ("too-many-jobs", 30)
    assert pipeline.start("bert", "relabel", {"q": ""}, world)  # type: ignore[arg-type]
    again = pipeline.start("anna", "relabel", {"q": ""}, world, jobs[0].id)  # type: ignore[arg-type]
    assert again.id == jobs[0].id  # a repeated request gets the job that it began
    world.jobs.save(dataclasses.replace(jobs[0], status="done"))
    job(world)


def test_four_exports_of_an_owner_are_written_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    inside: list[int] = []

    def export(depth: int) -> None:
        write_listing("anna", Query(), "csv", world, clock=lambda: again(depth))  # type: ignore[arg-type]

    def again(depth: int) -> float:
        """While one is being written, another is begun."""
        if depth not in inside:
            inside.append(depth)
            export(depth + 1)
        return 0.0

    with pytest.raises(TooManyRequests) as refused:
        export(0)
    assert (len(inside), refused.value.code) == (4, "too-many-exports")
    world.project()
    assert world.table.query("anna#exporting", limit=10) == []
