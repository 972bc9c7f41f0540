"""``python -m local``: the whole service on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from chalicelib.errors import BadSetting
from local.config import ROOT, Ports, environment
from local.faults import Faults
from local.folder import DEFAULT, Folder, InUse, Unusable, folder_named, shown
from local.loopback import HOST, PortTaken, free_ports
from local.model_check import Missing
from local.signals import Stop

log = logging.getLogger("sightline.local")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; answers the exit code."""
    options = _parser().parse_args(arguments)
    stop = Stop(signal.SIGINT, signal.SIGTERM)
    write_log()
    try:
        _reset(options) if options.reset else _run(options, stop)
    except KeyboardInterrupt:
        print("\nStopped.")
    except InUse as used:
        print(_already_there(used, options), file=sys.stderr)
        return 1
    except Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 1
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except BadSetting as wrong:
        print(wrong.detail, file=sys.stderr)
        return 1
    except PortTaken as taken:
        print(_another_port(taken.port, options), file=sys.stderr)
        return 1
    return 0


def _reset(options: argparse.Namespace) -> None:
    with closing(Folder(options.data)) as folder:
        print(f"Removed {folder.empty()} photos from {shown(options.data)}, and all that was known of them.")


def _run(options: argparse.Namespace, stop: Stop) -> None:
    print("Starting the offline stack …", flush=True)
    # Imported late: a wrong option or a second Ctrl-C need not wait for moto.
    from local import model_check, offline_stack, throughput, tour

    throughput.take_long_turns()
    ports = Ports(options.aws_port, options.partner_port, options.port)
    model_check.check(environment(ports))
    wish = offline_stack.Wish(
        ports, options.trigger, options.auth, options.faults, with_api=not options.no_api, data=options.data
    )
    with offline_stack.offline(wish, told=lambda received: log.info("%s", tour.telling(received))) as running:
        print(tour.found(running), end="")
        if running.api:
            tour.show(running, options.photos)
        else:
            print(tour.without_api(ports))
        print("\nWhat happens is told below. Ctrl-C stops everything.\n", flush=True)
        log.setLevel(logging.INFO)
        throughput.spare_what_is_loaded()
        try:
            stop.wait()
        finally:
            stop.ignore()


def write_log() -> None:
    """The stack's own lines on the terminal, in its own format; the app's go the way they go in Lambda."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLine("%(asctime)s  %(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.WARNING)


class OneLine(logging.Formatter):
    """Whatever clients send, be it in a file's name, stays on its line and moves no cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = _written_out(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return _written_out(super().formatException(ei), but="\n")


def _written_out(text: str, but: str = "") -> str:
    """With an escape sequence for each character that is not printed, but for those in ``but``."""
    return "".join(one if one.isprintable() or one in but else repr(one)[1:-1] for one in text)


def _already_there(used: InUse, options: argparse.Namespace) -> str:
    where = f" at {used.running.api}/ (process {used.running.pid})" if used.running else ""
    return (
        f"Sightline runs already{where}, with the photos in {shown(options.data)}.\n"
        f"Another one beside it needs a folder and ports of its own, like\n\n"
        f"  DATA={shown(options.data)}-2 {_free(options)} make run"
    )


def _another_port(port: int, options: argparse.Namespace) -> str:
    by = "another Sightline" if _is_sightline(options.port) else "another program"
    return f"Port {port} is taken by {by}. These are free:\n\n  {_free(options)} make run"


def _free(options: argparse.Namespace) -> str:
    api, aws, partner = free_ports(options.port, options.aws_port, options.partner_port)
    return f"PORT={api} AWS_PORT={aws} PARTNER_PORT={partner}"


def _is_sightline(port: int) -> bool:
    """Whether what listens there answers as the API does."""
    try:
        answer = requests.get(f"http://{HOST}:{port}/health", timeout=2).json()
    except (requests.RequestException, ValueError):
        return False
    return isinstance(answer, dict) and {"status", "version", "auth"} <= answer.keys()


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
    parser.add_argument(
        "--data", type=folder_named, default=DEFAULT, help="where photos and labels stay (%(default)s)"
    )
    parser.add_argument("--reset", action="store_true", help="only remove what stayed there, for good")
    parser.add_argument("--photos", type=Path, default=ROOT / "photos", help="what to label at the start")
    return parser


if __name__ == "__main__":
    sys.exit(main())
