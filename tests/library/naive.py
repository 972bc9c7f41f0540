"""Random libraries and queries, and the plainest possible reading of a query to compare with.

A query is made as text and read again by Python itself: each condition becomes a call, ``&``, ``|`` and
``!`` become ``and``, ``or`` and ``not``. Nothing of the code under test takes part.
"""

from __future__ import annotations

import datetime
import re

from hypothesis import strategies as st

from chalicelib.ids import first_id_of
from chalicelib.model import Box, Caption, Image, Instance, Label

NAMES = ["ant", "bee", "cat", "dog", "elk", "fox"]
START = 1_772_323_200_000  # 2026-03-01 in milliseconds
DAY = 86_400_000
STATUSES = ["awaiting_upload", "labelling", "labelled", "failed"]
FILES = ["", "IMG_1.jpg", "IMG_12.jpg", "img_2 b.jpg", "holiday/2026/one.png", "holiday/2027/two.png"]
DATES = [
    None,
    "2019-05-17T10:00:00",
    "2019-05-17T10:00:00+02:00",
    "2019-06-01T00:00:00",
    "2020-01-01T12:00:00",
]
SENTENCES = ["Total EUR 12", "an invoice", "INVOICE, total", "Eur total", "inventory: 12 éclairs", "Straße"]
SOURCES = st.sampled_from(["model", "person", "template"])
WRITTEN = [
    "invoice",
    "total",
    "total*",
    "inv*",
    "tot*",
    "eclair*",
    "strasse",
    "12",
    '"total eur"',
    '"eur tot*"',
]
PERIODS = ["2019", "2019-05", "2019-05-17", "2019-05..2019-06", "..2019", "2019-06..", "..", "2021"]
_WORD = re.compile(r'[a-z]+:"[^"]*"|"[^"]*"|[a-z]+:[^ &|()]+|[a-z]+(?:@[0-9.]+)?(?:>=[0-9]+)?|[&|!()]')


def read(lines: list[str]) -> dict[str, object]:
    """What a recogniser read: lines and the words that they consist of."""
    words = [word for line in lines for word in line.split()]
    detections = [("line", line) for line in lines] + [("word", word) for word in words]
    return {"detections": [{"type": kind, "text": text} for kind, text in detections]}


def labels() -> st.SearchStrategy[Label]:
    boxes = st.integers(0, 3).map(lambda n: (Instance(90.0, Box(0, 0, 1, 1)),) * n)
    names = st.sampled_from(NAMES)
    some = st.lists(names, max_size=2).map(tuple)
    return st.builds(
        Label,
        name=names.map(str.capitalize),
        confidence=st.sampled_from([0.0, 50.0, 89.99, 90.0, 100.0]),
        parents=some,
        aliases=some,
        instances=boxes,
    )


def images() -> st.SearchStrategy[Image]:
    return st.builds(
        Image,
        id=st.integers(0, 4 * DAY - 1).map(lambda passed: first_id_of(START + passed)),
        owner=st.just("default"),
        key=st.just("k"),
        status=st.sampled_from(STATUSES),
        filename=st.sampled_from(FILES),
        created_at=st.just(""),
        labels=st.lists(labels(), max_size=4).map(tuple),
        taken_at=st.sampled_from(DATES),
        caption=st.none() | st.builds(Caption, st.sampled_from(SENTENCES), st.just(""), SOURCES),
        text=st.none() | st.lists(st.sampled_from(SENTENCES), max_size=2).map(read),
    )


def queries() -> st.SearchStrategy[str]:
    days = st.integers(0, 4).map(lambda day: f"2026-03-{day + 1:02}")
    names = st.sampled_from(NAMES)
    conditions = st.one_of(
        names,
        names.map(lambda name: f'"{name}"'),
        st.builds("{}@{}".format, names, st.sampled_from([50, 90, 90.5])),
        st.builds("{}>={}".format, names, st.integers(1, 3)),
        st.builds("{}@{}>={}".format, names, st.just(90), st.integers(1, 2)),
        st.sampled_from(STATUSES).map("status:{}".format),
        st.sampled_from(["img", "IMG_1", "holiday/2026/", "x", "img_12.jpg", "h"]).map("filename:{}".format),
        days.map("before:{}".format),
        days.map("after:{}".format),
        st.sampled_from(["img", "one", "12", "b", "2026", "png"]).map("named:{}".format),
        st.sampled_from(PERIODS).map("taken:{}".format),
        st.sampled_from(WRITTEN).map("text:{}".format),
    )
    return st.recursive(
        conditions,
        lambda inner: st.one_of(
            inner.map("!({})".format),
            st.builds("({} & {})".format, inner, inner),
            st.builds("({} | {})".format, inner, inner),
            st.builds("{} & {}".format, inner, inner),
        ),
        max_leaves=6,
    )


def says(written: str, image: Image) -> bool:
    """What the query says of the image, read as a Python expression."""
    words = {"&": " and ", "|": " or ", "!": " not ", "(": "(", ")": ")"}
    python = "".join(words.get(word) or str(_holds(word, image)) for word in _WORD.findall(written))
    return bool(eval(python))  # noqa: S307 - only and, or, not, True, False and parentheses


def _holds(word: str, image: Image) -> bool:
    field, _, value = word.partition(":")
    match field:
        case "status":
            return image.status == value
        case "filename":
            return image.filename.lower().startswith(value.lower())
        case "named":
            words = re.split("[^a-z0-9]+", image.filename.rpartition("/")[2].lower())
            return any(word.startswith(value) for word in words)
        case "text":
            return any(_says(value.strip('"'), line) for line in _lines(image))
        case "before":
            return image.id < _first_of_day(value)
        case "after":
            return image.id >= _first_of_day(value)
        case "taken":
            first, _, last = value.partition("..") if ".." in value else (value, "", value)
            taken = (image.taken_at or "")[:19]
            return bool(taken) and taken[: len(first)] >= first and (not last or taken[: len(last)] <= last)
    name, sure, many = re.fullmatch(r'"?([a-z]+)"?(?:@([0-9.]+))?(?:>=([0-9]+))?', word).groups()  # type: ignore[union-attr]
    finders = [
        label
        for label in image.labels
        if name in {one.lower() for one in (label.name, *label.parents, *label.aliases)}
    ]
    return (
        bool(finders)
        and max(label.confidence for label in finders) >= float(sure or 0)
        and max(len(label.instances) for label in finders) >= int(many or 0)
    )


def _lines(image: Image) -> list[str]:
    shown = [image.caption.text] if image.caption and image.caption.source != "template" else []
    detections = image.text["detections"] if image.text else []
    return shown + [one["text"] for one in detections if one["type"] == "line"]


def _says(wanted: str, line: str) -> bool:
    plain = line.lower().replace("é", "e").replace("ß", "ss")
    words = re.split("[^a-z0-9]+", plain)
    return (
        re.search(rf"\b{wanted.removesuffix('*')}" + ("" if wanted.endswith("*") else r"\b"), " ".join(words))
        is not None
    )


def _first_of_day(value: str) -> str:
    day = datetime.datetime.fromisoformat(value).replace(tzinfo=datetime.UTC)
    return first_id_of(int(day.timestamp()) * 1000)
