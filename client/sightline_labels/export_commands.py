"""``sightline export`` and ``sightline usage``: files of what a query finds, and what was used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.files import written_whole
from sightline_labels.output import Output

ZIP_SECONDS = 24 * 3600.0  # for as long an archive is kept

Options = argparse.Namespace


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
    """Pack what a query finds and download it; 0 if the archive holds all of it."""
    if options.output == "-" or options.excel or options.format != "csv":
        raise SightlineError("--zip needs a file, and neither --format nor --excel: --zip -o photos.zip")
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
    lines += [f"Missing, because its file is no longer in the bucket: {one}" for one in missing]
    lines += [] if job["complete"] or missing else ["The ZIP file is full; the query finds more photos."]
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
