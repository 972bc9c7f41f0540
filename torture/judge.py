"""Looks at everything when all is at rest, and holds it against what should have come of the stories."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.delivery_log import by_image
from chalicelib.errors import NotFound
from chalicelib.intake.objects import sidecar_key, thumbnail_key
from chalicelib.library.record import Record
from chalicelib.model import DEFAULT_OWNER
from chalicelib.pipeline.relocation import same_bytes
from chalicelib.pipeline.repair import repair
from torture.album import PARENTS, Scene, digest
from torture.partner import Arrival
from torture.people import Story
from torture.world import SUBSCRIBERS, World

MANY = 1000


@dataclass
class Verdict:
    """What a schedule came to: ``counted`` by name, and a sentence for each thing that is ``wrong``."""

    seed: int
    counted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def fault(self, kind: str, sentence: str) -> None:
        """Count something that must not be, and say what it is."""
        self.counted[kind] += 1
        self.wrong.append(f"schedule {self.seed}: {kind}: {sentence}")


def judge(world: World, stories: Sequence[Story], verdict: Verdict) -> None:
    """Look at the images, the recogniser's calls, the deliveries, the index and the counts."""
    verdict.counted["images"] += len(stories)
    deliveries: dict[str, Delivery] = {}
    for story in stories:
        record = world.quiet.images.find_by_key(story.key)
        _judge_image(world, story, record, verdict)
        if record and story.was:
            _judge_rename(world, story, record, verdict)
        if record:
            story.image_id = record.image.id
        found = _deliveries(world, story)
        deliveries.update({one.id: one for one in found})
        if record and not story.deleted:
            _judge_told(world, story, record, found, verdict)
        _judge_history(world, story, record, verdict)
    _judge_calls(world, stories, verdict)
    _judge_usage(world, stories, verdict)
    _judge_deliveries(world, deliveries, world.partner.arrivals, verdict)
    _judge_index(world, stories, verdict)


# ── images ───────────────────────────────────────────────────────────────────────────────────
def _judge_image(world: World, story: Story, record: Record | None, verdict: Verdict) -> None:
    if story.deleted:
        back = ["a record"] if record else []
        back += ["a record under its id"] if world.quiet.images.find(DEFAULT_OWNER, story.image_id) else []
        for what in (*back, *_left_of(world, story.key)):
            verdict.fault("images that came back", f"{what} of {story.key}")
        return
    if record is None or record.image.binned or not record.image.final:
        verdict.fault("images lost", f"{story.key} is {record.image.status if record else 'not there'}")
        return
    image, scene = record.image, world.album.scene(story.contents[-1])
    verdict.counted[f"images {image.status}"] += 1
    failure = image.error.code if image.error else ""
    if (failure, {one.name: one.confidence for one in image.labels}) != (
        scene.failure,
        _expected(scene, story),
    ):
        verdict.fault("results wrong", f"{story.key} has {failure} {image.labels}, not {scene}")
    fewest, most = 1 + story.wishes, len(story.contents) + story.wishes + story.maybe
    if not (fewest if len(story.contents) == 1 else 1) <= image.result <= most:
        verdict.fault("results doubled", f"{story.key} has {image.result}, not {fewest} to {most}")
    verdict.counted["results"] += image.result
    if _sidecar(world, story) != json.loads(json.dumps(image.document())):
        verdict.fault("results wrong", f"the sidecar of {story.key} says otherwise")


def _judge_rename(world: World, story: Story, record: Record, verdict: Verdict) -> None:
    """It is the same image under its new key alone, and nobody took the copy for another."""
    verdict.counted["images renamed"] += 1
    image = record.image
    if image.id != story.image_id:
        verdict.fault("renames wrong", f"{story.was} was {story.image_id}, {story.key} is {image.id}")
    alike = {one.image.id for one in same_bytes(image.sha256 or "", DEFAULT_OWNER, world.quiet)}
    if alike != {image.id}:
        verdict.fault("renames wrong", f"{len(alike)} images have the bytes of {story.key}")
    left = [*_left_of(world, story.was), *(["a record"] if world.quiet.images.find_by_key(story.was) else [])]
    if left:
        verdict.fault("renames wrong", f"{left} is left of {story.was}, which is {story.key} now")
    if not world.quiet.objects.etag(thumbnail_key(story.key)):
        verdict.fault("renames wrong", f"{story.key} has no thumbnail")


def _sidecar(world: World, story: Story) -> object:
    """What stands beside the photo; None where nothing does."""
    try:
        return json.loads(world.quiet.objects.read(sidecar_key(story.key), max_bytes=10**8).content or b"")
    except NotFound:
        return None


def _expected(scene: Scene, story: Story) -> dict[str, float]:
    return (
        {**scene.labels, **dict.fromkeys(story.said, 100.0)}
        if not scene.failure
        else (dict.fromkeys(story.said, 100.0))
    )


def _left_of(world: World, key: str) -> Iterator[str]:
    """What lies in the bucket of an image that is not under this key any more."""
    for name in (key, sidecar_key(key), thumbnail_key(key)):
        if world.quiet.objects.etag(name):
            yield name


# ── history and usage ────────────────────────────────────────────────────────────────────────
def _judge_history(world: World, story: Story, record: Record | None, verdict: Verdict) -> None:
    """Every result has its step and the last one is the image as it is; of what was deleted none is left."""
    if not story.image_id:
        return
    steps = world.quiet.history.of(DEFAULT_OWNER, story.image_id)
    if record is None or story.deleted:
        if steps:
            verdict.fault("history wrong", f"{len(steps)} steps of {story.key}, which was deleted")
        return
    image = record.image
    results = sorted(step.result for step in steps)
    if results != list(range(1, image.result + 1)):
        verdict.fault("history wrong", f"{story.key} has {image.result} results and steps for {results}")
    elif steps and steps[0].labels != {one.name: round(one.confidence, 2) for one in image.labels}:
        verdict.fault("history wrong", f"the last step of {story.key} is {steps[0].labels}")


def _judge_usage(world: World, stories: Sequence[Story], verdict: Verdict) -> None:
    """Every image counts once, those that were deleted at the most, the copy for a rename perhaps, too.

    No more calls count than were made.
    """
    days = world.quiet.usage.days(DEFAULT_OWNER, "2000", "3000", most=MANY)
    images, there = sum(day.images for day in days), sum(not story.deleted for story in stories)
    if not there <= images <= len(stories) + sum(bool(story.was) for story in stories):
        verdict.fault("usage wrong", f"{images} images are counted, {there} are there of {len(stories)}")
    calls = sum(sum(day.calls.values()) for day in days)
    if calls > len(world.seer.heard):
        verdict.fault("usage wrong", f"{calls} calls are counted, {len(world.seer.heard)} were made")


# ── the recogniser ───────────────────────────────────────────────────────────────────────────
def _judge_calls(world: World, stories: Sequence[Story], verdict: Verdict) -> None:
    """Every photo is asked about once; again for another wish, or where nobody uses the answer any more."""
    wanted: Counter[str] = Counter()
    for story in stories:
        for content in map(digest, story.contents):
            again = story.wishes + story.maybe + story.deleted + len(story.contents) - 1
            own = 1 if world.album.scene_of(content).refused_as else 0
            wanted[content] += again + own
    heard = defaultdict(list)
    for trace in world.seer.heard:
        heard[trace.what].append(trace)
    verdict.counted["recogniser calls answered"] += len(world.seer.heard)
    for content, traces in heard.items():
        most = wanted[content] + (0 if world.album.scene_of(content).refused_as else 1)
        extra = max(0, len(traces) - most)
        died = sum(one.worker_died for one in traces)
        broke = sum(one.outage and not one.worker_died for one in traces)
        after_crashes = min(extra, died)
        after_outages = min(extra - after_crashes, broke)
        verdict.counted["extra calls after crashes"] += after_crashes
        verdict.counted["extra calls after outages"] += after_outages
        if extra > died + broke:
            verdict.fault("extra calls unexplained", f"{len(traces)} for a photo, not {most}")


# ── deliveries ───────────────────────────────────────────────────────────────────────────────
def _deliveries(world: World, story: Story) -> list[Delivery]:
    if not story.image_id:
        return []
    page = world.quiet.deliveries.page(DEFAULT_OWNER, by_image(story.image_id), limit=MANY, after=None)
    return list(page.deliveries)


def _judge_told(
    world: World, story: Story, record: Record, found: Sequence[Delivery], verdict: Verdict
) -> None:
    """Everyone who wants to know of the present result has been told, or it is parked."""
    # Nobody here asked to be told of the way into the bin and out of it.
    told = record.image.result - 2 * bool(record.image.restored_at)
    present = {one.destination: one for one in found if one.result == told}
    for destination in _wanted(world, record):
        status = present[destination].status if destination in present else "missing"
        if status not in ("delivered", "parked"):
            verdict.fault("deliveries lost", f"{destination} of {story.key} is {status}")


def _wanted(world: World, record: Record) -> Iterator[str]:
    yield "integration"
    if record.image.callback_url:
        yield "callback"
    for one in world.quiet.subscriptions.all(DEFAULT_OWNER):
        names = {name for label in record.image.labels for name in (label.name, *label.parents)}
        if SUBSCRIBERS[one.url] in {name.lower() for name in names}:
            yield one.id


def _judge_deliveries(
    world: World, log: dict[str, Delivery], arrivals: Sequence[Arrival], verdict: Verdict
) -> None:
    came = defaultdict(list)
    for arrival in arrivals:
        came[arrival.id].append(arrival)
        found = None if arrival.id in log else world.quiet.deliveries.find(DEFAULT_OWNER, arrival.id)
        if found:  # of the copy that was made for a rename: its image is no more
            log[found.id] = found
        if arrival.id in log and log[arrival.id].image_id.encode() not in arrival.body:
            verdict.fault("deliveries wrong", f"{arrival.id} tells of another image")
    for name in came.keys() - log.keys():
        verdict.fault("deliveries unaccounted", f"{name} came and nobody knows of it")
    same = Counter((one.image_id, one.result, one.destination) for one in log.values())
    for key, times in same.items():
        if times > 1:
            verdict.fault("deliveries doubled", f"{times} of {key}")
    for delivery in log.values():
        verdict.counted["deliveries"] += 1
        verdict.counted[f"deliveries {delivery.status}"] += 1
        _judge_delivery(delivery, came[delivery.id], verdict)


def _judge_delivery(delivery: Delivery, came: Sequence[Arrival], verdict: Verdict) -> None:
    taken = [one for one in came if one.taken]
    if delivery.status == "pending" or (delivery.status != "delivered" and not delivery.reason):
        verdict.fault("deliveries unaccounted", f"{delivery.id} is {delivery.status}")
    if delivery.status == "delivered" and not taken:
        verdict.fault("deliveries unaccounted", f"{delivery.id} is said to have arrived")
    verdict.counted["deliveries felt"] += bool(taken)
    for arrival in taken[:-1]:
        verdict.counted["taken again"] += 1
        if arrival.status < 0:
            verdict.counted["taken again: the receiver's answer was lost"] += 1
        elif arrival.trace.worker_died:
            verdict.counted["taken again: the worker died before it could note it"] += 1
        elif arrival.trace.outage:
            verdict.counted["taken again: an outage kept it from being noted"] += 1
        else:
            verdict.fault("sent again without need", delivery.id)


# ── index and counts ─────────────────────────────────────────────────────────────────────────
def _judge_index(world: World, stories: Sequence[Story], verdict: Verdict) -> None:
    for fault in repair(DEFAULT_OWNER, world.quiet, mend=False):
        verdict.fault("index faults", str(fault))
    exact: Counter[str] = Counter()
    for story in stories:
        if not story.deleted:
            names = _expected(world.album.scene(story.contents[-1]), story)
            exact.update({term.lower() for name in names for term in (name, *PARENTS.get(name, ()))})
    page = world.quiet.labels.by_name(DEFAULT_OWNER, prefix="", limit=200, after=None)
    shown = {one.name: one.count for one in page.counts}
    for name in exact.keys() | shown.keys():
        if shown.get(name, 0) != exact[name]:
            verdict.fault("counts wrong", f"{name}: {shown.get(name, 0)}, not {exact[name]}")


# ── dead letters ─────────────────────────────────────────────────────────────────────────────
def judge_dead_letters(world: World, left: Counter[str], nonsense: Counter[str], verdict: Verdict) -> None:
    """What is left is nonsense, and what came along with it: a batch fails whole, though all was done."""
    for body, times in (nonsense - left).items():
        verdict.fault("dead letters wrong", f"{times} of {body} have gone")
    for body in (left - nonsense).elements():
        delivery = _delivery_in(world, body)
        verdict.counted["dead letters about what was settled"] += 1
        if delivery and delivery.status == "pending":
            verdict.fault("dead letters wrong", body)


def _delivery_in(world: World, body: str) -> Delivery | None:
    message = json.loads(body)
    return world.quiet.deliveries.find(message["owner"], message["delivery_id"])
