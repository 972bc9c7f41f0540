"""``make label FILES="…"``: ``sightline label`` for the stack that runs here; paths as people write them."""

from __future__ import annotations

import argparse
import glob
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sightline_labels import cli

from local.folder import DEFAULT, folder_named, running

MOST_WORDS = 20  # of a path with spaces


def main(arguments: Sequence[str] | None = None) -> int:
    """Label what the command line and ``FILES`` name; answers the exit code of ``sightline label``."""
    options = _parser().parse_args(arguments)
    paths = [*options.files, *words(os.environ.get("FILES", ""))]
    if not paths:
        print('Say which files or folders: make label FILES="photos/chelsea.jpg ~/Pictures"', file=sys.stderr)
        return 1
    found = running(options.data)
    service = ["--url", options.url or (found.api if found else "")]
    token = ["--token", options.token or (found.token if found else "")]
    again = ["--again"] if options.again else []
    return cli.main([*service, *token, "label", *again, "--", *paths])


def words(text: str) -> list[str]:
    """The paths in a line: separated by spaces, but a path with spaces that is there is one path.

    ``~`` and patterns mean what they mean in a shell, and so do quotes, if there are any.
    """
    if re.search(r"""["'\\]""", text):
        with suppress(ValueError):  # a name with an apostrophe
            return [one for word in shlex.split(text) for one in _expanded(word)]
    found: list[str] = []
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    while spans:
        near = spans[:MOST_WORDS]
        joined = [(text[spans[0][0] : end], count) for count, (_, end) in enumerate(near, 1)]
        name, used = next(
            (one for one in reversed(joined) if any(Path(path).exists() for path in _expanded(one[0]))),
            joined[0],
        )
        found += _expanded(name)
        spans = spans[used:]
    return found


def _expanded(word: str) -> list[str]:
    """What a shell makes of a word: the files that a pattern finds, else the word itself."""
    path = os.path.expanduser(word)
    return [path] if Path(path).exists() else sorted(glob.glob(path)) or [path]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.label",
        description="Label photos of your own; FILES in the environment names more, as make label has it.",
    )
    parser.add_argument("--url", help="where the service runs (what runs with DATA)")
    parser.add_argument("--token", default=os.environ.get("TOKEN", ""), help="where the service asks for one")
    parser.add_argument(
        "--data", type=folder_named, default=DEFAULT, help="the folder of the stack that runs"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        default=os.environ.get("AGAIN", "") not in ("", "0"),
        help="upload what is known there by its bytes, too",
    )
    parser.add_argument("files", nargs="*", metavar="FILE|FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
