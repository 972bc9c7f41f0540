"""The commands about photos and their labels.

A command is a function of the client, the options of its line and the terminal; it answers the exit code.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.job_commands import told_of_job
from sightline_labels.output import Output
from sightline_labels.table import seen
from sightline_labels.uploads import problem_of

Json = dict[str, Any]
Options = argparse.Namespace


def search(client: Client, options: Options, out: Output) -> int:
    found = client.search(
        " ".join(options.words),
        strict=options.strict,
        status=options.status,
        order=options.order,
        most=options.most,
    )
    return out.rows(found, lambda one: [one["id"], one["filename"], seen(one)], nothing="Nothing found.")


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
        raise SightlineError("Name a label to --add or to --remove.")
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
    return each(_ids(options), client.relabel, out)


def delete(client: Client, options: Options, out: Output) -> int:
    for image_id in options.ids:
        client.delete(image_id, permanent=options.permanent)
        out.say(f"{image_id} is {'erased' if options.permanent else 'in the bin'}.")
    return 0


def restore(client: Client, options: Options, out: Output) -> int:
    return each(options.ids, client.restore, out)


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
        out.say("Nothing found.")
    return 0 if count else 1


def _safe(name: str) -> str:
    """The last part of a file name, safe to write into a folder."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return (
        "".join("_" if one in '<>:"|?*' or not one.isprintable() else one for one in last).lstrip(".")
        or "photo"
    )


def _free(path: Path, image_id: str) -> Path:
    return path.with_stem(f"{path.stem}-{image_id}") if path.exists() else path


def each(ids: Iterable[str], act: Callable[[str], Json], out: Output) -> int:
    """Do something with each image or delivery, and print its status then."""
    for one in map(act, ids):
        out.document(one, [f"{one['id']}  {one['status']}"])
    return 0


def _ids(options: Options) -> list[str]:
    if not options.ids:
        raise SightlineError("Name images by their ids, or give a --query.")
    return list(options.ids)


def labels(client: Client, options: Options, out: Output) -> int:
    found = client.labels(options.prefix, sort=options.sort, most=options.most)
    return out.rows(found, lambda one: [one["count"], one["name"]], nothing="There are no labels.")


def rename(client: Client, options: Options, out: Output) -> int:
    return told_of_job(client, client.rename(options.label, options.to), options, out)


def caption(client: Client, options: Options, out: Output) -> int:
    if not options.remove and not options.text and not options.alt:
        raise SightlineError("Give a caption, --alt or --remove.")
    image = client.caption(options.id, *(() if options.remove else (options.text or "", options.alt)))
    told = image.get("caption") or {}
    out.document(image, [f"{image['id']}  {told.get('text') or ''}", f"  alt: {told.get('alt') or ''}"])
    return 0


def vocabulary(client: Client, options: Options, out: Output) -> int:
    """Print the terms, or set those of a file, one a line."""
    if options.file is None and not options.clear:
        terms = ({"term": one} for one in client.vocabulary())
        return out.rows(
            terms, lambda one: [one["term"]], nothing="There is no vocabulary: labels keep their own names."
        )
    lines = [] if options.clear else Path(options.file).read_text("utf-8").splitlines()
    chosen = [one.strip() for one in lines if one.strip() and not one.startswith("#")]
    return told_of_job(client, client.set_vocabulary(chosen), options, out)
