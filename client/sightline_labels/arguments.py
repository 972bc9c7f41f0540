"""The commands of ``sightline`` and what each takes: one table, from which the parser is made."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_labels import (
    completion,
    delivery_commands,
    export_commands,
    job_commands,
    label_command,
    photo_commands,
    shell_commands,
)
from sightline_labels.client import Client
from sightline_labels.output import Output
from sightline_labels.sidecars import STEM, WHOLE

Options = argparse.Namespace
EXAMPLES = """examples:
  sightline login http://127.0.0.1:8000
  sightline label ~/Pictures
  sightline search "dog beach -person"
  sightline correct 01M8… --add Breakfast --remove Dessert
"""
STATUSES = ("awaiting_upload", "labelling", "labelled", "failed", "binned")


class Arg:
    """An argument or option, with what argparse wants to know of it."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names = names
        self.settings = settings


class Command:
    """A command: its ``help``, the function that runs it, and what it takes."""

    def __init__(self, help: str, run: Callable[[Client, Options, Output], int], *arguments: Arg) -> None:
        self.help = help
        self.run = run
        self.arguments = arguments


@dataclass(frozen=True)
class Group:
    """Commands behind another word, as in ``sightline jobs list``."""

    help: str
    commands: Mapping[str, Command]


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("from 1 to 64")
    return number


EVERYWHERE = (
    Arg("--profile", default="", metavar="NAME", help="use this profile, made by login --name NAME"),
    Arg("--url", default="", help="use the service at this address instead of a profile's"),
    Arg("--token", default="", help="use this token instead of the profile's or SIGHTLINE_TOKEN"),
    Arg("--json", action="store_true", help="print the API's documents, one a line"),
    Arg("--quiet", action="store_true", help="print only ids, and no progress"),
)
ONE = Arg("id", metavar="ID")
SOME = Arg("ids", nargs="+", metavar="ID")
IDS = Arg("ids", nargs="*", metavar="ID", help="ids of images, as search prints them")
MOST = Arg("--most", type=int, metavar="N", help="print at most this many")
QUERY = Arg("--query", metavar="QUERY", help="all images that this query finds, as a job")
NO_WAIT = Arg("--no-wait", action="store_true", help="do not wait for the job's end")
SUBSCRIBED = (
    Arg("--filter", metavar="QUERY", help="send only images that this query finds"),
    Arg("--format", choices=("json", "xml"), help="format of what is sent (json)"),
    Arg("--events", nargs="+", metavar="TYPE", help="send only events of these types"),
)

COMMANDS: dict[str, Command | Group] = {
    "login": Command(
        "store the address of a service, and a token if it asks for one",
        shell_commands.login,
        Arg("address", metavar="URL", help="the service, for instance http://127.0.0.1:8000"),
        Arg("--name", default="default", help="name of the profile (%(default)s)"),
    ),
    "logout": Command("remove a profile with its token", shell_commands.logout),
    "label": Command(
        "upload photos and folders of photos, and print what is on them",
        label_command.label,
        Arg("paths", nargs="+", type=Path, metavar="PATH", help="photos and folders"),
        Arg("--at-once", type=_count, default=8, metavar="N", help="upload N at a time (%(default)s)"),
        Arg("--again", action="store_true", help="also send photos that the service has already"),
        Arg("--no-wait", action="store_true", help="do not wait for the labels"),
        Arg("--xmp", choices=("sidecar", "embed"), help="write labels beside each photo, or into it"),
        Arg(
            "--xmp-name",
            choices=(WHOLE, STEM),
            default=WHOLE,
            help="name of these files (%(default)s)",
        ),
        Arg("--watch", action="store_true", help="keep running, and label new files in the folders"),
        Arg("--min-confidence", type=float, metavar="PERCENT", help="labels at least this sure"),
        Arg("--features", nargs="+", metavar="FEATURE", help="what to look for, for instance labels caption"),
    ),
    "search": Command(
        "find photos by plain words or by a query",
        photo_commands.search,
        Arg("words", nargs="*", metavar="WORD", help="words, for instance: dog beach -person"),
        Arg("--strict", action="store_true", help="read the words as a query of the query language"),
        Arg("--status", default="", choices=STATUSES, help="only images of this status"),
        Arg("--order", default="", choices=("arrival", "taken"), help="newest upload first, or newest photo"),
        Arg("--most", type=int, default=50, metavar="N", help="print at most this many (%(default)s)"),
    ),
    "show": Command("print photos with all their labels", photo_commands.show, SOME),
    "why": Command(
        "say why a photo has a label, or why not",
        photo_commands.why,
        ONE,
        Arg("label", metavar="LABEL"),
    ),
    "history": Command("list a photo's results, and what changed between them", photo_commands.history, ONE),
    "labels": Command(
        "list labels with the number of their photos",
        photo_commands.labels,
        Arg("prefix", nargs="?", default="", metavar="PREFIX", help="only labels that begin so"),
        Arg("--sort", default="", choices=("name", "count"), help="by name, or the most frequent first"),
        MOST,
    ),
    "correct": Command(
        "add or remove labels of photos",
        photo_commands.correct,
        IDS,
        QUERY,
        Arg("--add", action="append", default=[], metavar="LABEL", help="this is on the photo"),
        Arg("--remove", action="append", default=[], metavar="LABEL", help="this is not on the photo"),
        NO_WAIT,
    ),
    "rename": Command(
        "rename a label on all photos, now and later",
        photo_commands.rename,
        Arg("label", metavar="LABEL", help="the label as it is called now"),
        Arg("to", metavar="NAME", help="its new name"),
        NO_WAIT,
    ),
    "caption": Command(
        "write a photo's caption",
        photo_commands.caption,
        ONE,
        Arg("text", nargs="?", metavar="TEXT", help="a sentence or two"),
        Arg("--alt", default="", metavar="TEXT", help="alternative text for screen readers"),
        Arg("--remove", action="store_true", help="remove yours; the model's caption counts again"),
    ),
    "vocabulary": Command(
        "print or set your own terms, the only ones that labels are shown in",
        photo_commands.vocabulary,
        Arg("--file", metavar="FILE", help="terms, one a line: sneaker = trainer = running shoe"),
        Arg("--clear", action="store_true", help="remove all terms: labels keep their own names"),
        NO_WAIT,
    ),
    "relabel": Command("recognise photos again", photo_commands.relabel, IDS, QUERY, NO_WAIT),
    "delete": Command(
        "put photos into the bin",
        photo_commands.delete,
        SOME,
        Arg("--permanent", action="store_true", help="erase them now, for good"),
    ),
    "restore": Command("take photos out of the bin", photo_commands.restore, SOME),
    "download": Command(
        "download originals",
        photo_commands.download,
        IDS,
        Arg("--query", metavar="QUERY", help="all images that this query finds"),
        Arg("--to", default=".", metavar="FOLDER", help="into this folder (%(default)s)"),
    ),
    "export": Command(
        "write what a query finds as a table, or its photos as a ZIP file",
        export_commands.export,
        Arg("words", nargs="*", metavar="QUERY", help="a query (everything)"),
        Arg("--zip", action="store_true", help="export the photos themselves"),
        Arg("--format", default="csv", choices=("csv", "jsonl"), help="format of the table (%(default)s)"),
        Arg("--excel", action="store_true", help="mark the CSV file as UTF-8 for Excel"),
        Arg("-o", "--output", default="-", metavar="FILE", help="the file; - is standard output"),
    ),
    "usage": Command(
        "print images, recogniser calls and their cost by day",
        export_commands.usage,
        Arg("--from", dest="first", default="", metavar="DAY", help="first day, like 2026-11-01"),
        Arg("--to", dest="last", default="", metavar="DAY", help="last day"),
    ),
    "jobs": Group(
        "label what is in a bucket, and manage jobs",
        {
            "list": Command(
                "list jobs, newest first",
                job_commands.listed,
                Arg("--kind", default="", help="only this kind, for instance label or relabel"),
                Arg("--status", default="", help="only this status, for instance running or done"),
                MOST,
            ),
            "show": Command("print a job and what it could not change", job_commands.show, ONE),
            "wait": Command("wait until a job is done", job_commands.wait, ONE),
            "label": Command(
                "label what is in a bucket or at web addresses",
                job_commands.label,
                Arg("source", nargs="+", metavar="SOURCE", help="s3://bucket/folder/, a list, or addresses"),
                Arg(
                    "--as", dest="as_", choices=("manifest", "inventory", "prefix"), help="what the source is"
                ),
                Arg("--dry-run", action="store_true", help="only count, and print the price"),
                Arg("--max-cost", type=float, metavar="DOLLARS", help="pause before it costs more"),
                Arg("--unchanged-since", default="", metavar="TIME", help="refuse files newer than this"),
                Arg("--min-confidence", type=float, metavar="PERCENT", help="labels at least this sure"),
                NO_WAIT,
            ),
            "pause": Command("pause a job", job_commands.pause, ONE),
            "resume": Command(
                "resume a paused job",
                job_commands.resume,
                ONE,
                Arg("--max-cost", type=float, metavar="DOLLARS", help="its new limit"),
                NO_WAIT,
            ),
            "cancel": Command("end a job now; results so far are written", job_commands.cancel, ONE),
            "results": Command(
                "download the results of a job that labelled",
                job_commands.results,
                ONE,
                Arg(
                    "--file",
                    choices=("results", "results_csv", "summary"),
                    default="results",
                    help="which file (%(default)s)",
                ),
                Arg(
                    "-o",
                    "--output",
                    default="results.jsonl",
                    metavar="FILE",
                    help="the file (%(default)s)",
                ),
            ),
        },
    ),
    "deliveries": Group(
        "show what was sent to whom, and send it again",
        {
            "list": Command(
                "list deliveries, to the integration server unless you say otherwise",
                delivery_commands.deliveries_list,
                Arg("--destination", default="", help="integration, callback, or a subscription's id"),
                Arg("--status", default="", help="only this status; parked ones were given up"),
                MOST,
            ),
            "show": Command("print a delivery with its attempts", delivery_commands.deliveries_show, ONE),
            "retry": Command("send deliveries again", delivery_commands.deliveries_retry, SOME),
        },
    ),
    "subscriptions": Group(
        "have results sent to an address",
        {
            "list": Command("list subscriptions", delivery_commands.subscriptions_list),
            "add": Command(
                "subscribe an address; prints its signing secret, once",
                delivery_commands.subscriptions_add,
                Arg("address", metavar="URL", help="where to send results"),
                *SUBSCRIBED,
            ),
            "change": Command(
                "change a subscription",
                delivery_commands.subscriptions_change,
                ONE,
                Arg("--to", default="", metavar="URL", help="its new address"),
                *SUBSCRIBED,
            ),
            "pause": Command("send it nothing for a while", delivery_commands.subscriptions_pause, ONE),
            "resume": Command("send to it again", delivery_commands.subscriptions_resume, ONE),
            "confirm": Command(
                "ask the receiver to agree to many requests", delivery_commands.subscriptions_confirm, ONE
            ),
            "test": Command("send it an example", delivery_commands.subscriptions_test, ONE),
            "remove": Command("remove a subscription", delivery_commands.subscriptions_remove, ONE),
        },
    ),
    "tokens": Group(
        "manage tokens, which let others use the service",
        {
            "list": Command("list tokens", delivery_commands.tokens_list),
            "create": Command(
                "make a token and print it, once",
                delivery_commands.tokens_create,
                Arg("--name", default="", help="a name to know it by"),
                Arg("--scopes", default="", help="some of read,write,admin"),
                Arg("--days", type=int, help="days until it expires"),
            ),
            "revoke": Command("revoke tokens", delivery_commands.tokens_revoke, SOME),
        },
    ),
    "completion": Command(
        "print a script with which a shell completes these commands",
        shell_commands.write_completion,
        Arg("shell", choices=completion.SHELLS),
    ),
    "manual": Command("print the manual page", shell_commands.write_manual),
}


def parser() -> argparse.ArgumentParser:
    """The parser of a line; completion and manual are made from it, too."""
    top = argparse.ArgumentParser(
        prog="sightline",
        description="Label photos with a Sightline service, and find them by what is on them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.set_defaults(parser=top)
    for argument in EVERYWHERE:
        top.add_argument(*argument.names, **argument.settings)
    _add(top, COMMANDS)
    return top


def _add(to: argparse.ArgumentParser, commands: Mapping[str, Command | Group]) -> None:
    added = to.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in commands.items():
        sentence = f"{command.help[0].upper()}{command.help[1:]}."
        one = added.add_parser(name, help=command.help, description=sentence)
        if isinstance(command, Group):
            _add(one, command.commands)
            continue
        for argument in command.arguments:
            one.add_argument(*argument.names, **argument.settings)
        for argument in EVERYWHERE:  # behind the command, too; what stood before it is kept
            settings = {**argument.settings, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
            one.add_argument(*argument.names, **settings)
        one.set_defaults(run=command.run)
