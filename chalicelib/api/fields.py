"""Values of a request, each read with its type and its bounds."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.errors import BadRequest
from chalicelib.ids import millisecond_at, rfc3339

T = TypeVar("T")
ECHOED = 64  # characters of a client's own text that are repeated in an error
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_NOT_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line and paragraph separators


class Object(dict[str, Any]):
    """A JSON object that remembers the first key that came twice."""

    repeated: str | None = None

    @classmethod
    def of_pairs(cls, pairs: Sequence[tuple[str, Any]]) -> Object:
        """The object of its ``(key, value)`` pairs: an ``object_pairs_hook`` for :mod:`json`."""
        made = cls(pairs)
        if len(made) < len(pairs):
            made.repeated, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        return made


class Fields:
    """The fields of a JSON object.

    A getter gives ``None`` for a field that is absent, and raises :exc:`BadRequest` for one that is wrong.
    """

    def __init__(self, values: Object, known: Sequence[str]) -> None:
        self._values = values
        refuse_repeated(values, "")
        for name in values:
            if name not in known:
                raise BadRequest(
                    f"{_echo(name)} is not a field here; known are {listed(known)}.",
                    code="unknown-field",
                    pointer=pointer_to(name),
                )

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def is_null(self, name: str) -> bool:
        """Whether the field is there and null."""
        return name in self._values and self._values[name] is None

    def raw_text(self, name: str) -> str | None:
        """Any string, of any length."""
        value = self._values.get(name)
        if name in self._values and not isinstance(value, str):
            raise _bad(pointer_to(name), f"{name} must be a string")
        return value

    def line(self, name: str, *, longest: int) -> str | None:
        """One line of text: 1 to ``longest`` characters, no control characters."""
        value = self.raw_text(name)
        return value if value is None else line(value, name, pointer_to(name), longest)

    def flag(self, name: str) -> bool | None:
        """``true`` or ``false``."""
        value = self._values.get(name)
        if name in self._values and not isinstance(value, bool):
            raise _bad(pointer_to(name), f"{name} must be true or false")
        return value

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``."""
        value = self._values.get(name)
        if name not in self._values:
            return None
        # The bounds refuse NaN too, which compares false with everything. True and false are ints in Python.
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise _bad(pointer_to(name), f"{name} must be a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``; 5.0 is one, as in JSON Schema."""
        value = self.number(name, low=low, high=high)
        if value is not None and not value.is_integer():
            raise _bad(pointer_to(name), f"{name} must be a whole number from {low} to {high}")
        return value if value is None else int(value)

    def lines(self, name: str, *, most: int, longest: int) -> tuple[str, ...] | None:
        """A list of at most ``most`` lines of text."""
        value = self._values.get(name)
        if name not in self._values:
            return None
        if not isinstance(value, list) or len(value) > most:
            raise _bad(pointer_to(name), f"{name} must be a list of at most {most} strings")
        return tuple(_line(one, name, pointer_to(name, str(at)), longest) for at, one in enumerate(value))

    def choices(self, name: str, known: Sequence[str]) -> tuple[str, ...] | None:
        """A list of one or more of ``known``, in the order of ``known``."""
        chosen = self.lines(name, most=len(known), longest=ECHOED)
        if chosen is not None and not (chosen and set(chosen) <= set(known)):
            raise _bad(pointer_to(name), f"{name} must be a list of one or more of {listed(known)}")
        return None if chosen is None else tuple(one for one in known if one in chosen)

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        """One of ``known``."""
        value = self.raw_text(name)
        return value if value is None else _one_of(value, name, pointer_to(name), known)

    def moment(self, name: str) -> str | None:
        """A date or an RFC 3339 time, as RFC 3339 in UTC with milliseconds."""
        value = self.raw_text(name)
        try:
            return None if value is None else rfc3339(millisecond_at(value) / 1000)
        except ValueError:
            raise _bad(
                pointer_to(name), f"{name} must be a time like 2026-03-01T09:30:00Z or a date like 2026-03-01"
            ) from None

    def inner(self, name: str, known: Sequence[str]) -> Fields | None:
        """An object with fields of its own; an error points into it."""
        value = self._values.get(name)
        if name not in self._values:
            return None
        if not isinstance(value, Object):
            raise _bad(pointer_to(name), f"{name} must be an object")
        try:
            return Fields(value, known)
        except BadRequest as error:
            error.pointer = pointer_to(name) + (error.pointer or "")
            raise

    def text_map(
        self, name: str, *, most: int, longest_key: int, longest_value: int, most_bytes: int
    ) -> dict[str, str]:
        """An object of strings, at most ``most_bytes`` of UTF-8 in all; empty if absent."""
        value = self._values.get(name, {})
        if not isinstance(value, dict) or len(value) > most:
            raise _bad(pointer_to(name), f"{name} must be an object of at most {most} strings")
        if isinstance(value, Object):
            refuse_repeated(value, pointer_to(name))
        made = {
            line(key, f"a key of {name}", pointer_to(name, key), longest_key): _text(
                one, name, pointer_to(name, key), longest_value
            )
            for key, one in value.items()
        }
        if sum(len(key.encode()) + len(one.encode()) for key, one in made.items()) > most_bytes:
            raise _bad(pointer_to(name), f"{name} must have at most {most_bytes} bytes in all")
        return made


class Parameters:
    """The query parameters of a request."""

    def __init__(self, values: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
        self._values = values
        for name in values:
            if name not in known:
                raise BadRequest(
                    f"{_echo(name)} is not a parameter here; known are {listed(known)}.",
                    code="unknown-parameter",
                    pointer=f"?{_echo(name)}",
                )

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def lines(self, name: str, *, longest: int, most: int) -> tuple[str, ...]:
        """All values of a parameter, which may be given up to ``most`` times."""
        values = self._values.get(name, ())
        if len(values) > most:
            raise _bad(f"?{name}", f"{name} may be given {most} times at most")
        return tuple(line(value, name, f"?{name}", longest) for value in values)

    def line(self, name: str, *, longest: int) -> str | None:
        """The value of a parameter, 1 to ``longest`` characters; None if it is absent."""
        return next(iter(self.lines(name, longest=longest, most=1)), None)

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``, in ASCII digits as JSON has them."""
        text = self.line(name, longest=255)
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text) or not low <= float(text) <= high:
            raise _bad(f"?{name}", f"{name} must be a number from {low:g} to {high:g}")
        return float(text)

    def choice(self, name: str, *choices: str) -> str:
        """One of ``choices``; the first one if the parameter is absent."""
        text = self.line(name, longest=255)
        return choices[0] if text is None else _one_of(text, name, f"?{name}", choices)

    def whole(self, name: str, *, low: int, high: int, default: int) -> int:
        """A whole number from ``low`` to ``high``, in ASCII digits."""
        text = self.line(name, longest=255)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise _bad(f"?{name}", f"{name} must be a whole number from {low} to {high}")
        return int(text)


def line(value: str, name: str, pointer: str, longest: int) -> str:
    """``value``, if it is one line of 1 to ``longest`` characters; else :exc:`BadRequest` at ``pointer``."""
    if not 1 <= len(value) <= longest:
        raise _bad(pointer, f"{name} must have 1 to {longest} characters, not {len(value)}")
    if any(unicodedata.category(char) in _NOT_IN_A_LINE for char in value):
        raise _bad(pointer, f"{name} must be one line without control characters")
    return value


def _line(value: object, name: str, pointer: str, longest: int) -> str:
    if not isinstance(value, str):
        raise _bad(pointer, f"{name} must be a list of strings")
    return line(value, name, pointer, longest)


def required(value: T | None, pointer: str) -> T:
    """``value``, if it is there; else :exc:`BadRequest` at ``pointer``."""
    if value is None:
        raise BadRequest(f"{pointer[1:].capitalize()} is missing.", code="missing", pointer=pointer)
    return value


def pointer_to(*names: str) -> str:
    """The JSON Pointer (RFC 6901) to a field; a very long name is shortened."""
    return "".join("/" + shortened(name).replace("~", "~0").replace("/", "~1") for name in names)


def refuse_repeated(values: Object, inside: str) -> None:
    """Raise :exc:`BadRequest` if a key came twice: parsers disagree on which of the two counts."""
    if values.repeated is not None:
        raise BadRequest(
            f"{_echo(values.repeated)} is given twice.",
            code="repeated-field",
            pointer=inside + pointer_to(values.repeated),
        )


def listed(names: Sequence[str]) -> str:
    """The names, for use in a sentence."""
    return ", ".join(names) or "none"


def _one_of(value: str, name: str, pointer: str, known: Sequence[str]) -> str:
    if value not in known:
        raise _bad(pointer, f"{name} must be one of {listed(known)}")
    return value


def _text(value: object, name: str, pointer: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(pointer, f"a value of {name} must be a string of at most {longest} characters")
    if any(unicodedata.category(char) == "Cs" for char in value):
        raise _bad(pointer, f"a value of {name} must be text, without lone surrogates")
    return value


def _bad(pointer: str, what: str) -> BadRequest:
    return BadRequest(f"{what[0].upper()}{what[1:]}.", code="bad-value", pointer=pointer)


def _echo(text: str) -> str:
    return shortened(text).encode("utf-8", "backslashreplace").decode()


def shortened(text: str) -> str:
    """A client's own text, cut to the length that is repeated in an error."""
    return text if len(text) <= ECHOED else text[: ECHOED - 1] + "…"
