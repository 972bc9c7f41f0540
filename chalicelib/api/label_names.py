"""Reading label names from a path or a body."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from chalicelib.api.fields import Fields, line, pointer_to, required
from chalicelib.errors import BadRequest
from chalicelib.library.grammar import MOST_NAME_BYTES
from chalicelib.model import LONGEST_LABEL_NAME, normalised

IN_PATH = "{name}"  # the pointer of problems with it


def name_in_path(raw: str) -> str:
    """The label name in a path, decoded; runs of white space become one space.

    :raises BadRequest: it is not UTF-8, or not a possible name.
    """
    try:
        name = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The name in the path is not UTF-8.", code="bad-value", pointer=IN_PATH) from None
    return _tidy(name, IN_PATH)


def name_in(fields: Fields, field: str) -> str:
    """The label name in a required field."""
    pointer = pointer_to(field)
    return _tidy(required(fields.raw_text(field), pointer), pointer)


def names_in(fields: Fields, field: str, *, most: int) -> tuple[str, ...] | None:
    """The label names in an optional field."""
    names = fields.lines(field, most=most, longest=LONGEST_LABEL_NAME)
    return None if names is None else tuple(_tidied(names, field))


def _tidied(names: Iterable[str], field: str) -> Iterable[str]:
    return (_tidy(name, pointer_to(field, str(place))) for place, name in enumerate(names))


def _tidy(name: str, pointer: str) -> str:
    tidy = " ".join(line(name, "a name", pointer, LONGEST_LABEL_NAME).split())
    if not 1 <= len(normalised(tidy).encode()) <= MOST_NAME_BYTES:
        raise BadRequest("No label can have such a name.", code="bad-value", pointer=pointer)
    return tidy
