"""Which of two media types a client would rather have (RFC 9110 §12.5.1)."""

from __future__ import annotations

_XML = ("application/xml", "text/xml")


def prefers_xml(accept: str) -> bool:
    """Whether ``accept`` ranks XML above JSON; without a preference JSON it is."""
    ranked = dict(_ranges(accept))
    anything = ranked.get("*/*", 0.0)
    anything_applied = ranked.get("application/*", anything)
    json = ranked.get("application/json", anything_applied)
    return max(ranked.get(one, 0.0) for one in _XML) > json


def _ranges(accept: str) -> list[tuple[str, float]]:
    parts = [part.split(";") for part in accept.lower().split(",")]
    return [(name.strip(), _quality(parameters)) for name, *parameters in parts]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _number(value.strip())
    return 1.0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
