"""Writes the results of a job's lines to files: JSON Lines, CSV and a summary, in the order of the source.

Each step writes one part of one file, so that a repeated step writes the same part again.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from typing import Any

from chalicelib.export.tabular import cell
from chalicelib.intake.multipart_uploads import SMALLEST_PART
from chalicelib.intake.source_lines import JOBS
from chalicelib.library.job_lines import LineResult
from chalicelib.library.jobs import Job, JobStatus
from chalicelib.library.record import StoredImage, record_key
from chalicelib.model import Json
from chalicelib.wiring import Services

FILES = {"results.jsonl": "application/jsonl", "results.csv": "text/csv; charset=utf-8"}
SUMMARY = "summary.json"
LINES_AT_ONCE = 500
COLUMNS = ("line", "source-ref", "outcome", "code", "image_id", "status", "labels")


def write_further(job: Job, services: Services) -> Job:
    """Write one more part of the files; returns the job, not saved yet, which ends with the last part."""
    state = dict(job.state)
    written: dict[str, Any] = {"file": 0, "line": 1, "assembly": "", "etags": [], **state["results"]}
    names = list(FILES)
    if written["file"] < len(names):
        name = names[written["file"]]
        state["results"] = _part(job, name, written, services)
        return dataclasses.replace(job, state=state)
    status: JobStatus = {"cancelled": "cancelled", "failed": "failed"}.get(state["stop"], "done")  # type: ignore[assignment]
    ended = dataclasses.replace(job, status=status, state={**state, "results": {**written, "done": True}})
    summary = {**ended.document(), "outcomes": state["counts"], "codes": state["codes"]}
    summary["cost"] = state["micros"] / 1_000_000
    text = json.dumps(summary, ensure_ascii=False, indent=2)
    services.objects.put(_key(job, SUMMARY), text.encode("utf-8", "replace"), "application/json")
    return ended


def links_to_results(job: Job, services: Services) -> Json:
    """Download links of a job's files, by name; empty if they are not written yet."""
    if not job.state.get("results", {}).get("done"):
        return {}
    named = {"results": "results.jsonl", "results_csv": "results.csv", "summary": SUMMARY}
    types = {**FILES, SUMMARY: "application/json"}
    return {
        name: services.objects.presigned_get(
            _key(job, file), filename=f"{job.id}-{file}", content_type=types[file]
        )
        for name, file in named.items()
    }


def _part(job: Job, name: str, written: dict[str, Any], services: Services) -> Json:
    """Write the next part of a file; returns the new state."""
    key, line, last = _key(job, name), int(written["line"]), int(job.state["line"]) - 1
    if line > last and written["etags"]:  # in its own step, because no part can be written after it
        services.multipart_uploads.finish(key, written["assembly"], written["etags"])
        return {"file": written["file"] + 1}
    body = bytearray()
    if line == 1 and name.endswith(".csv"):
        body += (",".join(COLUMNS) + "\r\n").encode()
    while line <= last:
        upto = min(last, line + LINES_AT_ONCE - 1)
        body += _written(job, services.lines.between(job.owner, job.id, line, upto), name, services)
        line = upto + 1
        if len(body) >= SMALLEST_PART:
            break
    if line > last and not written["etags"]:
        services.objects.put(key, bytes(body), FILES[name])
        return {"file": written["file"] + 1}
    assembly = written["assembly"] or services.multipart_uploads.begin(key, FILES[name])
    number = len(written["etags"]) + 1
    etags = [*written["etags"], services.multipart_uploads.put(key, assembly, number, bytes(body))]
    return {**written, "line": line, "assembly": assembly, "etags": etags}


def _written(job: Job, lines: Sequence[LineResult], name: str, services: Services) -> bytes:
    keys = {one.image_id: record_key(job.owner, one.image_id) for one in lines if one.image_id}
    items = services.table.get_many(list(keys.values()))
    images = {image_id: StoredImage(items[key]) for image_id, key in keys.items() if key in items}
    rows = [_row(one, images.get(one.image_id)) for one in lines]
    if name.endswith(".jsonl"):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        table = io.StringIO(newline="")
        csv.writer(table).writerows([_cell(row, column) for column in COLUMNS] for row in rows)
        text = table.getvalue()
    return text.encode("utf-8", "replace")


def _row(line: LineResult, stored: StoredImage | None) -> Json:
    row: Json = {"line": line.number, "source-ref": line.ref, "outcome": line.outcome}
    if line.code:
        row["code"] = line.code
    if stored is None or stored.erased:
        return row
    image = stored.image
    labels = [{"name": one.name, "confidence": one.confidence} for one in image.labels]
    return {**row, "image_id": image.id, "status": image.status, "labels": labels}


def _cell(row: Json, column: str) -> object:
    if column == "labels":
        return cell("; ".join(f"{one['name']} {one['confidence']:.2f}" for one in row.get("labels", ())))
    value = row.get(column, "")
    return cell(value) if isinstance(value, str) else value


def _key(job: Job, name: str) -> str:
    return f"{JOBS}~{job.owner}/{job.id}/{name}"
