"""The manual page, from the same text as ``--help``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator


def page(parser: argparse.ArgumentParser) -> str:
    """``sightline(1)`` in the language of ``man``."""
    return "\n".join(_lines(parser)) + "\n"


def _lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield '.TH SIGHTLINE 1 "" "sightline-labels" "User Commands"'
    yield ".SH NAME"
    yield r"sightline \- label photos, and find them by what is seen on them"
    yield ".SH SYNOPSIS"
    yield rf"\fBsightline\fR [\fIOPTION\fR...] \fICOMMAND\fR [\fIARGUMENT\fR...]"  # noqa: F541
    yield ".SH DESCRIPTION"
    yield _plain(parser.description or "")
    yield ".SH OPTIONS"
    yield from _arguments(parser)
    yield ".SH COMMANDS"
    yield from _commands(parser, "")
    yield ".SH EXAMPLES"
    yield ".nf"
    yield from (_plain(line.strip()) for line in (parser.epilog or "").splitlines()[1:] if line.strip())
    yield ".fi"
    yield ".SH EXIT STATUS"
    yield "0 if all that was asked for was done, 1 if not, 2 for a wrong line, 130 after Ctrl\\-C."


def _commands(parser: argparse.ArgumentParser, before: str) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, one in action.choices.items():
            yield f".SS {_plain(before + name)}"
            yield _plain(one.description or "")
            yield from _arguments(one)
            yield from _commands(one, f"{before}{name} ")


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        names = ", ".join(action.option_strings)
        yield ".TP"
        yield (
            rf"\fB{_plain(names)}\fR \fI{_plain(str(value))}\fR".strip()
            if names
            else rf"\fI{_plain(str(value))}\fR"
        )
        yield _plain((action.help or "") % {"default": action.default}) or r"\&"


def _plain(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
