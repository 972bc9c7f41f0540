"""``python -m tests.emulator.without``: takes rights away, one at a time; a journey must miss each.

One emulator and one stage for each trigger serve for all of it. Without arguments every right of every policy
is taken away; with some, the rights that are written so: ``sweep:dynamodb:PutItem``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import tests.conftest  # noqa: F401 - the environment in which the app is imported
from tests.emulator.conftest import ACCOUNTS, LABELERS, World, begin
from tests.emulator.emulator import Emulator
from tests.emulator.stage import Right

TRIES = 2  # what was still under way when the last right came back may be refused for once


def main(wanted: list[str]) -> int:
    """Say what is missed; answers the exit code."""
    found = missed(lambda right: not wanted or f"{right.function}:{right.action}" in wanted, tell)
    print(f"{sum(not why for why in found.values())} of {len(found)} rights are missed when they are gone.")
    return 1 if not found or any(found.values()) else 0


def tell(right: Right, why: str) -> None:
    print(f"GREEN without {right}: {why}" if why else f"red   without {right}", flush=True)


def missed(wanted: Callable[[Right], bool], tell: Callable[[Right, str], None]) -> dict[Right, str]:
    """Why no journey was refused what it needs, by the right that was taken away; empty where one was."""
    with ExitStack() as end:
        folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
        emulator = end.enter_context(Emulator(folder))
        worlds = {trigger: begin(trigger, emulator, folder, end) for trigger in ACCOUNTS}
        shares = shared(worlds, wanted)
        with ThreadPoolExecutor(len(worlds)) as pool:

            def take_away(trigger: str) -> dict[Right, str]:
                found = {}
                for right in shares[trigger]:
                    settle(worlds[trigger])
                    found[right] = why_not_missed(worlds[trigger], right)
                    tell(right, found[right])
                return found

            return {right: why for found in pool.map(take_away, worlds) for right, why in found.items()}


def settle(world: World) -> None:
    """Wait until the stage is healthy again: it remembers for some seconds that it was not."""
    end = time.monotonic() + 30
    while world.stage.request("GET", "/health")["statusCode"] != 200 and time.monotonic() < end:
        time.sleep(0.5)


def shared(worlds: dict[str, World], wanted: Callable[[Right], bool]) -> dict[str, list[Right]]:
    """Which stage tries what: a labeler's rights its own, the others' rights both by turns."""
    shares: dict[str, list[Right]] = {trigger: [] for trigger in worlds}
    every = {name for world in worlds.values() for name in world.stage.policies}
    for number, function in enumerate(sorted(every)):
        own = next((trigger for trigger, name in LABELERS.items() if name == function), None)
        trigger = own or list(worlds)[number % len(worlds)]
        shares[trigger] += [
            right for right in worlds[trigger].stage.rights if right.function == function and wanted(right)
        ]
    return shares


def why_not_missed(world: World, right: Right) -> str:
    """Why a journey without this right does not end because of it; empty where it does."""
    why = ""
    with world.stage.without(right):
        for _ in range(TRIES):
            begun = len(world.stage.emulator.decisions())
            try:
                world.journey().go()
            except AssertionError as error:
                why = str(error).splitlines()[0]
            else:
                return "The journey went well."
            # Where something else was noticed first, it was refused nevertheless.
            if any(
                not one.allowed and right.covers(function, one.action, one.resource)
                for function, one in world.stage.decisions(begun)
            ):
                return ""
    return why


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
