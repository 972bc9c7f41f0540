"""Those who hand photos in, replace them, take them away, want another look, know better."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib import pipeline
from chalicelib.errors import Conflict, NotFound, Permanent
from chalicelib.library.record import Record, key_for
from chalicelib.model import DEFAULT_OWNER, Asked, NewImage
from chalicelib.pipeline.curation import LabelEdit
from torture.album import Album
from torture.platform import Script, Step
from torture.world import World

WINDOW = 900.0  # seconds within which all photos come
PATIENCE = 20.0  # seconds before somebody asks again
LONGEST_PATIENCE = 30 * 86_400.0  # then they take the image for lost
NAMES = ("holiday/{}.png", "a b+c/{}.png", "Füße/{}.png", "{}.png")
CALLBACKS = (*["ok"] * 8, "refuses", "dead")
Asking = Generator[Step, BaseException | None, BaseException | None]


@dataclass
class Story:
    """What somebody did with one image: ``contents`` are the photos put under ``key``, in order.

    ``wishes`` counts the other looks that were promised, ``maybe`` what may have led
    to one more result. What is ``deleted`` or taken away is erased in the end: at once, or by the sweep after
    its days in the bin. ``said`` are the names of labels that a person has added. Of one that was renamed
    ``was`` is the key that it had before, ``image_id`` the id that it is to keep.
    """

    number: int
    key: str
    contents: list[bytes]
    image_id: str = ""
    callback: str | None = None
    deleted: bool = False
    wishes: int = 0
    maybe: int = 0
    said: list[str] = field(default_factory=list)
    was: str = ""


class GivenUp(Exception):
    """Somebody has waited in vain for an image."""


class People:
    """Everybody's stories, drawn by the seed; ``stories`` fill up while they are played."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = random.Random(f"{world.seed}:people")  # noqa: S311 - no secret
        self.stories: list[Story] = []

    def scripts(self, images: int) -> list[Script]:
        """One for each image."""
        return [self._script(number) for number in range(images)]

    def _script(self, number: int) -> Script:
        content = _some(self._chance, self._world.album)
        way = self._chance.choices([self._drop, self._announce, self._hand_in], [6, 2, 2])[0]
        deeds = [self._replace, self._delete, self._take_away, self._rename]
        deeds += [self._look_again, self._know_better]
        after = self._chance.choices([None, *deeds], [58, 8, 8, 4, 6, 8, 8])[0]
        if after in (self._take_away, self._rename):  # a copy elsewhere would be taken for the same photo
            content = self._world.album.alone()
        # All throws are made before anything runs: the interleaving cannot change them.
        own = random.Random(self._chance.random())  # noqa: S311 - no secret
        return self._played(Story(number, "", [content]), way, after, own)

    def _played(
        self,
        story: Story,
        way: Callable[[Story, random.Random], Script],
        after: Callable[[Story, random.Random], Script] | None,
        own: random.Random,
    ) -> Script:
        self.stories.append(story)
        yield own.uniform(0, WINDOW)
        yield from way(story, own)
        if after:
            yield own.choice([0.0, own.uniform(0, 10), own.uniform(0, WINDOW)])
            with suppress(GivenUp):
                yield from after(story, own)

    # ── the ways in ──────────────────────────────────────────────────────────────────────────
    def _drop(self, story: Story, own: random.Random) -> Script:
        story.key = "uploads/" + own.choice(NAMES).format(story.number)
        self._put(story)
        yield 0.0

    def _announce(self, story: Story, own: random.Random) -> Script:
        new = self._new(story, own)
        yield from self._insist(lambda: pipeline.await_upload(new, DEFAULT_OWNER, self._world.services))
        yield own.uniform(0, 30)
        self._put(story)

    def _hand_in(self, story: Story, own: random.Random) -> Script:
        new, content = self._new(story, own), story.contents[0]
        yield from self._insist(lambda: pipeline.take_in(content, new, DEFAULT_OWNER, self._world.services))

    def _new(self, story: Story, own: random.Random) -> NewImage:
        if own.random() < 0.6:
            story.callback = f"https://callback.example/{own.choice(CALLBACKS)}/{story.number}"
        new = NewImage(filename=f"{story.number}.png", callback_url=story.callback)
        story.image_id, story.key = new.id, key_for(DEFAULT_OWNER, new.id)
        return new

    # ── what comes after ─────────────────────────────────────────────────────────────────────
    def _replace(self, story: Story, own: random.Random) -> Script:
        story.contents.append(_some(own, self._world.album))
        self._put(story)
        yield 0.0

    def _delete(self, story: Story, own: random.Random) -> Script:
        image = (yield from self._found(story)).image
        fate, services = own.choice(["erased", "binned", "restored"]), self._world.services
        if fate == "erased":
            yield from self._insist(lambda: self._erase(image.id))
        else:
            yield from self._insist(lambda: pipeline.delete_image(DEFAULT_OWNER, image.id, services))
        if fate != "restored":
            story.deleted = True
            return
        yield own.uniform(0, 30)
        yield from self._insist(lambda: pipeline.restore_image(DEFAULT_OWNER, image.id, services))
        story.maybe += 2  # going and coming are results where there was one before

    def _take_away(self, story: Story, own: random.Random) -> Script:
        """Out of the bucket, without a word to the service."""
        yield from self._found(story, final=True)
        bucket = self._world.services.settings.bucket
        self._world.cloud.client("s3").delete_object(Bucket=bucket, Key=story.key)
        story.deleted = True

    def _rename(self, story: Story, own: random.Random) -> Script:
        """As S3's clients do it: a copy, and then the original goes; some have corrected the image before."""
        if own.random() < 0.5:
            yield from self._know_better(story, own)
        yield from self._found(story, final=True)
        bucket, s3 = self._world.services.settings.bucket, self._world.cloud.client("s3")
        story.was, story.key = story.key, f"uploads/renamed {story.number}/" + own.choice(["ä.png", "b.png"])
        s3.copy_object(Bucket=bucket, CopySource={"Bucket": bucket, "Key": story.was}, Key=story.key)
        yield own.choice([0.0, own.uniform(0, 30)])
        s3.delete_object(Bucket=bucket, Key=story.was)
        story.maybe += 2  # it may have been missing meanwhile

    def _erase(self, image_id: str) -> None:
        with suppress(NotFound):  # a try that broke off has done it
            pipeline.delete_image(DEFAULT_OWNER, image_id, self._world.services, permanent=True)

    def _look_again(self, story: Story, own: random.Random) -> Script:
        image = (yield from self._found(story, final=True)).image
        answer = yield from self._insist(
            lambda: pipeline.relabel(DEFAULT_OWNER, image.id, Asked(), self._world.services), story
        )
        story.wishes += answer is None

    def _know_better(self, story: Story, own: random.Random) -> Script:
        image = (yield from self._found(story)).image
        words = [LabelEdit("Masterpiece", True)]
        yield from self._insist(
            lambda: pipeline.correct(DEFAULT_OWNER, image.id, words, self._world.services)
        )
        story.said.append("Masterpiece")
        story.maybe += 1  # it is a result of its own only where there was one already

    # ── how they do it ───────────────────────────────────────────────────────────────────────
    def _put(self, story: Story) -> None:
        bucket = self._world.services.settings.bucket
        self._world.cloud.client("s3").put_object(Bucket=bucket, Key=story.key, Body=story.contents[-1])

    def _found(self, story: Story, *, final: bool = False) -> Generator[Step, BaseException | None, Record]:
        patience = PATIENCE
        while True:
            record = self._world.quiet.images.find_by_key(story.key)
            if record and (record.image.final or not final):
                story.image_id = record.image.id
                return record
            if patience > LONGEST_PATIENCE:
                raise GivenUp(story.key)
            yield patience
            patience *= 2

    def _insist(self, request: Callable[[], object], wish: Story | None = None) -> Asking:
        """Make a request again and again until there is an answer: None for a good one.

        What broke off of a ``wish`` may have been carried out all the same.
        """
        broken = 0
        while True:
            error = yield request
            if error is None:
                return None
            if isinstance(error, Conflict) and broken:  # what broke off was carried out
                return error
            if isinstance(error, Permanent) and not isinstance(error, Conflict):
                raise error
            if not isinstance(error, Conflict):
                broken += 1
                if wish:
                    wish.maybe += 1
            yield PATIENCE


def _some(chance: random.Random, album: Album) -> bytes:
    make = chance.choices([album.photo, album.refused, album.no_photo], [84, 8, 8])[0]
    return make()
