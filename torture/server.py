"""AWS in a process of its own: what it keeps, and the time it takes, are not the service's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local import moto_patches
from local.config import ROOT
from local.moto_server import LocalAws
from local.provision import provision
from local.shard import Image

TRIGGER = "queue"  # what is uploaded goes onto the queue of uploads
STOPPING_SECONDS = 30


@contextmanager
def aws_apart() -> Iterator[int]:
    """Run the offline stack's AWS, with the local stage's resources, for the length of a block; its port."""
    command = [sys.executable, "-m", "torture.server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]  # noqa: S603 - ours
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(STOPPING_SECONDS)


def _tell_of_records_alone() -> None:
    """Let the stream leave out what its reader would: fetching it would cost more than all the rest."""
    from moto.dynamodb.models import table

    from local.moto_streams import MotoShard

    class Records(MotoShard):
        def note(self, old: Image | None, new: Image | None, *, by_ttl: bool = False) -> None:
            item = new or old  # neither, where nothing was deleted
            if item is not None and item["sk"]["S"] == "record":
                super().note(old, new, by_ttl=by_ttl)

    moto_patches.replace(table, StreamShard=Records)


def main() -> None:
    """Serve until the standard input ends."""
    with LocalAws() as aws:
        _tell_of_records_alone()
        provision(aws.client, trigger=TRIGGER)
        sys.stdout.write(f"{aws.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
