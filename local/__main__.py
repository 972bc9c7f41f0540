"""``python -m local``: the whole service on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local.aws import PortTaken
from local.config import ROOT, Ports
from local.faults import Faults
from local.stopping import Stop

log = logging.getLogger("sightline.local")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; answers the exit code."""
    options = _parser().parse_args(arguments)
    stop = Stop(signal.SIGINT, signal.SIGTERM)
    _write_log()
    try:
        _run(options, stop)
    except KeyboardInterrupt:
        print("\nStopped.")
    except PortTaken as taken:
        print(_another_port(taken.port, options), file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, stop: Stop) -> None:
    print("Starting the offline stack …", flush=True)
    # Imported late: a wrong option or a second Ctrl-C need not wait for moto.
    from local import stack, tour

    ports = Ports(options.aws_port, options.partner_port, options.port)
    wish = stack.Wish(ports, options.trigger, options.auth, options.faults, with_api=not options.no_api)
    with stack.offline(wish, told=lambda received: log.info("%s", tour.telling(received))) as running:
        if running.api:
            tour.show(running, options.photos)
        else:
            print(tour.without_api(ports))
        print("\nWhat happens is told below. Ctrl-C stops everything.\n", flush=True)
        log.setLevel(logging.INFO)
        try:
            stop.wait()
        finally:
            stop.ignore()


def _write_log() -> None:
    """The stack's own lines on the terminal, in its own format; the app's go the way they go in Lambda."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.WARNING)


def _another_port(port: int, options: argparse.Namespace) -> str:
    ways = {
        options.port: ("--port", "PORT"),
        options.aws_port: ("--aws-port", "AWS_PORT"),
        options.partner_port: ("--partner-port", "PARTNER_PORT"),
    }
    option, variable = ways[port]
    return (
        f"Port {port} is taken by another program. Choose another one: "
        f"{variable}={port + 1} make run, or python -m local {option} {port + 1}."
    )


def _faults(text: str) -> Faults:
    try:
        return Faults.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Run Sightline offline.")
    parser.add_argument("--no-api", action="store_true", help="leave the REST API to chalice local")
    parser.add_argument("--port", type=int, default=Ports.api, help="the REST API's (%(default)s)")
    parser.add_argument("--aws-port", type=int, default=Ports.aws, help="AWS's place (%(default)s)")
    parser.add_argument("--partner-port", type=int, default=Ports.partner, help="the partner's (%(default)s)")
    parser.add_argument("--trigger", choices=("s3", "queue"), default="s3", help="how uploads are noticed")
    parser.add_argument("--auth", choices=("none", "token"), default="none", help="whether to ask for tokens")
    parser.add_argument(
        "--faults",
        type=_faults,
        default=Faults(),
        help="how to misbehave, like duplicate=0.3,crash=0.1,seed=7",
    )
    parser.add_argument("--photos", type=Path, default=ROOT / "photos", help="what to label at the start")
    return parser


if __name__ == "__main__":
    sys.exit(main())
