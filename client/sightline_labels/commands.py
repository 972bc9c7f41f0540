"""What commands do: each is a function of the client, its options and the terminal, and says how it went."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.files import written_whole
from sightline_labels.jobs import told_of_job
from sightline_labels.output import Output
from sightline_labels.table import seen
from sightline_labels.uploading import problem_of

ZIP_SECONDS = 24 * 3600.0  # for as long an archive is kept

Json = dict[str, Any]
Options = argparse.Namespace


# ── photos ────────────────────────────────────────────────────────────────────────────────────
def search(client: Client, options: Options, out: Output) -> int:
    found = client.search(
        " ".join(options.words),
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
        return told_of_job(
            client, client.correct_found(options.query, add=options.add, remove=options.remove), options, out
        )
    for image_id in _ids(options):
        image = client.correct(image_id, add=options.add, remove=options.remove)
        out.document(image, [f"{image['id']}  {seen(image, most=6)}"])
    return 0


def relabel(client: Client, options: Options, out: Output) -> int:
    if options.query is not None:
        return told_of_job(client, client.relabel_found(options.query), options, out)
    return _each(_ids(options), client.relabel, out)


def delete(client: Client, options: Options, out: Output) -> int:
    for image_id in options.ids:
        client.delete(image_id, permanent=options.permanent)
        out.say(f"{image_id} is {'erased' if options.permanent else 'in the bin'}.")
    return 0


def restore(client: Client, options: Options, out: Output) -> int:
    return _each(options.ids, client.restore, out)


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


def _each(ids: Iterable[str], act: Callable[[str], Json], out: Output) -> int:
    """Do something with each, and say where it stands then."""
    for one in map(act, ids):
        out.document(one, [f"{one['id']}  {one['status']}"])
    return 0


def _ids(options: Options) -> list[str]:
    if not options.ids:
        raise SightlineError("Say which images: their ids, or --query.")
    return list(options.ids)


# ── labels, exports ──────────────────────────────────────────────────────────────────────────
def labels(client: Client, options: Options, out: Output) -> int:
    found = client.labels(options.prefix, sort=options.sort, most=options.most)
    return out.rows(found, lambda one: [one["count"], one["name"]], nothing="There are no labels.")


def rename(client: Client, options: Options, out: Output) -> int:
    return told_of_job(client, client.rename(options.label, options.to), options, out)


def caption(client: Client, options: Options, out: Output) -> int:
    if not options.remove and not options.text and not options.alt:
        raise SightlineError("Say what it shows, or --alt, or --remove.")
    image = client.caption(options.id, *(() if options.remove else (options.text or "", options.alt)))
    told = image.get("caption") or {}
    out.document(image, [f"{image['id']}  {told.get('text') or ''}", f"  alt: {told.get('alt') or ''}"])
    return 0


def vocabulary(client: Client, options: Options, out: Output) -> int:
    """Show the terms, or take those of a file, one a line."""
    if options.file is None and not options.clear:
        terms = ({"term": one} for one in client.vocabulary())
        return out.rows(terms, lambda one: [one["term"]], nothing="Any name will do.")
    lines = [] if options.clear else Path(options.file).read_text("utf-8").splitlines()
    chosen = [one.strip() for one in lines if one.strip() and not one.startswith("#")]
    return told_of_job(client, client.set_vocabulary(chosen), options, out)


def export(client: Client, options: Options, out: Output) -> int:
    if options.zip:
        return _export_photos(client, options, out)
    pieces = client.export(" ".join(options.words), format=options.format, excel=options.excel)
    if options.output == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return 0
    path = Path(options.output)
    with written_whole(path) as file:
        file.writelines(pieces)
    out.say(f"Written to {path}.")
    return 0


def _export_photos(client: Client, options: Options, out: Output) -> int:
    """Pack what a query finds and fetch it; 0 only if the archive holds all of it."""
    if options.output == "-" or options.excel or options.format != "csv":
        raise SightlineError(
            "A ZIP file goes into a file, without --format and --excel: --zip -o photos.zip."
        )
    path = Path(options.output)
    if not path.parent.is_dir():
        raise SightlineError(f"There is no folder {path.parent}.")
    started = client.export_photos(" ".join(options.words))
    job = client.wait_for_job(
        started["id"],
        ZIP_SECONDS,
        told=lambda now: out.progress(f"packing: {now['looked_at']} looked at, {now['changed']} packed"),
    )
    count = client.download_archive(
        job["id"], path, told=lambda done, size: out.progress(f"{path.name}: {done:,} of {size:,} bytes")
    )
    missing = job.get("missing") or []
    lines = [f"{count - bool(missing)} photos are in {path}."]
    lines += [f"Not in it, as its file is not in the bucket: {one}" for one in missing]
    lines += [] if job["complete"] or missing else ["It is full, and does not hold all that is found."]
    out.document({**job, "path": str(path), "files": count}, lines)
    return 0 if job["complete"] and job["status"] == "done" else 1


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
    return _each(options.ids, client.retry_delivery, out)


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


# ── tokens ───────────────────────────────────────────────────────────────────────
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
