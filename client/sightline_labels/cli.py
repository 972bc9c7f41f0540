"""``sightline``: the command line. A command is a function of the client, its options and the terminal."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sightline_labels import completion, labelling, manual
from sightline_labels.client import Client, NotInTime
from sightline_labels.errors import NotReachable, SightlineError
from sightline_labels.output import Output
from sightline_labels.profiles import Profile, Profiles
from sightline_labels.table import seen
from sightline_labels.uploading import problem_of

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


# ── photos ────────────────────────────────────────────────────────────────────────────────────
def search(client: Client, options: Options, out: Output) -> int:
    found = client.search(
        " ".join(word.removeprefix(SUBTRACTED) for word in options.words),
        strict=options.strict,
        status=options.status,
        order=options.order,
        most=options.most,
    )
    return out.rows(found, lambda one: [one["id"], one["filename"], seen(one)], nothing="Nothing is found.")


def show(client: Client, options: Options, out: Output) -> int:
    for image_id in options.ids:
        image = client.image(image_id)
        out.document(image, _described(image))
    return 0


def _described(image: Json) -> list[str]:
    lines = [f"{image['filename']}  ({image['id']}, {image['status']})"]
    lines += [f"  {name}: {image[name]}" for name in ("created_at", "taken_at", "size") if image.get(name)]
    if image.get("error"):
        lines.append(f"  {problem_of(image)}")
    for label in image.get("labels", []):
        above = f" ({', '.join(label['parents'])})" if label["parents"] else ""
        lines.append(f"  {label['confidence']:6.2f}  {label['name']}{above}")
    return lines


def why(client: Client, options: Options, out: Output) -> int:
    found = client.why(options.id, options.label)
    out.document(found, [found["detail"]])
    return 0


def history(client: Client, options: Options, out: Output) -> int:
    found = client.history(options.id)
    out.document(found, [_result_line(one) for one in found["history"]])
    return 0


def _result_line(one: Json) -> str:
    changes = one["changes"] or {"added": [], "removed": []}
    told = [f"+{name}" for name in changes["added"]] + [f"-{name}" for name in changes["removed"]]
    return f"{one['result']}  {one['at']}  {one['kind']}  {', '.join(told)}".rstrip()


def correct(client: Client, options: Options, out: Output) -> int:
    if not options.add and not options.remove:
        raise SightlineError("Say what to --add or to --remove.")
    if options.query is not None:
        return _job(
            client, client.correct_found(options.query, add=options.add, remove=options.remove), options, out
        )
    for image_id in _ids(options):
        image = client.correct(image_id, add=options.add, remove=options.remove)
        out.document(image, [f"{image['id']}  {seen(image, most=6)}"])
    return 0


def relabel(client: Client, options: Options, out: Output) -> int:
    if options.query is not None:
        return _job(client, client.relabel_found(options.query), options, out)
    for image_id in _ids(options):
        image = client.relabel(image_id)
        out.document(image, [f"{image['id']}  {image['status']}"])
    return 0


def delete(client: Client, options: Options, out: Output) -> int:
    for image_id in options.ids:
        client.delete(image_id, permanent=options.permanent)
        out.say(f"{image_id} is {'erased' if options.permanent else 'in the bin'}.")
    return 0


def restore(client: Client, options: Options, out: Output) -> int:
    for image_id in options.ids:
        image = client.restore(image_id)
        out.document(image, [f"{image['id']}  {image['status']}"])
    return 0


def download(client: Client, options: Options, out: Output) -> int:
    folder = Path(options.to)
    folder.mkdir(parents=True, exist_ok=True)
    images: Iterable[Json] = map(client.image, options.ids)
    if options.query is not None:
        images = client.search(options.query, strict=True)
    count = 0
    for image in images:
        path = _free(folder / _safe(image["filename"] or image["id"]), image["id"])
        client.download(image["id"], path)
        out.document({"id": image["id"], "path": str(path)}, [str(path)])
        count += 1
    if not count:
        out.say("Nothing is found.")
    return 0 if count else 1


def _safe(name: str) -> str:
    """The last part of a file name from elsewhere, which leads to no other folder."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return (
        "".join("_" if one in '<>:"|?*' or not one.isprintable() else one for one in last).lstrip(".")
        or "photo"
    )


def _free(path: Path, image_id: str) -> Path:
    return path.with_stem(f"{path.stem}-{image_id}") if path.exists() else path


def _ids(options: Options) -> list[str]:
    if not options.ids:
        raise SightlineError("Say which images: their ids, or --query.")
    return list(options.ids)


# ── labels, jobs, exports ─────────────────────────────────────────────────────────────────────
def labels(client: Client, options: Options, out: Output) -> int:
    found = client.labels(options.prefix, sort=options.sort, most=options.most)
    return out.rows(found, lambda one: [one["count"], one["name"]], nothing="There are no labels.")


def rename(client: Client, options: Options, out: Output) -> int:
    return _job(client, client.rename(options.label, options.to), options, out)


def jobs_list(client: Client, options: Options, out: Output) -> int:
    found = client.jobs(kind=options.kind, status=options.status, most=options.most)
    return out.rows(found, _job_row, nothing="There are no jobs.")


def jobs_show(client: Client, options: Options, out: Output) -> int:
    job = client.job(options.id)
    out.document(job, _job_lines(job))
    return 0


def jobs_wait(client: Client, options: Options, out: Output) -> int:
    return _waited(client, options.id, out)


def _job(client: Client, job: Json, options: Options, out: Output) -> int:
    """Tell of a job that has begun, and of its end where that is waited for."""
    if options.no_wait:
        out.document(job, _job_lines(job))
        return 0
    return _waited(client, job["id"], out)


def _waited(client: Client, job_id: str, out: Output) -> int:
    job = client.wait_for_job(
        job_id, told=lambda now: out.progress(f"{now['kind']}: {now['looked_at']} looked at")
    )
    out.document(job, _job_lines(job))
    return 0 if job["status"] == "done" and not job["failed"] else 1


def _job_row(job: Json) -> list[Any]:
    return [
        job["id"],
        job["kind"],
        job["status"],
        job["looked_at"],
        job["changed"],
        job["failed"],
        job["created_at"],
    ]


def _job_lines(job: Json) -> list[str]:
    counts = f"{job['looked_at']} looked at, {job['changed']} changed, {job['failed']} failed"
    lines = [f"{job['id']}  {job['kind']} {job['status']}: {counts}"]
    lines += [f"  {one['image_id']}  {one['code']}" for one in job["failures"]]
    content = job["links"].get("content")
    return lines + ([f"  {content}"] if content else [])


def export(client: Client, options: Options, out: Output) -> int:
    pieces = client.export(" ".join(options.words), format=options.format, excel=options.excel)
    if options.output == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return 0
    path = Path(options.output)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    out.say(f"Written to {path}.")
    return 0


def usage(client: Client, options: Options, out: Output) -> int:
    found = client.usage(options.first, options.last)
    rows = [
        [one["day"], one["images"], one["duplicates_spared"], f"{one['cost']:.4f}"] for one in found["days"]
    ]
    total = found["total"]
    rows.append(["all", total["images"], total["duplicates_spared"], f"{total['cost']:.4f}"])
    out.table(found, ["day", "images", "spared", found["currency"]], rows)
    return 0


# ── who is told ───────────────────────────────────────────────────────────────────────────────
def deliveries_list(client: Client, options: Options, out: Output) -> int:
    destination = options.destination or ("" if options.status else "integration")
    found = client.deliveries(destination=destination, status=options.status, most=options.most)
    return out.rows(found, _delivery_row, nothing="There are no deliveries.")


def _delivery_row(one: Json) -> list[Any]:
    return [one["id"], one["status"], len(one["attempts"]), one["destination"], one["image_id"]]


def deliveries_show(client: Client, options: Options, out: Output) -> int:
    found = client.delivery(options.id)
    lines = [f"{found['id']}  {found['status']} to {found['destination']}, image {found['image_id']}"]
    for one in found["attempts"]:
        lines.append(f"  {one['at']}  {one['status'] or one['error'] or 'under way'}  {one['answer'] or ''}")
    out.document(found, lines)
    return 0


def deliveries_retry(client: Client, options: Options, out: Output) -> int:
    for delivery_id in options.ids:
        found = client.retry_delivery(delivery_id)
        out.document(found, [f"{found['id']}  {found['status']}"])
    return 0


def subscriptions_list(client: Client, options: Options, out: Output) -> int:
    return out.rows(client.subscriptions(), _subscription_row, nothing="There are no subscriptions.")


def _subscription_row(one: Json) -> list[Any]:
    return [one["id"], _standing(one), one["url"], one["filter"] or ""]


def _standing(one: Json) -> str:
    if one["paused"] or one["disabled"]:
        return "paused" if one["paused"] else "disabled"
    return "confirmed" if one["confirmed"] else "not confirmed"


def subscriptions_add(client: Client, options: Options, out: Output) -> int:
    made = client.subscribe(options.address, **_wishes(options))
    out.document(
        made,
        [f"{made['id']}  {made['url']}", f"Its signing secret, shown this once: {made.get('secret', '')}"],
    )
    return 0


def subscriptions_change(client: Client, options: Options, out: Output) -> int:
    changes = {**_wishes(options), **({"url": options.to} if options.to else {})}
    if not changes:
        raise SightlineError("Say what to change: --to, --filter, --format or --events.")
    return _shown(client.change_subscription(options.id, **changes), out)


def subscriptions_pause(client: Client, options: Options, out: Output) -> int:
    return _shown(client.change_subscription(options.id, paused=True), out)


def subscriptions_resume(client: Client, options: Options, out: Output) -> int:
    return _shown(client.change_subscription(options.id, paused=False), out)


def subscriptions_confirm(client: Client, options: Options, out: Output) -> int:
    return _tried(client.confirm_subscription(options.id), "confirmed", out)


def subscriptions_test(client: Client, options: Options, out: Output) -> int:
    return _tried(client.test_subscription(options.id), "arrived", out)


def _tried(found: Json, done: str, out: Output) -> int:
    """What a receiver answered, and 0 if that was what it should."""
    answered = found["error"] or f"status {found['status']}"
    out.document(found, [f"{done if found[done] else f'not {done}'}: {answered}"])
    return 0 if found[done] else 1


def subscriptions_remove(client: Client, options: Options, out: Output) -> int:
    client.unsubscribe(options.id)
    out.say(f"{options.id} is removed.")
    return 0


def _shown(one: Json, out: Output) -> int:
    out.document(one, [f"{one['id']}  {_standing(one)}  {one['url']}"])
    return 0


def _wishes(options: Options) -> Json:
    wished = {"filter": options.filter, "format": options.format, "event_types": options.events}
    return {name: value for name, value in wished.items() if value not in (None, [])}


# ── tokens and profiles ───────────────────────────────────────────────────────────────────────
def tokens_list(client: Client, options: Options, out: Output) -> int:
    return out.rows(client.tokens(), _token_row, nothing="There are no tokens.")


def _token_row(one: Json) -> list[Any]:
    return [one["id"], one["name"], ",".join(one["scopes"]), one["expires_at"], one["last_used_at"] or ""]


def tokens_create(client: Client, options: Options, out: Output) -> int:
    scopes = options.scopes.split(",") if options.scopes else []
    made = client.create_token(name=options.name, scopes=scopes, days=options.days)
    out.document(made, [made["token"]])
    return 0


def tokens_revoke(client: Client, options: Options, out: Output) -> int:
    for token_id in options.ids:
        client.revoke_token(token_id)
        out.say(f"{token_id} is revoked.")
    return 0


def login(client: Client, options: Options, out: Output) -> int:
    asks = client.health().get("auth") != "none"
    token = options.token or os.environ.get("SIGHTLINE_TOKEN", "")
    if asks and not token:
        if not sys.stdin.isatty():
            raise SightlineError(f"{client.url} asks for a token: sightline login {client.url} --token …")
        import getpass

        token = getpass.getpass("Token: ")
    with Client(client.url, token) as known:
        for _ in known.search(most=1):
            break
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
    output = Output(out or sys.stdout, as_json=options.json, quiet=options.quiet)
    try:
        profile = _profile(options)
        with Client(profile.url, profile.token) as client:
            return int(options.run(client, options, output))
    except NotReachable as error:
        print(f"{error} For your own one: make run", file=sys.stderr)
    except (SightlineError, NotInTime) as error:
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
        search,
        (
            _arg("words", nargs="*", metavar="WORD", help="dog beach -person"),
            _arg("--strict", action="store_true", help="take the words as a query of the language"),
            _arg("--status", default="", choices=("waiting", "labelling", "labelled", "failed", "binned")),
            _arg("--order", default="", choices=("arrival", "taken", "-taken")),
            _arg("--most", type=int, default=50, metavar="N", help="this many at the most (%(default)s)"),
        ),
    ),
    "show": ("show photos with all their labels", show, (_arg("ids", nargs="+", metavar="ID"),)),
    "why": ("say why a photo has a label, or has it not", why, (ONE, _arg("label", metavar="LABEL"))),
    "history": ("show what happened to a photo", history, (ONE,)),
    "labels": (
        "list labels with the number of their photos",
        labels,
        (_arg("prefix", nargs="?", default=""), _arg("--sort", default="", choices=("name", "count")), MOST),
    ),
    "correct": (
        "say that labels are there, or are not",
        correct,
        (
            IDS,
            QUERY,
            _arg("--add", action="append", default=[], metavar="LABEL"),
            _arg("--remove", action="append", default=[], metavar="LABEL"),
            NO_WAIT,
        ),
    ),
    "rename": ("rename a label everywhere", rename, (_arg("label"), _arg("to"), NO_WAIT)),
    "relabel": ("have photos recognised again", relabel, (IDS, QUERY, NO_WAIT)),
    "delete": (
        "put photos into the bin",
        delete,
        (
            _arg("ids", nargs="+", metavar="ID"),
            _arg("--permanent", action="store_true", help="erase them now and for good"),
        ),
    ),
    "restore": ("take photos out of the bin", restore, (_arg("ids", nargs="+", metavar="ID"),)),
    "download": (
        "fetch originals",
        download,
        (
            IDS,
            _arg("--query", metavar="QUERY", help="all that a query finds"),
            _arg("--to", default=".", metavar="FOLDER", help="where to (%(default)s)"),
        ),
    ),
    "export": (
        "write what a query finds as a table",
        export,
        (
            _arg("words", nargs="*", metavar="QUERY"),
            _arg("--format", default="csv", choices=("csv", "jsonl")),
            _arg("--excel", action="store_true", help="so that Excel reads it"),
            _arg("-o", "--output", default="-", metavar="FILE", help="- is standard output (%(default)s)"),
        ),
    ),
    "usage": (
        "show images, calls and cost by day",
        usage,
        (
            _arg("--from", dest="first", default="", metavar="DAY", help="2026-11-01"),
            _arg("--to", dest="last", default="", metavar="DAY"),
        ),
    ),
    "jobs": (
        "look at jobs",
        {
            "list": (
                "newest first",
                jobs_list,
                (_arg("--kind", default=""), _arg("--status", default=""), MOST),
            ),
            "show": ("one, with what it could not change", jobs_show, (ONE,)),
            "wait": ("until it is done", jobs_wait, (ONE,)),
        },
        (),
    ),
    "deliveries": (
        "look at what was delivered",
        {
            "list": (
                "to the integration server, or as asked",
                deliveries_list,
                (
                    _arg("--destination", default="", help="integration, subscription#ID, image#ID"),
                    _arg("--status", default="", help="parked: whatever was given up"),
                    MOST,
                ),
            ),
            "show": ("one with its attempts", deliveries_show, (ONE,)),
            "retry": ("try again", deliveries_retry, (_arg("ids", nargs="+", metavar="ID"),)),
        },
        (),
    ),
    "subscriptions": (
        "have addresses told of results",
        {
            "list": ("all of them", subscriptions_list, ()),
            "add": ("one more", subscriptions_add, (_arg("address", metavar="URL"), *SUBSCRIBED)),
            "change": (
                "one",
                subscriptions_change,
                (ONE, _arg("--to", default="", metavar="URL", help="another address"), *SUBSCRIBED),
            ),
            "pause": ("tell it nothing", subscriptions_pause, (ONE,)),
            "resume": ("tell it again", subscriptions_resume, (ONE,)),
            "confirm": ("ask whether it wants to be called often", subscriptions_confirm, (ONE,)),
            "test": ("send an example", subscriptions_test, (ONE,)),
            "remove": ("one", subscriptions_remove, (ONE,)),
        },
        (),
    ),
    "tokens": (
        "let others in",
        {
            "list": ("all of them", tokens_list, ()),
            "create": (
                "one more, whose text is shown this once",
                tokens_create,
                (
                    _arg("--name", default=""),
                    _arg("--scopes", default="", help="read,write,admin"),
                    _arg("--days", type=int),
                ),
            ),
            "revoke": ("let nobody in with it", tokens_revoke, (_arg("ids", nargs="+", metavar="ID"),)),
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
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (text, does, arguments) in COMMANDS.items():
        one = commands.add_parser(name, help=text, description=_sentence(text))
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
