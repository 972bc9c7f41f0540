"""``make torture``: runs the parts and tells which promises were kept.

Ends with 1 where one was not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from torture.figures import broken, table
from torture.parts import PARTS, ROWS, side_by_side


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 where every promise was kept, else 1."""
    chosen = _parser().parse_args(arguments)
    wrong: list[str] = []
    for row in [(chosen.part,)] if chosen.part else ROWS:
        for report in side_by_side(row, chosen.seed, chosen.size):
            print(f"\n{report.part}, seed {chosen.seed}, {report.seconds:.0f} s")
            print(table(report.figures), flush=True)
            wrong += [f"{report.part}: {sentence}" for sentence in broken(report.figures)]
    print("\nEvery promise was kept." if not wrong else "\nBroken promises:")
    print("".join(f"  {sentence}\n" for sentence in wrong), end="", flush=True)
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides what goes wrong, and when (1)")
    parser.add_argument("--part", choices=PARTS, help="only this one (all)")
    parser.add_argument("--size", type=float, default=1.0, help="how much of the whole, 0 to 1 (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
