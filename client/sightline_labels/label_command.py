"""``sightline label``: uploads photos and folders, and shows what is on them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.files import Picked, pick, told_of
from sightline_labels.output import Output
from sightline_labels.table import heading, line, width_of
from sightline_labels.uploads import Outcome, Uploading

INTERRUPTED = 130
LOOK_SECONDS = 2.0  # between two looks at a folder that is watched


def label(client: Client, options: argparse.Namespace, out: Output) -> int:
    """Upload what the line names; answers 0 if all of it was labelled."""
    client.health()
    if options.watch:
        return _watch(client, options, out)
    picked, left_out = pick(options.paths)
    for text in told_of(left_out):
        print(text, file=sys.stderr)
    if not picked:
        raise SightlineError(f"There are no photos in {', '.join(map(str, options.paths))}.")
    return Labelling(client, options, out).run(picked)


class Labelling:
    """One ``sightline label``: what it has done so far, and its summary."""

    def __init__(self, client: Client, options: argparse.Namespace, out: Output) -> None:
        self._client = client
        self._options = options
        self._out = out
        self._outcomes: list[Outcome] = []
        self._width = 0

    def run(self, picked: Sequence[Picked]) -> int:
        """Upload files, with a line for each; answers the exit code."""
        names = [one.name for one in picked]
        self._width = width_of(names)
        if not self._out.as_json and not self._out.quiet:
            self._out.line(heading(names))
        started, code = time.monotonic(), 0
        work = self._work(picked)
        try:
            # No bar where there is no terminal to draw it on: there each line tells how far it is.
            quiet = True if self._out.quiet else None
            with tqdm(total=len(picked), unit="photo", disable=quiet, leave=False, file=sys.stderr) as bar:
                for outcome in work:
                    self._outcomes.append(outcome)
                    with tqdm.external_write_mode(file=sys.stdout):
                        self._show(outcome)
                    bar.update()
        except KeyboardInterrupt:
            code = INTERRUPTED
            for outcome in work.overtaken():
                self._outcomes.append(outcome)
                self._show(outcome)
        except SightlineError as error:
            print(error, file=sys.stderr)
            code = 1
        if self._outcomes or code == INTERRUPTED:
            for text in notes(self._outcomes):
                print(text, file=sys.stderr)
            self._out.say(self.summary(len(picked), time.monotonic() - started))
        return code or (1 if any(one.failed for one in self._outcomes) else 0)

    def each(self, picked: Sequence[Picked]) -> Iterator[Outcome]:
        """The same for files that come one by one, without bar and summary."""
        self._width = width_of(one.name for one in picked)
        for outcome in self._work(picked):
            self._show(outcome)
            for text in notes([outcome]):
                print(text, file=sys.stderr)
            yield outcome

    def _work(self, picked: Sequence[Picked]) -> Uploading:
        return Uploading(
            self._client,
            picked,
            at_once=self._options.at_once,
            again=self._options.again,
            wait=bool(self._options.xmp) or not self._options.no_wait,
            xmp=self._options.xmp,
            called=self._options.xmp_name,
            wishes=_wishes(self._options),
        )

    def _show(self, outcome: Outcome) -> None:
        if self._out.as_json:
            told = {
                "file": outcome.name,
                "known": outcome.known,
                "problem": outcome.problem or None,
                "note": outcome.note or None,
            }
            self._out.document({**told, "image": outcome.image or None}, [])
        elif self._out.quiet:
            if outcome.image:
                self._out.line(outcome.image["id"])
            if outcome.failed:
                print(f"{outcome.name}: {outcome.problem}", file=sys.stderr)
        else:
            self._out.line(line(outcome, self._width))
        sys.stdout.flush()

    def summary(self, wanted: int, seconds: float) -> str:
        """How many of the ``wanted`` are done, and how."""
        done = len(self._outcomes)
        failed = sum(one.failed for one in self._outcomes)
        known = sum(one.known and not one.failed for one in self._outcomes)
        what = "handed in" if self._options.no_wait else "labelled"
        parts = [f"{done - known - failed} of {wanted} {what}"]
        parts += [f"{known} known already (--again sends them all the same)"] if known else []
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{wanted - done} not waited for"] if done < wanted else []
        return f"\n{', '.join(parts)}, in {seconds:.0f} s."


def notes(outcomes: Sequence[Outcome], most: int = 10) -> list[str]:
    """Lines about photos that went otherwise: the first by name, the others by their number."""
    lines = [f"{one.name}: {one.note}" for one in outcomes if one.note]
    return lines[:most] + ([f"The same of {len(lines) - most} more"] if len(lines) > most else [])


def _watch(client: Client, options: argparse.Namespace, out: Output) -> int:
    """Upload what is in the folders and what comes into them, until Ctrl-C."""
    labelling, code = Labelling(client, options, out), 0
    out.say("Watching for new files; press Ctrl-C to stop.")
    sys.stdout.flush()
    try:
        for come in _coming(options.paths):
            for outcome in labelling.each(come):
                code = code or int(outcome.failed)
    except KeyboardInterrupt:
        pass
    return code


def _coming(paths: Sequence[Path]) -> Iterator[list[Picked]]:
    """The files that have come since the last look; a file that still grows waits for the next look."""
    seen, before = set[tuple[Path, int]](), dict[Path, int]()
    while True:
        come, now = [], dict[Path, int]()
        for one in pick(paths)[0]:
            with suppress(OSError):  # gone again
                changed = now[one.path] = one.path.stat().st_mtime_ns
                if (one.path, changed) not in seen and before.get(one.path) == changed:
                    seen.add((one.path, changed))
                    come.append(one)
        before = now
        yield come
        time.sleep(LOOK_SECONDS)


def _wishes(options: argparse.Namespace) -> dict[str, Any]:
    wished = {"min_confidence": options.min_confidence, "features": options.features}
    return {name: value for name, value in wished.items() if value is not None}
