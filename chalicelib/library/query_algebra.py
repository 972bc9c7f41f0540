"""Conditions joined by and, or and not, each in a canonical form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from chalicelib.library.conditions import After, Before, Condition, Facts, HasStatus, Labelled
from chalicelib.model import Status


@dataclass(frozen=True)
class Not:
    """Matches if ``part`` does not."""

    part: Node

    def holds(self, facts: Facts) -> bool:
        return not self.part.holds(facts)

    def __str__(self) -> str:
        return f"!{_grouped(self.part, And, Or)}"


@dataclass(frozen=True)
class And:
    """Matches if all ``parts`` do: two or more, sorted, without duplicates, none itself an ``And``."""

    parts: tuple[Node, ...]

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return " & ".join(_grouped(part, Or) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """Matches if any of the ``parts`` does: two or more, sorted, no duplicates, none itself an ``Or``."""

    parts: tuple[Node, ...]

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


Node = Not | And | Or | Condition


def every(parts: Iterable[Node]) -> Node:
    """All of ``parts``, in canonical form."""
    flat = _flat(parts, And)
    return flat[0] if len(flat) == 1 else And(flat)


def either(parts: Iterable[Node]) -> Node:
    """Any of ``parts``, in canonical form."""
    flat = _flat(parts, Or)
    return flat[0] if len(flat) == 1 else Or(flat)


def negated(part: Node) -> Node:
    """The negation of ``part``, in canonical form."""
    return part.part if isinstance(part, Not) else Not(part)


def inward(node: Node, *, contrary: bool = False) -> Node:
    """The same query, or its negation if ``contrary``, with negations around single conditions only."""
    match node:
        case Not():
            return inward(node.part, contrary=not contrary)
        case And() | Or():
            joined = every if isinstance(node, And) is not contrary else either
            return joined([inward(part, contrary=contrary) for part in node.parts])
        case Before() if contrary:
            return After(node.millisecond)
        case After() if contrary:
            return Before(node.millisecond)
        case HasStatus(status="labelled") if contrary:  # nearly all images are: list the few others
            return either(
                [HasStatus(other) for other in get_args(Status) if other not in ("labelled", "binned")]
            )
    return Not(node) if contrary else node


def asks_for_bin(node: Node | None) -> bool:
    """Whether a query whose negations have been moved inward matches only images in the bin."""
    match node:
        case And():
            return any(map(asks_for_bin, node.parts))
        case Or():
            return all(map(asks_for_bin, node.parts))
        case HasStatus():
            return node.status == "binned"
    return False


def surer(node: Node, confidence: float) -> Node:
    """The same query, with ``confidence`` (0–100) as the default for each label without one."""
    match node:
        case And():
            return every([surer(part, confidence) for part in node.parts])
        case Or():
            return either([surer(part, confidence) for part in node.parts])
        case Not():
            return negated(surer(node.part, confidence))
        case Labelled(confidence=0):
            return dataclasses.replace(node, confidence=confidence)
    return node


def _flat(parts: Iterable[Node], kind: type[And] | type[Or]) -> tuple[Node, ...]:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    return tuple(sorted(dict.fromkeys(flat), key=str))


def _grouped(part: Node, *looser: type[And] | type[Or]) -> str:
    return f"({part})" if isinstance(part, looser) else str(part)
