"""``python -m local.label FILE|FOLDER…``: label photos of one's own through the running service."""

from __future__ import annotations

import argparse
import glob
import os
import queue
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from chalicelib.intake.formats import format_name, other_name
from local.client import Client, NotRunning, Outcome, heading, line, width_of
from local.folder import DEFAULT, folder_named, running

URL = "http://127.0.0.1:8000"
AT_ONCE = 4
HEAD_BYTES = 1024  # of a file, to see what it is
MOST_WORDS = 20  # of a path with spaces
NAMED = 10  # of the files that are left out
INTERRUPTED = 130  # what shells say of a program that Ctrl-C has ended
WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Picked:
    """A file to label and the ``name`` it is handed in under."""

    path: Path
    name: str


class Work:
    """Several files labelled at a time, their outcomes in the order given; to be iterated once."""

    def __init__(self, client: Client, picked: Sequence[Picked]) -> None:
        self._client = client
        self._waiting: queue.SimpleQueue[tuple[int, Picked]] = queue.SimpleQueue()
        self._done: dict[int, Outcome | NotRunning] = {}
        self._changed = threading.Condition()
        self._count = len(picked)
        for numbered in enumerate(picked):
            self._waiting.put(numbered)

    def __iter__(self) -> Iterator[Outcome]:
        """Raises :exc:`~local.client.NotRunning` where the service has gone."""
        for _ in range(AT_ONCE):
            # Nobody waits for these at Ctrl-C: the service labels what it has all the same.
            threading.Thread(target=self._run, daemon=True).start()
        for number in range(self._count):
            with self._changed:
                while number not in self._done:
                    self._changed.wait(WAIT_SECONDS)
            outcome = self._done.pop(number)
            if isinstance(outcome, NotRunning):
                raise outcome
            yield outcome

    def overtaken(self) -> list[Outcome]:
        """What was done before its turn came, for whoever will not wait for that."""
        return [one for _, one in sorted(self._done.items()) if isinstance(one, Outcome)]

    def _run(self) -> None:
        with suppress(queue.Empty):
            while True:
                number, one = self._waiting.get_nowait()
                outcome: Outcome | NotRunning
                try:
                    outcome = self._client.label(one.path, one.name)
                except NotRunning as gone:
                    outcome = gone
                with self._changed:
                    self._done[number] = outcome
                    self._changed.notify_all()


def label(
    client: Client, picked: Sequence[Picked], show: Callable[[str], object] = lambda text: None
) -> list[Outcome]:
    """Label files, and ``show`` a line of each; raises :exc:`~local.client.NotRunning`."""
    client.check()
    return list(_shown(Work(client, picked), picked, show, []))


def _shown(
    work: Work, picked: Sequence[Picked], show: Callable[[str], object], outcomes: list[Outcome]
) -> Iterator[Outcome]:
    """Outcomes as they are shown; each is among ``outcomes`` before, as Ctrl-C may come once it is seen."""
    names = [one.name for one in picked]
    width = width_of(names)
    show(heading(names))
    for outcome in work:
        outcomes.append(outcome)
        show(line(outcome, width))
        yield outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Label what the command line names; answers the exit code: 0 only if everything was labelled."""
    with suppress(KeyboardInterrupt):
        return _run(_parser().parse_args(arguments))
    return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    named = [*options.files, *words(os.environ.get("FILES", ""))]
    picked, left_out = pick([Path(one) for one in named])
    for text in _told_of(left_out):
        print(text, file=sys.stderr)
    if not picked:
        print(_nothing_to_do(named), file=sys.stderr)
        return 1
    found = running(options.data)
    client = Client(
        options.url or (found.api if found else URL),
        options.token or (found.token if found else ""),
        again=options.again,
    )
    return _label(client, picked)


def _label(client: Client, picked: Sequence[Picked]) -> int:
    started, code, work = time.monotonic(), 0, Work(client, picked)
    outcomes: list[Outcome] = []
    try:
        client.check()
        # No bar where there is no terminal to draw it on: there each line tells how far it is.
        with tqdm(total=len(picked), unit="photo", disable=None, leave=False) as bar:
            for _ in _shown(work, picked, lambda text: bar.write(text, file=sys.stdout), outcomes):
                bar.update()
                sys.stdout.flush()
    except NotRunning as error:
        print(f"{error} Start the service with make run in another terminal.", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = INTERRUPTED
        width = width_of(one.name for one in picked)
        for outcome in work.overtaken():
            print(line(outcome, width))
            outcomes.append(outcome)
    failed = sum(outcome.failed for outcome in outcomes)
    known = sum(outcome.known and not outcome.failed for outcome in outcomes)
    if outcomes or code == INTERRUPTED:
        print(_summary(len(outcomes), known, failed, len(picked), time.monotonic() - started))
    return code or (1 if failed else 0)


def _summary(done: int, known: int, failed: int, wanted: int, seconds: float) -> str:
    parts = [f"{done - known - failed} of {wanted} labelled"]
    parts += [f"{known} known already (AGAIN=1 uploads them all the same)"] if known else []
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{wanted - done} not waited for"] if done < wanted else []
    return f"\n{', '.join(parts)}, in {seconds:.0f} s."


def pick(paths: Sequence[Path]) -> tuple[list[Picked], list[tuple[Path, str]]]:
    """Files as they are named, and the photos in folders, however deep, in order.

    Then the files in folders that are no photos, each with what it is, as far as its first bytes tell. What
    systems hide in folders is passed over.
    """
    picked: list[Picked] = []
    left_out: list[tuple[Path, str]] = []
    for path in paths:
        if not path.is_dir():
            picked.append(Picked(path, path.name))
            continue
        for found in sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".")):
            is_photo, kind = _seen_at(found)
            if is_photo:
                picked.append(Picked(found, str(found.relative_to(path))))
            else:
                left_out.append((found, kind))
    return picked, left_out


def _seen_at(path: Path) -> tuple[bool, str]:
    """Whether a file may be a photo, and what else it is; one that cannot be read fails when it is tried."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return True, ""
    return format_name(head) is not None, other_name(head) or "no picture"


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


def _told_of(left_out: Sequence[tuple[Path, str]]) -> list[str]:
    """Which files are left out, and why: some by name, the others by their number."""
    lines = [f"Left out: {path} ({kind})" for path, kind in left_out[:NAMED]]
    return lines + ([f"Left out: {len(left_out) - NAMED} more"] if len(left_out) > NAMED else [])


def _nothing_to_do(files: Sequence[str]) -> str:
    if files:
        return f"There are no photos in {', '.join(files)}."
    return 'Say which files or folders: make label FILES="photos/chelsea.jpg ~/Pictures"'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.label",
        description="Label photos of your own; FILES in the environment names more, as make label has it.",
    )
    parser.add_argument("--url", help=f"where the service runs (what runs with DATA, else {URL})")
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
