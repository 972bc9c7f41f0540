"""Parses the answer of a language model, and trusts none of it.

The answer may be cut off, wrapped in prose or markup, preceded by reasoning, in another language or about
something else. Whatever is complete in it is read; what is no name of a thing is left out. With a closed
vocabulary no other label comes out, whatever the answer says.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.errors import RecogniserRefused
from chalicelib.model import LONGEST_ALT, LONGEST_CAPTION, Caption, Json, Label, Terms, normalised
from chalicelib.recognition.hierarchy import title
from chalicelib.recognition.prompt import BANDS

MOST_TAKEN = 50  # labels
LONGEST_NAME = 60  # characters
MOST_WORDS = 6  # of a name: more are a sentence
MOST_READ = 100_000  # characters of an answer
_OBJECTS_TRIED = 50

_REASONING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(r"\{[^{}]{1,300}\}")
_TAGS = re.compile(r"<[^<>]*>|[<>]")
_NAMELESS = re.compile(r"[<>{}\[\]\\|`]|://")
# Marks that reorder or hide text. Joiners within words stay: some scripts are written with them.
_HIDDEN = frozenset("\u200b\u200e\u200f\u2028\u2029\ufeff" + "".join(map(chr, range(0x202A, 0x202F))))
_ISOLATES = frozenset(map(chr, range(0x2060, 0x2070)))
_UNWRITTEN = frozenset({"Cc", "Cs", "Co", "Cn"})
_KIND = r"(?:close[- ]?up )?(?:image|photo(?:graph)?|picture|screenshot|illustration|drawing)"
_IMAGE_OF = re.compile(
    rf"(?:(?:an?|the|this(?: is)?(?: an?)?) )?(?:\w+ )?{_KIND}s?(?: here)? "
    r"(?:of|showing|shows|depicting|depicts) ",
    re.IGNORECASE,
)


def parse_answer(
    said: str | Json, terms: Terms, language: str, *, cut_off: bool, calls: Mapping[str, int]
) -> tuple[list[Label], Caption | None]:
    """The labels and the caption in an answer: the text of a message, or a tool's input.

    ``cut_off`` says that the model was stopped early, ``calls`` what the answer has cost.

    :raises RecogniserRefused: nothing in it can be read.
    """
    found = _found(_readable(said)) if isinstance(said, str) else said
    if found is None or not isinstance(found.get("labels"), list):
        code = "answer-cut-off" if cut_off else "answer-unreadable"
        sentence = "was cut off" if cut_off else "is not in the form that was asked for"
        raise RecogniserRefused(
            f"The model's answer {sentence}; have it labelled again.", code=code, calls=calls
        )
    caption, alt = _sentence(found.get("caption"), LONGEST_CAPTION), _alt(found.get("alt"))
    labels = list(_labels(found["labels"], terms, language))
    if not (caption or alt):
        return labels, None
    return labels, Caption(caption or alt, alt or _alt(caption), "model", language)


def _readable(text: str) -> str:
    return _REASONING.sub(" ", text[:MOST_READ])


def _found(text: str) -> Json | None:
    """The last complete object with labels; else the complete labels of an object that was cut off."""
    found: Json | None = None
    decoder, at = json.JSONDecoder(strict=False), 0
    for _ in range(_OBJECTS_TRIED):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(value, dict) and isinstance(value.get("labels"), list):
            found, at = value, end
        else:
            at += 1
    if found is not None:
        return found
    whole = [one for part in _LABEL.findall(text)[:MOST_TAKEN] if (one := _decoded(part)) and "name" in one]
    return {"labels": whole} if whole else None


def _decoded(part: str) -> Json | None:
    try:
        value = json.loads(part, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _labels(said: list[Any], terms: Terms, language: str) -> Iterator[Label]:
    """One label of each name, the surest, by falling confidence."""
    surest: dict[str, Label] = {}
    for one in said:
        name = _name(one.get("name") if isinstance(one, dict) else one, terms, language)
        if name is None:
            continue
        word = one.get("confidence") if isinstance(one, dict) else None
        band = (
            BANDS.get(word.strip().lower(), BANDS["possible"]) if isinstance(word, str) else BANDS["possible"]
        )
        known = surest.get(normalised(name))
        if known is None or known.confidence < band:
            surest[normalised(name)] = Label(name, band)
    yield from sorted(surest.values(), key=lambda label: -label.confidence)[:MOST_TAKEN]


def _name(said: object, terms: Terms, language: str) -> str | None:
    """A name as it is shown; None for what is no name, or is not in a closed vocabulary."""
    if not isinstance(said, str) or len(said) > 4 * LONGEST_NAME or _NAMELESS.search(said):
        return None
    name = _tidy(said).strip(" .,;:!?*#\"'“”„«»_-").strip()
    if terms:
        return terms.term(name)
    if not 1 <= len(name) <= LONGEST_NAME or len(name.split()) > MOST_WORDS:
        return None
    if len(normalised(name).encode()) > 1000 or not any(map(str.isalpha, name)):
        return None
    if language.partition("-")[0] == "en":
        return title(name.replace("_", " "))
    return name[0].upper() + name[1:]


def _sentence(said: object, longest: int) -> str:
    """A text without markup, in one line, cut at a word where it is too long."""
    text = _tidy(_TAGS.sub(" ", said[:MOST_READ])) if isinstance(said, str) else ""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"


def _alt(said: object) -> str:
    """An alternative text without its "image of": it describes what is seen."""
    text = _sentence(said, MOST_READ)
    while begun := _IMAGE_OF.match(text):
        text = text[begun.end() :]
    return _sentence(text[:1].upper() + text[1:], LONGEST_ALT)


def _tidy(text: str) -> str:
    kept = (
        " " if unicodedata.category(one) in _UNWRITTEN or one in _HIDDEN | _ISOLATES else one for one in text
    )
    return " ".join("".join(kept).split())
