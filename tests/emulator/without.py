"""``python -m tests.emulator.without``: takes rights away, one at a time; a journey must miss each.

One emulator and one stage for each trigger serve for all of it. Without arguments every right of every policy
is taken away; with some, the rights that are written so: ``sweep:dynamodb:PutItem``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import tests.conftest  # noqa: F401 - the environment in which the app is imported
from tests.emulator.conftest import ACCOUNTS, LABELERS, World, begin
from tests.emulator.emulator import Emulator
from tests.emulator.journey import Refused
from tests.emulator.stage import Right

TRIES = 2  # what was still under way when the last right came back may be refused for once


def main(wanted: list[str]) -> int:
    """Say what is missed; answers the exit code."""
    found = missed(lambda right: not wanted or f"{right.function}:{right.action}" in wanted, tell)
    print(f"{sum(found.values())} of {len(found)} rights are missed when they are gone.")
    return 0 if found and all(found.values()) else 1


def tell(right: Right, is_missed: bool) -> None:
    print(f"{'red  ' if is_missed else 'GREEN'} without {right}", flush=True)


def missed(wanted: Callable[[Right], bool], tell: Callable[[Right, bool], None]) -> dict[Right, bool]:
    """Whether a journey is refused what it needs, by the right that was taken away."""
    with ExitStack() as end:
        folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
        emulator = end.enter_context(Emulator(folder))
        worlds = {trigger: begin(trigger, emulator, folder, end) for trigger in ACCOUNTS}
        shares = shared(worlds, wanted)
        with ThreadPoolExecutor(len(worlds)) as pool:

            def take_away(trigger: str) -> dict[Right, bool]:
                found = {}
                for right in shares[trigger]:
                    found[right] = is_missed(worlds[trigger], right)
                    tell(right, found[right])
                return found

            return {right: red for found in pool.map(take_away, worlds) for right, red in found.items()}


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


def is_missed(world: World, right: Right) -> bool:
    """Whether a journey without this right ends because of it."""
    with world.stage.without(right):
        for _ in range(TRIES):
            try:
                world.journey().go()
            except Refused as refused:
                if right.covers(refused.function, refused.decision.action, refused.decision.resource):
                    return True
            except AssertionError:
                return any_refused(world, right)
            else:
                return False
    return False


def any_refused(world: World, right: Right) -> bool:
    """Whether it was refused, where the journey noticed something else first."""
    return any(
        not one.allowed and right.covers(function, one.action, one.resource)
        for function, one in world.stage.decisions()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
