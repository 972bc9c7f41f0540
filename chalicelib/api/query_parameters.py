"""Which images a request is about: a label query, in parameters or in the body, or a list of ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chalicelib.api.fields import Fields, Parameters
from chalicelib.api.requests import pointing_at
from chalicelib.errors import BadRequest
from chalicelib.library import grammar
from chalicelib.library.conditions import quoted
from chalicelib.library.plain_words import translated
from chalicelib.library.query import Query, parse

if TYPE_CHECKING:
    from chalicelib.wiring import Services

MOST_IDS = 100  # each takes 0.1 or 0.2 seconds of API Gateway's 29
LONGEST_ID = 26
PARAMETERS = ("q", "label", "min_confidence", "status", "filename")
MOST_LABELS = 10


def query_in(fields: Fields) -> str:
    """The text of ``q``, checked; empty if absent."""
    text = fields.line("q", longest=grammar.LONGEST)
    if text is not None:
        parse(text)
    return text or ""


def ids_in(fields: Fields) -> tuple[str, ...] | None:
    """The ids in a body that has either ``ids`` or ``q``; None if it has ``q``.

    :raises BadRequest: it has both, or neither, or the ids are wrong.
    """
    if ("ids" in fields) == ("q" in fields):
        raise BadRequest("Give either ids or q.", code="ids-or-q", pointer="")
    return fields.lines("ids", most=MOST_IDS, longest=LONGEST_ID)


def read_query(parameters: Parameters) -> Query:
    """The query of all parameters together; :exc:`BadRequest` points at the one that is wrong.

    ``min_confidence`` applies to every label in the query that has no confidence of its own.
    """
    asked = Query()
    for name, text in _written(parameters):
        with pointing_at(f"?{name}"):
            asked &= parse(text)
    return asked.at_least(parameters.number("min_confidence", low=0, high=100) or 0.0)


def read_search(parameters: Parameters, owner: str, services: Services) -> tuple[str, Query]:
    """The plain words of ``search`` as a query, first as text, then parsed; the owner's labels guide it."""
    text = parameters.line("search", longest=grammar.LONGEST)
    if text is None:
        return "", Query()
    understood = translated(text, services.labels.names(owner))
    with pointing_at("?search"):
        return understood, parse(understood)


def _written(parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Each parameter with its text in the query language."""
    q = parameters.line("q", longest=grammar.LONGEST)
    if q is not None:
        yield "q", q
    for label in parameters.lines("label", longest=grammar.LONGEST_NAME, most=MOST_LABELS):
        yield "label", quoted(label)
    for name in ("status", "filename"):
        value = parameters.line(name, longest=grammar.LONGEST_NAME)
        if value is not None:
            yield name, f"{name}:{quoted(value)}"
