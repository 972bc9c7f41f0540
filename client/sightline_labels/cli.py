"""``sightline``: how its line is read, and how it ends; :mod:`sightline_labels.commands` is what is done."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from sightline_labels import commands, completion, jobs, labelling, manual
from sightline_labels.client import Client
from sightline_labels.errors import NotReachable, SightlineError
from sightline_labels.output import Output
from sightline_labels.profiles import Profile, Profiles

Json = dict[str, Any]
Options = argparse.Namespace
Command = Callable[[Client, Options, Output], int]

SUBTRACTED = "\0"  # before a word, while the line is read
INTERRUPTED = 130  # what shells say of a program that Ctrl-C has ended
EXAMPLES = """examples:
  sightline login http://127.0.0.1:8000
  sightline label ~/Pictures
  sightline search "dog beach -person"
  sightline correct 01M8… --add Breakfast --remove Dessert
"""


def login(client: Client, options: Options, out: Output) -> int:
    asks = client.health().get("auth") != "none"
    token = options.token or os.environ.get("SIGHTLINE_TOKEN", "")
    if asks and not token:
        if not sys.stdin.isatty():
            raise SightlineError(f"{client.url} asks for a token: sightline login {client.url} --token …")
        import getpass

        token = getpass.getpass("Token: ")
    with Client(client.url, token) as known:
        next(known.search(most=1), None)  # tries the token
    Profiles().save(options.name, Profile(client.url, token))
    out.say(f"Logged in to {client.url}; sightline talks to it from now on.")
    return 0


def logout(client: Client, options: Options, out: Output) -> int:
    out.say(f"Forgot {Profiles().forget(options.profile)!r}.")
    return 0


def write_completion(client: Client, options: Options, out: Output) -> int:
    sys.stdout.write(completion.script(options.shell, parser()))
    return 0


def write_manual(client: Client, options: Options, out: Output) -> int:
    sys.stdout.write(manual.page(parser()))
    return 0


# ── the line itself ───────────────────────────────────────────────────────────────────────────
def main(arguments: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run a command; answers the exit code: 0 only if all that was asked for was done, 2 for a wrong line."""
    options = parser().parse_args(_with_subtracted(sys.argv[1:] if arguments is None else arguments))
    options.words = [word.removeprefix(SUBTRACTED) for word in getattr(options, "words", ())]
    output = Output(out or sys.stdout, as_json=options.json, quiet=options.quiet)
    try:
        profile = _profile(options)
        with Client(profile.url, profile.token) as client:
            return int(options.run(client, options, output))
    except NotReachable as error:
        print(f"{error} For your own one: make run", file=sys.stderr)
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
    """Mark words like ``-person`` behind ``search``: they are subtracted, and no options."""
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


@dataclass(frozen=True)
class Argument:
    """An argument or option of a command, as argparse has it."""

    names: tuple[str, ...]
    settings: Json


def _arg(*names: str, **settings: Any) -> Argument:
    return Argument(names, settings)


EVERYWHERE = (
    _arg("--profile", default="", metavar="NAME", help="one that you have logged in to"),
    _arg("--url", default="", help="the service, in place of the profile's"),
    _arg("--token", default="", help="in place of the profile's (or SIGHTLINE_TOKEN)"),
    _arg("--json", action="store_true", help="documents as the API has them, one a line"),
    _arg("--quiet", action="store_true", help="ids alone, and no progress"),
)
STATUSES = ("awaiting_upload", "labelling", "labelled", "failed", "binned")
ORDERS = ("arrival", "taken")
SOME = _arg("ids", nargs="+", metavar="ID")
IDS = _arg("ids", nargs="*", metavar="ID", help="images, by their ids")
ONE = _arg("id", metavar="ID")
MOST = _arg("--most", type=int, metavar="N", help="this many at the most")
QUERY = _arg("--query", metavar="QUERY", help="all that a query finds, as a job")
NO_WAIT = _arg("--no-wait", action="store_true", help="do not wait for the job's end")
SUBSCRIBED = (
    _arg("--filter", metavar="QUERY", help="only images that it finds"),
    _arg("--format", choices=("json", "xml")),
    _arg("--events", nargs="+", metavar="TYPE", help="of these events"),
)
COMMANDS: dict[
    str, tuple[str, Command | dict[str, tuple[str, Command, tuple[Argument, ...]]], tuple[Argument, ...]]
] = {
    "login": (
        "keep a service's address and token",
        login,
        (
            _arg("address", metavar="URL"),
            _arg("--name", default="default", help="of the profile (%(default)s)"),
        ),
    ),
    "logout": ("forget them", logout, ()),
    "label": ("hand in photos and folders, and show what is seen on them", labelling.label, ()),
    "search": (
        "find photos",
        commands.search,
        (
            _arg("words", nargs="*", metavar="WORD", help="dog beach -person"),
            _arg("--strict", action="store_true", help="take the words as a query of the language"),
            _arg("--status", default="", choices=STATUSES),
            _arg("--order", default="", choices=ORDERS),
            _arg("--most", type=int, default=50, metavar="N", help="this many at the most (%(default)s)"),
        ),
    ),
    "show": ("show photos with all their labels", commands.show, (SOME,)),
    "why": (
        "say why a photo has a label, or has it not",
        commands.why,
        (ONE, _arg("label", metavar="LABEL")),
    ),
    "history": ("show what happened to a photo", commands.history, (ONE,)),
    "labels": (
        "list labels with the number of their photos",
        commands.labels,
        (_arg("prefix", nargs="?", default=""), _arg("--sort", default="", choices=("name", "count")), MOST),
    ),
    "correct": (
        "say that labels are there, or are not",
        commands.correct,
        (
            IDS,
            QUERY,
            _arg("--add", action="append", default=[], metavar="LABEL"),
            _arg("--remove", action="append", default=[], metavar="LABEL"),
            NO_WAIT,
        ),
    ),
    "rename": ("rename a label everywhere", commands.rename, (_arg("label"), _arg("to"), NO_WAIT)),
    "caption": (
        "say what a photo shows",
        commands.caption,
        (
            ONE,
            _arg("text", nargs="?", help="a sentence or two"),
            _arg(
                "--alt", default="", metavar="TEXT", help="what stands for the picture where it is not seen"
            ),
            _arg("--remove", action="store_true", help="let the model's words count again"),
        ),
    ),
    "vocabulary": (
        "show or set the only terms that labels are shown by",
        commands.vocabulary,
        (
            _arg("--file", metavar="FILE", help="a term a line: sneaker = trainer = running shoe"),
            _arg("--clear", action="store_true", help="let any name do again"),
            NO_WAIT,
        ),
    ),
    "relabel": ("have photos recognised again", commands.relabel, (IDS, QUERY, NO_WAIT)),
    "delete": (
        "put photos into the bin",
        commands.delete,
        (
            SOME,
            _arg("--permanent", action="store_true", help="erase them now and for good"),
        ),
    ),
    "restore": ("take photos out of the bin", commands.restore, (SOME,)),
    "download": (
        "fetch originals",
        commands.download,
        (
            IDS,
            _arg("--query", metavar="QUERY", help="all that a query finds"),
            _arg("--to", default=".", metavar="FOLDER", help="where to (%(default)s)"),
        ),
    ),
    "export": (
        "write what a query finds as a table, or its photos as a ZIP file",
        commands.export,
        (
            _arg("words", nargs="*", metavar="QUERY"),
            _arg("--zip", action="store_true", help="the photos themselves"),
            _arg("--format", default="csv", choices=("csv", "jsonl")),
            _arg("--excel", action="store_true", help="so that Excel reads it"),
            _arg("-o", "--output", default="-", metavar="FILE", help="- is standard output (%(default)s)"),
        ),
    ),
    "usage": (
        "show images, calls and cost by day",
        commands.usage,
        (
            _arg("--from", dest="first", default="", metavar="DAY", help="2026-11-01"),
            _arg("--to", dest="last", default="", metavar="DAY"),
        ),
    ),
    "jobs": (
        "label in bulk, and look after jobs",
        {
            "list": (
                "newest first",
                jobs.listed,
                (_arg("--kind", default=""), _arg("--status", default=""), MOST),
            ),
            "show": ("one, with what it could not change", jobs.show, (ONE,)),
            "wait": ("until it is done", jobs.wait, (ONE,)),
            "label": (
                "label what is in a bucket or at addresses",
                jobs.label,
                (
                    _arg(
                        "source",
                        nargs="+",
                        metavar="SOURCE",
                        help="s3://bucket/folder/, a list, or addresses",
                    ),
                    _arg(
                        "--as",
                        dest="as_",
                        choices=("manifest", "inventory", "prefix"),
                        help="what the source is",
                    ),
                    _arg("--dry-run", action="store_true", help="only count, and say what it costs"),
                    _arg("--max-cost", type=float, metavar="DOLLARS", help="rest before it costs more"),
                    _arg("--unchanged-since", default="", metavar="TIME", help="refuse what is newer"),
                    _arg("--min-confidence", type=float, metavar="N", help="of labels, 0 to 100"),
                    NO_WAIT,
                ),
            ),
            "pause": ("let one rest", jobs.pause, (ONE,)),
            "resume": (
                "let it go on",
                jobs.resume,
                (ONE, _arg("--max-cost", type=float, metavar="DOLLARS", help="up to this, then"), NO_WAIT),
            ),
            "cancel": ("end it before its time", jobs.cancel, (ONE,)),
            "results": (
                "fetch what came of each line",
                jobs.results,
                (
                    ONE,
                    _arg("--file", choices=("results", "results_csv", "summary"), default="results"),
                    _arg("-o", "--output", default="results.jsonl", metavar="FILE", help="%(default)s"),
                ),
            ),
        },
        (),
    ),
    "deliveries": (
        "look at what was delivered",
        {
            "list": (
                "to the integration server, or as asked",
                commands.deliveries_list,
                (
                    _arg("--destination", default="", help="integration, subscription#ID, image#ID"),
                    _arg("--status", default="", help="parked: whatever was given up"),
                    MOST,
                ),
            ),
            "show": ("one with its attempts", commands.deliveries_show, (ONE,)),
            "retry": ("try again", commands.deliveries_retry, (SOME,)),
        },
        (),
    ),
    "subscriptions": (
        "have addresses told of results",
        {
            "list": ("all of them", commands.subscriptions_list, ()),
            "add": ("one more", commands.subscriptions_add, (_arg("address", metavar="URL"), *SUBSCRIBED)),
            "change": (
                "one",
                commands.subscriptions_change,
                (ONE, _arg("--to", default="", metavar="URL", help="another address"), *SUBSCRIBED),
            ),
            "pause": ("tell it nothing", commands.subscriptions_pause, (ONE,)),
            "resume": ("tell it again", commands.subscriptions_resume, (ONE,)),
            "confirm": ("ask whether it wants to be called often", commands.subscriptions_confirm, (ONE,)),
            "test": ("send an example", commands.subscriptions_test, (ONE,)),
            "remove": ("one", commands.subscriptions_remove, (ONE,)),
        },
        (),
    ),
    "tokens": (
        "let others in",
        {
            "list": ("all of them", commands.tokens_list, ()),
            "create": (
                "one more, whose text is shown this once",
                commands.tokens_create,
                (
                    _arg("--name", default=""),
                    _arg("--scopes", default="", help="read,write,admin"),
                    _arg("--days", type=int),
                ),
            ),
            "revoke": (
                "let nobody in with it",
                commands.tokens_revoke,
                (SOME,),
            ),
        },
        (),
    ),
    "completion": (
        "write the script that lets a shell complete these commands",
        write_completion,
        (_arg("shell", choices=completion.SHELLS),),
    ),
    "manual": ("write the manual page", write_manual, ()),
}


def parser() -> argparse.ArgumentParser:
    """All commands; what a shell completes and the manual are made from it, too."""
    top = argparse.ArgumentParser(
        prog="sightline",
        description="Label photos with a Sightline service, and work with what it knows of them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for argument in EVERYWHERE:
        top.add_argument(*argument.names, **argument.settings)
    added = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (text, does, arguments) in COMMANDS.items():
        one = added.add_parser(name, help=text, description=_sentence(text))
        if isinstance(does, dict):
            parts = one.add_subparsers(title="commands", metavar="COMMAND", required=True)
            for part, (part_text, part_does, part_arguments) in does.items():
                _fill(
                    parts.add_parser(part, help=part_text, description=_sentence(part_text)),
                    part_does,
                    part_arguments,
                )
        else:
            _fill(one, does, arguments)
    return top


def _fill(one: argparse.ArgumentParser, does: Command, arguments: Iterable[Argument]) -> None:
    for argument in arguments:
        one.add_argument(*argument.names, **argument.settings)
    if does is labelling.label:
        labelling.add_arguments(one)
    for argument in EVERYWHERE:  # behind the command, too; what stood before it is kept
        settings = {**argument.settings, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        one.add_argument(*argument.names, **settings)
    one.set_defaults(run=does)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.exit(main())
