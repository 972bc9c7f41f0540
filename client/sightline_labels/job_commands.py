"""The commands about jobs, and how a job is shown."""

from __future__ import annotations

import argparse
from typing import Any

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.output import Output

Json = dict[str, Any]
Options = argparse.Namespace
LONGEST_JOB = 7 * 24 * 3600.0  # seconds that one is waited for


def listed(client: Client, options: Options, out: Output) -> int:
    found = client.jobs(kind=options.kind, status=options.status, most=options.most)
    return out.rows(found, _job_row, nothing="There are no jobs.")


def show(client: Client, options: Options, out: Output) -> int:
    job = client.job(options.id)
    out.document(job, _job_lines(job))
    return 0


def wait(client: Client, options: Options, out: Output) -> int:
    return _waited(client, options.id, out)


def label(client: Client, options: Options, out: Output) -> int:
    """Start a job that labels what is in a bucket or at addresses, and show what came of it."""
    places: Json = {"urls": options.source} if "://" in options.source[0] else {}
    if options.source[0].lower().startswith("s3://"):
        if len(options.source) > 1:
            raise SightlineError("A job takes one s3:// source: start a job for each.")
        places = {options.as_ or _kind_of(options.source[0]): options.source[0]}
    if not places:
        raise SightlineError("A source is s3://bucket/folder/, s3://bucket/list.jsonl, or https://…")
    asked = {"min_confidence": options.min_confidence} if options.min_confidence is not None else None
    job = client.label_there(
        **places,
        dry_run=options.dry_run,
        max_cost=options.max_cost,
        unchanged_since=options.unchanged_since,
        options=asked,
    )
    return told_of_job(client, job, options, out)


def _kind_of(uri: str) -> str:
    """What an ``s3://`` address is by its name: a list, an inventory, or a folder."""
    if uri.endswith((".jsonl", ".manifest", ".ndjson")):
        return "manifest"
    return "inventory" if uri.endswith(("manifest.json", ".csv.gz")) else "prefix"


def pause(client: Client, options: Options, out: Output) -> int:
    job = client.pause_job(options.id)
    out.document(job, _job_lines(job))
    return 0


def resume(client: Client, options: Options, out: Output) -> int:
    return told_of_job(client, client.resume_job(options.id, options.max_cost), options, out)


def cancel(client: Client, options: Options, out: Output) -> int:
    job = client.cancel_job(options.id)
    out.document(job, _job_lines(job))
    return 0


def results(client: Client, options: Options, out: Output) -> int:
    path = client.download_results(options.id, options.output, options.file)
    out.say(f"Written to {path}.")
    return 0


def told_of_job(client: Client, job: Json, options: Options, out: Output) -> int:
    """Show a job that has begun, or wait for its end and show that."""
    if options.no_wait:
        out.document(job, _job_lines(job))
        return 0
    return _waited(client, job["id"], out)


def _waited(client: Client, job_id: str, out: Output) -> int:
    job = client.wait_for_job(job_id, LONGEST_JOB, told=lambda now: out.progress(_progress(now)))
    out.document(job, _job_lines(job))
    return 0 if job["status"] == "done" and not job["failed"] else 1


def _progress(job: Json) -> str:
    """A job's progress in one line."""
    told = f"{job['kind']}: {job['looked_at']:,} looked at"
    if job.get("progress") is not None and not job["request"].get("dry_run"):
        told += f", {job['progress']:.0%}"
    if job.get("rate"):
        told += f", {job['rate']:.1f} a second"
    if job.get("ends_at"):
        told += f", until {job['ends_at'][11:16]} UTC"
    return told + (f", ${job['cost']:.2f}" if job.get("cost") else "")


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
    if job.get("error"):
        lines.append(f"  {job['error']['code']}: {job['error']['detail']}")
    lines += _estimate_lines(job["estimate"]) if "estimate" in job else _outcome_lines(job)
    archive = job["links"].get("archive")
    return lines + ([f"  {archive}"] if archive else [])


def _outcome_lines(job: Json) -> list[str]:
    """What came of the lines of a job that labels."""
    lines = [f"  {number:>9,}  {name}" for name, number in job.get("outcomes", {}).items()]
    lines += [f"  {number:>9,}  of these: {code}" for code, number in job.get("codes", {}).items()]
    lines += [f"  ${job['cost']:.2f}"] if job.get("cost") else []
    return lines + ([f"  sightline jobs results {job['id']}"] if job["links"].get("results") else [])


def _estimate_lines(estimate: Json) -> list[str]:
    """What a job would do and cost."""
    counts = {
        "images": "images",
        "duplicates": "duplicates among them",
        "known": "labelled before",
        "unreadable": "no photos, by their names",
        "recognitions": "to be recognised",
    }
    lines = [f"  {estimate[name]:>9,}  {said}" for name, said in counts.items()]
    lines += [f"  {number:>9,}  lines that are {code}" for code, number in estimate["codes"].items()]
    lines.append(f"  {estimate['bytes'] / 1e9:.2f} GB, about {estimate['seconds'] / 3600:.1f} hours")
    price = "not known beforehand" if estimate["cost"] is None else f"${estimate['cost']:.2f}"
    return [*lines, f"  price: {price}"]
