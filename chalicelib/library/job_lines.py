"""The results of a job's lines: one row for each line, written once by the worker that did the line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from chalicelib.expressions import Item, Key, Put, Update
from chalicelib.ids import derived_id, new_id
from chalicelib.table import ConditionFailed, Table

LineOutcome = Literal["labelled", "copied", "known", "failed", "refused", "repeated"]
OUTCOMES: tuple[LineOutcome, ...] = get_args(LineOutcome)
KEPT_SECONDS = 90 * 86_400  # as long as a job that is done
SOURCE = "source"
ORIGIN_SECONDS = 365 * 86_400  # after the last job with this source; a later job makes a new image


@dataclass(frozen=True)
class LineResult:
    """The result of a line: its image, or a ``code`` that says why there is none.

    Outcomes: ``labelled`` cost ``micros`` (millionths of a dollar); ``copied`` has the labels of another
    image with the same bytes; ``known`` had its result before the job; ``failed`` cannot be labelled;
    ``refused`` is no image; ``repeated`` is the same object as an earlier line.
    """

    number: int
    ref: str
    outcome: LineOutcome
    image_id: str = ""
    code: str = ""
    micros: int = 0


@dataclass(frozen=True)
class Origin:
    """The image that was made from a source object, and the job and line that named the source last."""

    image_id: str
    job: str
    line: int


class Lines:
    """Reads and writes the results of lines, and the origins of images."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def get(self, owner: str, job: str, number: int) -> LineResult | None:
        """The result of a line, None if it is not done yet."""
        item = self._table.get(_key(owner, job, number))
        return None if item is None else _line(item)

    def settle(self, owner: str, job: str, line: LineResult) -> None:
        """Store the result of a line, unless it has one."""
        with contextlib.suppress(ConditionFailed):
            self._table.write(Put(_key(owner, job, line.number), self._item(line), {"outcome": None}))

    def settle_many(self, owner: str, job: str, lines: Iterable[LineResult]) -> None:
        """Store the results of lines that no other worker handles."""
        self._table.write_many([Put(_key(owner, job, one.number), self._item(one)) for one in lines])

    def between(self, owner: str, job: str, first: int, last: int) -> list[LineResult]:
        """The results of the lines from ``first`` to ``last``, both included, in order."""
        rows = self._table.query(
            _partition(owner, job), limit=last - first + 1, after=_number(first - 1), at_most=_number(last)
        )
        return [_line(row) for row in rows]

    def origin(self, owner: str, source: str, job: str, line: int) -> Origin:
        """The origin of a ``source``, with a new image id if the source is new.

        The origin is assigned to this line, unless another line of the same job has it.
        """
        key, mine = _origin_key(owner, source), Origin(new_id(), job, line)
        try:
            self._table.write(Put(key, self._origin_item(mine), {"image_id": None}))
            return mine
        except ConditionFailed as error:
            known = _origin(error.stored or self._table.get(key)) or mine
        if known.job == job:
            return known
        return self._replace(key, Origin(known.image_id, job, line), known)

    def renewed(self, owner: str, source: str, known: Origin) -> Origin:
        """The origin with a new image id, because its image was erased."""
        return self._replace(_origin_key(owner, source), Origin(new_id(), known.job, known.line), known)

    def _replace(self, key: Key, origin: Origin, known: Origin) -> Origin:
        when = {"image_id": known.image_id, "job": known.job}
        try:
            self._table.write(Update(key, set=self._origin_item(origin), when=when))
            return origin
        except ConditionFailed:
            return _origin(self._table.get(key)) or origin

    def origins(self, owner: str, sources: list[str]) -> dict[str, str]:
        """The image ids of those sources that have an origin."""
        keys = {_origin_key(owner, one): one for one in sources}
        return {keys[key]: str(item["image_id"]) for key, item in self._table.get_many(list(keys)).items()}

    def _origin_item(self, origin: Origin) -> Item:
        expires_at = int(self._now()) + ORIGIN_SECONDS
        return {
            "image_id": origin.image_id,
            "job": origin.job,
            "line": origin.line,
            "revision": new_id(),
            "expires_at": expires_at,
        }

    def _item(self, line: LineResult) -> Item:
        item: Item = {
            "outcome": line.outcome,
            "ref": line.ref,
            "image_id": line.image_id,
            "code": line.code,
            "micros": line.micros,
            "expires_at": int(self._now()) + KEPT_SECONDS,
        }
        return {name: value for name, value in item.items() if value not in ("", 0)}


def _line(row: Item) -> LineResult:
    outcome = next(one for one in OUTCOMES if one == row["outcome"])
    texts = (str(row.get("image_id", "")), str(row.get("code", "")))
    return LineResult(int(row["sk"]), str(row.get("ref", "")), outcome, *texts, int(row.get("micros", 0)))


def _origin_key(owner: str, source: str) -> Key:
    return Key(f"{owner}#{SOURCE}#{derived_id(source)}", SOURCE)


def _origin(item: Item | None) -> Origin | None:
    return Origin(str(item["image_id"]), str(item["job"]), int(item["line"])) if item else None


def _partition(owner: str, job: str) -> str:
    return f"{owner}#job#{job}#lines"


def _number(number: int) -> str:
    return f"{number:012d}"


def _key(owner: str, job: str, number: int) -> Key:
    return Key(_partition(owner, job), _number(number))
