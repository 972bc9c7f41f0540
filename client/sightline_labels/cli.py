"""``sightline``: reads its line, runs a command, and says how it ended."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from sightline_labels.arguments import Options, parser
from sightline_labels.client import Client
from sightline_labels.errors import NotReachable, SightlineError
from sightline_labels.output import Output
from sightline_labels.profiles import Profile, Profiles
from sightline_labels.shell_commands import login, logout, write_completion, write_manual

SUBTRACTED = "\0"  # before a word, while the line is read
INTERRUPTED = 130  # what shells say of a program that Ctrl-C has ended


def main(arguments: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run a command; answers the exit code: 0 if everything was done, 1 if not, 2 for a wrong line."""
    options = parser().parse_args(_with_subtracted(sys.argv[1:] if arguments is None else arguments))
    options.words = [word.removeprefix(SUBTRACTED) for word in getattr(options, "words", ())]
    output = Output(out or sys.stdout, as_json=options.json, quiet=options.quiet)
    try:
        profile = _profile(options)
        with Client(profile.url, profile.token) as client:
            return int(options.run(client, options, output))
    except NotReachable as error:
        print(f"{error} Is the address right? `make run` starts a service on this machine.", file=sys.stderr)
    except SightlineError as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:  # whoever read has seen enough
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or ''}: {error.strerror}", file=sys.stderr)
    finally:
        output.clear()
    return 1


def _with_subtracted(arguments: Sequence[str]) -> list[str]:
    """Mark words like ``-person`` behind ``search``, so that argparse does not take them for options."""
    before = arguments.index("search") if "search" in arguments else len(arguments)
    return [
        SUBTRACTED + one if number > before and re.match(r"-[^\W\d]{2}", one) else one
        for number, one in enumerate(arguments)
    ]


def _profile(options: Options) -> Profile:
    if options.run is login:
        return Profile(options.address, options.token)
    if options.run in (logout, write_completion, write_manual):
        return Profile("")
    return Profiles().chosen(options.profile, options.url, options.token)


if __name__ == "__main__":
    sys.exit(main())
