"""Holds an owner's index and bucket to the records: ``make repair STAGE=prod OWNER=default [MEND=1]``.

Exits with 1 where something was found and is not mended.
"""

from __future__ import annotations

import argparse
import os
import sys

from chalicelib.model import DEFAULT_OWNER
from chalicelib.pipeline.repair import repair
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from infra.exit_status import exit_status
from infra.project import on_disk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    parser.add_argument("--owner", default=DEFAULT_OWNER, help="whose images (%(default)s)")
    parser.add_argument("--mend", action="store_true", help="mend what is found, instead of only telling")
    chosen = parser.parse_args()
    stages = on_disk()["stages"]
    if chosen.stage not in stages:
        parser.error(f"there is no stage {chosen.stage!r}; there are {', '.join(stages)}")
    # What the shell says goes before what the stage says: a table of another name can be chosen.
    os.environ.update({**stages[chosen.stage]["environment_variables"], **os.environ})
    services = Services(Settings.read(os.environ))
    left = 0
    for fault in repair(chosen.owner, services, mend=chosen.mend):
        sys.stdout.write(f"{fault}\n")
        left += not fault.mended
    sys.stdout.write("index, counts, bucket and records agree\n" if not left else f"{left} not mended\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(exit_status(main))
