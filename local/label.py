"""``python -m local.label FILE|FOLDER…``: label photos of one's own through the running service."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from local.client import Client, NotRunning, Outcome, table

URL = "http://127.0.0.1:8000"
AT_ONCE = 4
PHOTOS = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
)


@dataclass(frozen=True)
class Picked:
    """A file to label and the ``name`` it is handed in under."""

    path: Path
    name: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Label what the command line names; answers the exit code: 0 only if everything was labelled."""
    options = _parser().parse_args(arguments)
    picked = list(pick([Path(one) for one in options.files]))
    if not picked:
        print(_nothing_to_do(options.files), file=sys.stderr)
        return 1
    try:
        outcomes = label(Client(options.url, options.token), picked)
    except NotRunning as error:
        print(f"{error} Start the service with make run in another terminal.", file=sys.stderr)
        return 1
    print(table(outcomes))
    return 1 if any(one.failed for one in outcomes) else 0


def pick(paths: Sequence[Path]) -> Iterator[Picked]:
    """Files as they are named, and the photos in folders, however deep, in order."""
    for path in paths:
        if not path.is_dir():
            yield Picked(path, path.name)
            continue
        for found in sorted(path.rglob("*")):
            if found.suffix.lower() in PHOTOS and found.is_file():
                yield Picked(found, str(found.relative_to(path)))


def label(client: Client, picked: Sequence[Picked]) -> list[Outcome]:
    """Label several files at a time, in the order given; raises :exc:`~local.client.NotRunning`."""
    client.check()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        labelled = pool.map(lambda one: client.label(one.path, one.name), picked)
        # No bar where there is no terminal to draw it on.
        return list(tqdm(labelled, total=len(picked), unit="photo", disable=None, leave=False))


def _nothing_to_do(files: Sequence[str]) -> str:
    if files:
        return f"There are no photos in {', '.join(files)}."
    return 'Say which files or folders: make label FILES="photos/chelsea.jpg ~/Pictures"'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.label", description="Label photos of your own.")
    parser.add_argument("--url", default=URL, help="where the service runs (%(default)s)")
    parser.add_argument("--token", default=os.environ.get("TOKEN", ""), help="where the service asks for one")
    parser.add_argument("files", nargs="*", metavar="FILE|FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
