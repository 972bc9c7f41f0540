"""Jobs that label what is in a bucket: each line once, at the recogniser's rate, within the money.

Holds `chalicelib/intake/source_buckets.py`, `chalicelib/intake/source_lines.py`,
`chalicelib/library/job_lines.py`, `chalicelib/pipeline/job_estimate.py`,
`chalicelib/pipeline/job_progress.py`, `chalicelib/pipeline/job_results.py`,
`chalicelib/pipeline/job_source.py`, `chalicelib/pipeline/upload_worker.py`.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.backends import get_backend

from chalicelib import pipeline
from chalicelib.errors import Superseded, Unavailable, UnusableUrl
from chalicelib.ids import new_id
from chalicelib.intake import source_buckets
from chalicelib.intake.source_lines import LONGEST_LINE
from chalicelib.library.jobs import Job
from chalicelib.model import Failure, Json, NewImage, ObjectUploaded
from chalicelib.pipeline.job_feed import stretches
from chalicelib.pipeline.job_progress import Batch
from chalicelib.recognition.governor import FIRST
from tests.fakes.bulk import OWN, THEIRS, results_of, world_of_buckets
from tests.fakes.mail import handle
from tests.fakes.world import CAT


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of moto's buckets, which take half a second to start."""
    with mock_aws():
        yield boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def world(s3: Any) -> Any:
    """A world whose buckets are moto's: its own, and somebody's with photos in it."""
    get_backend("s3").reset()
    return world_of_buckets(s3)


def photo(number: int) -> bytes:
    """A cat that no other one is alike."""
    return CAT + str(number).encode()


def put(world: Any, key: str, content: bytes, bucket: str = THEIRS) -> None:
    world.s3.put_object(Bucket=bucket, Key=key, Body=content)


def manifest(world: Any, *lines: object) -> Json:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    put(world, "lists/photos.jsonl", text.encode())
    return {"kind": "manifest", "at": f"s3://{THEIRS}/lists/photos.jsonl"}


def ref(key: str, bucket: str = THEIRS) -> Json:
    return {"source-ref": f"s3://{bucket}/{key}"}


def begin(world: Any, source: Json, owner: str = "default", **options: Any) -> str:
    request = {"source": source, "asked": {}, "dry_run": False, "max_cost": None, "unchanged_since": None}
    job: Job = pipeline.start(owner, "label", {**request, **options}, world)
    return job.id


def the(world: Any, job_id: str, owner: str = "default") -> Job:
    job: Job = world.jobs.get(owner, job_id)
    return job


def work(world: Any, steps: int = 10_000, chance: random.Random | None = None) -> None:
    """Let time pass a second at a time, in which the labelers do what they were sent and the job a step.

    With a ``chance`` one message in twenty is lost, and one comes twice.
    """
    for _ in range(steps):
        jobs, world.jobs_queue.messages = world.jobs_queue.messages, []
        lines, world.uploads_queue.messages = world.uploads_queue.messages, []
        if not jobs and not lines:
            if not any(one.status == "running" for one in world.jobs.page("default", limit=10).jobs):
                return
            pipeline.sweep(world)
        for message in [*jobs, *lines]:
            drawn = chance.random() if chance else 1.0
            for _ in range(0 if drawn < 0.05 else 2 if drawn < 0.1 else 1):
                handle(message, world)
        world.clock.forward(1.0)


def outcomes(world: Any, job_id: str) -> Counter[str]:
    return Counter(one.get("code") or one["outcome"] for one in results_of(world, job_id))


@pytest.mark.slow
def test_a_manifest_is_labelled_line_by_line_in_its_order(world: Any) -> None:
    for number in range(30):
        put(world, f"a b/{number}+é.jpg", photo(number))
    source = manifest(world, *({**ref(f"a b/{n}+é.jpg"), "metadata": {"n": str(n)}} for n in range(30)))
    job_id = begin(world, source)
    work(world)
    job = the(world, job_id)
    assert (job.status, job.looked_at, job.changed, job.failed) == ("done", 30, 30, 0)
    rows = results_of(world, job_id)
    assert [one["source-ref"] for one in rows] == [f"s3://{THEIRS}/a b/{n}+é.jpg" for n in range(30)]
    assert {one["outcome"] for one in rows} == {"labelled"}
    assert rows[7]["labels"] == [{"name": "Cat", "confidence": 93.0}]
    image = world.images.get("default", rows[7]["image_id"])
    assert image.metadata["n"] == "7"
    assert image.metadata["source"] == rows[7]["source-ref"]
    assert len(world.recogniser.photos) == 30


def test_the_csv_says_the_same_and_is_no_formula(world: Any) -> None:
    put(world, "=cmd.jpg", photo(1))
    job_id = begin(world, manifest(world, ref("=cmd.jpg"), "=HYPERLINK"))
    work(world)
    text = world.s3.get_object(Bucket=OWN, Key=f"jobs/~default/{job_id}/results.csv")["Body"].read().decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert (first["outcome"], first["labels"]) == ("labelled", "Cat 93.00")
    assert (second["outcome"], second["code"]) == ("refused", "not-json")
    summary = json.loads(
        world.s3.get_object(Bucket=OWN, Key=f"jobs/~default/{job_id}/summary.json")["Body"].read()
    )
    assert summary["outcomes"] == {"labelled": 1, "refused": 1}


BAD = {
    '{"source-ref": 5}': "not-json",
    "{": "not-json",
    "[]": "not-json",
    '{"other": "s3://b/k"}': "no-source-ref",
    '{"source-ref": "s3://"}': "bad-uri",
    '{"source-ref": "ftp://b/k"}': "bad-uri",
    f'{{"source-ref": "s3://{THEIRS}/gone.jpg"}}': "no-such-key",
    '{"source-ref": "s3://no-bucket-of-anybodys/x.jpg"}': "no-such-bucket",
    f'{{"source-ref": "s3://{OWN}/metadata/x.json"}}': "own-folder",
    f'{{"source-ref": "s3://{OWN}/uploads/~bob/x"}}': "access-denied",
    f'{{"source-ref": "s3://{THEIRS}/a/.DS_Store"}}': "no-photo",
    f'{{"source-ref": "s3://{THEIRS}/cat.jpg", "metadata": {{"a": "{"b" * 2000}"}}}}': "bad-metadata",
    "x" * (LONGEST_LINE + 1): "line-too-long",
    "y" * 3_000_000: "line-too-long",
    f'{{"source-ref": "s3://{THEIRS}/notes.jpg"}}': "not-an-image",
    f'{{"source-ref": "s3://{THEIRS}/other.jpg", "etag": "0123"}}': "changed-since",
    '{"source-ref": "http://127.0.0.1/cat.jpg"}': "unusable-url",
    f'{{"source-ref": "http://host.example/{"u" * 3000}"}}': "unusable-url",
    '{"source-ref": "s3://no bucket!/x.jpg"}': "bad-uri",
    f'{{"source-ref": "s3://../{OWN}/uploads/x.jpg"}}': "bad-uri",
    f'{{"source-ref": "s3://{THEIRS}/\\ud800.jpg"}}': "bad-uri",
    f'{{"source-ref": "s3://{OWN}/metadata/\\ud800"}}': "bad-uri",
    f'{{"source-ref": "s3://{THEIRS}/{"k" * 1025}"}}': "bad-uri",
    f'{{"source-ref": "s3://{THEIRS}/cat.jpg", "metadata": {{"a": "\\udfff"}}}}': "bad-metadata",
    f'{{"source-ref": "s3://{THEIRS}/cat.jpg", "metadata": {{"": "a"}}}}': "bad-metadata",
    f'{{"source-ref": "s3://{THEIRS}/cat.jpg", "etag": "a\\nX: b"}}': "changed-since",
    f'{{"source-ref": "s3://{THEIRS}/\\uffff.jpg"}}': "no-such-key",
}


def test_a_line_that_names_nothing_to_label_says_why_and_holds_up_no_other(world: Any) -> None:
    put(world, "cat.jpg", photo(1))
    put(world, "other.jpg", photo(2))
    put(world, "notes.jpg", b"no photo at all")
    job_id = begin(world, manifest(world, *BAD, "", {**ref("cat.jpg"), "etag": None}, ref("cat.jpg")))
    work(world)
    rows = results_of(world, job_id)
    assert [one["line"] for one in rows] == list(range(1, len(BAD) + 3))
    assert [one.get("code") or one["outcome"] for one in rows] == [*BAD.values(), "labelled", "repeated"]
    assert len(world.recogniser.photos) == 1


@pytest.mark.slow
def test_each_line_is_done_once_whatever_becomes_of_messages(world: Any) -> None:
    """One in twenty is lost, and one comes twice."""
    chance = random.Random(5)  # noqa: S311 - chance, not a secret
    for number in range(120):
        put(world, f"{number:03}.jpg", b"no photo" if number % 40 == 0 else photo(number % 100))
    job_id = begin(world, {"kind": "prefix", "at": f"s3://{THEIRS}/"})
    work(world, chance=chance)
    job = the(world, job_id)
    assert job.status == "done"
    assert [one["line"] for one in results_of(world, job_id)] == list(range(1, 121))
    assert outcomes(world, job_id) == {"not-an-image": 3, "labelled": 98, "copied": 19}
    assert len(world.recogniser.photos) == 98


def test_what_the_same_job_did_before_is_known(world: Any) -> None:
    for number in range(5):
        put(world, f"{number}.jpg", photo(number))
    source = {"kind": "prefix", "at": f"s3://{THEIRS}/"}
    first = begin(world, source)
    work(world)
    put(world, "2.jpg", photo(200))
    put(world, "5.jpg", photo(5))
    again = begin(world, source)
    work(world)
    assert outcomes(world, first) == {"labelled": 5}
    assert outcomes(world, again) == {"known": 4, "labelled": 2}
    assert len(world.listed()) == 6  # the changed one is the same image


def test_own_uploads_are_labelled_where_they_lie(world: Any) -> None:
    put(world, "uploads/a/1.jpg", photo(1), OWN)
    put(world, "uploads/a/2.jpg", photo(2), OWN)
    put(world, "metadata/a/1.jpg.json", b"{}", OWN)
    put(world, "uploads/~bob/01J0000000000000000000000A", photo(3), OWN)
    made = pipeline.take_in(photo(4), NewImage(id=new_id()), "default", world)
    pipeline.label_image(ObjectUploaded(made.key), world)
    world.clock.forward(1.0)
    source = {"kind": "prefix", "at": f"s3://{OWN}/"}
    dry, job_id = begin(world, source, dry_run=True), begin(world, source)
    work(world)
    assert outcomes(world, job_id) == {"labelled": 2, "known": 1}
    assert pipeline.estimate_of(the(world, dry), world)["known"] == 1
    assert {image.key for image in world.listed()} == {"uploads/a/1.jpg", "uploads/a/2.jpg", made.key}


def test_an_inventory_is_read_with_its_encoded_keys(world: Any) -> None:
    put(world, "a b/é+1.jpg", photo(1))
    rows = f'"{THEIRS}","a+b/%C3%A9%2B1.jpg","{len(photo(1))}"\r\n"{THEIRS}","gone.jpg","5"\r\n'
    put(world, "inventory/data/1.csv.gz", gzip.compress(rows.encode()))
    told = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "destinationBucket": f"arn:aws:s3:::{THEIRS}",
        "files": [{"key": "inventory/data/1.csv.gz", "size": 100}],
    }
    put(world, "inventory/manifest.json", json.dumps(told).encode())
    job_id = begin(world, {"kind": "inventory", "at": f"s3://{THEIRS}/inventory/manifest.json"})
    work(world)
    assert outcomes(world, job_id) == {"labelled": 1, "no-such-key": 1}


def test_addresses_are_fetched_through_the_one_door(world: Any) -> None:
    world.outbound.pages = {"https://photos.example/cat.jpg?size=large": photo(1)}
    lines = [
        {"source-ref": "https://photos.example/cat.jpg?size=large"},
        {"source-ref": "https://other.example/x"},
    ]
    job_id = begin(world, manifest(world, *lines))
    work(world)
    labelled, refused = results_of(world, job_id)
    assert world.images.get("default", labelled["image_id"]).filename == "cat.jpg"
    assert refused["code"] == UnusableUrl.code


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"kind": "manifest", "at": f"s3://{THEIRS}/nothing.jsonl"}, "no-such-key"),
        ({"kind": "prefix", "at": "s3://no-bucket-of-anybodys/x/"}, "no-such-bucket"),
        ({"kind": "prefix", "at": "s3://no bucket!/x/"}, "bad-uri"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/cat.jpg"}, "not-an-inventory"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/deep.json"}, "not-an-inventory"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/wide.csv.gz"}, "not-an-inventory"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/cut.csv.gz"}, "not-an-inventory"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/bomb.csv.gz"}, "too-large"),
        ({"kind": "inventory", "at": f"s3://{THEIRS}/sly.json"}, "access-denied"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_source_that_cannot_be_read_fails_the_job_and_says_why(
    world: Any, source: Json, code: str, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_buckets, "MOST_UNPACKED", 1_000_000)
    put(world, "cat.jpg", CAT)
    put(world, "deep.json", b"[" * 200_000)
    put(world, "wide.csv.gz", gzip.compress(f'"{THEIRS}","{"x" * 200_000}"'.encode()))
    put(world, "cut.csv.gz", gzip.compress(f"{THEIRS},cat.jpg\n".encode() * 100)[:-9])
    put(world, "bomb.csv.gz", gzip.compress((b"a," + b"b" * 1000 + b"\n") * 1200))
    sly = {"fileFormat": "CSV", "fileSchema": "Bucket, Key", "destinationBucket": f"arn:aws:s3:::{OWN}"}
    sly["files"] = [{"key": "uploads/~bob/list.csv.gz", "size": 9}]  # type: ignore[assignment]
    put(world, "sly.json", json.dumps(sly).encode())
    job_id = begin(world, source, dry_run=dry_run)
    work(world)
    job = the(world, job_id)
    assert job.status == "failed"
    assert job.error
    assert job.error.code == code


def test_a_manifest_that_is_replaced_while_it_is_read_fails_the_job_after_what_is_on_its_way(
    world: Any,
) -> None:
    for number in range(40):
        put(world, f"{number}.jpg", photo(number))
    job_id = begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(40))))
    work(world, steps=2)
    manifest(world, ref("0.jpg"))
    work(world)
    job = the(world, job_id)
    assert (job.status, job.error and job.error.code) == ("failed", "changed-since")
    assert 0 < outcomes(world, job_id)["labelled"] < 40
    assert outcomes(world, job_id).total() == job.looked_at


def test_an_object_that_has_changed_since_is_not_taken(world: Any) -> None:
    put(world, "1.jpg", photo(1))
    job_id = begin(world, manifest(world, ref("1.jpg")), unchanged_since=1_000_000_000.0)
    work(world)
    assert outcomes(world, job_id) == {"changed-since": 1}


def test_a_job_goes_no_faster_than_the_recogniser_takes(world: Any) -> None:
    for number in range(60):
        put(world, f"{number}.jpg", photo(number))
    begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(60))))
    work(world, steps=2)
    assert len(world.recogniser.photos) <= 3 * FIRST
    before = world.governor.rate(FIRST)
    for _ in range(20):
        world.governor.throttled()
    work(world, steps=2)
    assert world.governor.rate(FIRST) < before


@pytest.mark.slow
def test_pausing_holds_at_once_and_resuming_goes_on(world: Any) -> None:
    for number in range(40):
        put(world, f"{number}.jpg", photo(number))
    job_id = begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(40))))
    work(world, steps=2)
    assert pipeline.pause("default", job_id, world).status == "paused"
    work(world)
    there = len(world.recogniser.photos)
    assert 0 < there < 40
    world.clock.forward(100_000)
    pipeline.sweep(world)
    work(world)
    assert len(world.recogniser.photos) == there
    assert pipeline.resume("default", job_id, world).status == "running"
    work(world)
    assert the(world, job_id).status == "done"
    assert outcomes(world, job_id) == {"labelled": 40}


def test_cancelling_writes_down_what_was_done(world: Any) -> None:
    for number in range(40):
        put(world, f"{number}.jpg", photo(number))
    job_id = begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(40))))
    work(world, steps=2)
    pipeline.cancel("default", job_id, world)
    work(world)
    job = the(world, job_id)
    assert job.status == "cancelled"
    assert outcomes(world, job_id) == {"labelled": job.looked_at}
    assert 0 < job.looked_at < 40


def test_the_money_is_never_overspent_and_more_of_it_goes_on(world: Any) -> None:
    for number in range(30):
        put(world, f"{number}.jpg", photo(number))
    job_id = begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(30))), max_cost=0.012)
    work(world)
    job = the(world, job_id)
    assert (job.status, job.error and job.error.code) == ("paused", "max-cost")
    assert len(world.recogniser.photos) == 12
    pipeline.resume("default", job_id, world, max_cost=1.0)
    work(world)
    assert the(world, job_id).status == "done"
    assert pipeline.progress_of(the(world, job_id), world)["cost"] == pytest.approx(0.030)


def test_todays_last_call_pauses_a_job(world: Any) -> None:
    world.with_settings(daily_calls=10)
    for number in range(30):
        put(world, f"{number}.jpg", photo(number))
    job_id = begin(world, manifest(world, *(ref(f"{number}.jpg") for number in range(30))))
    work(world)
    job = the(world, job_id)
    assert (job.status, job.error and job.error.code) == ("paused", "budget-used-up")
    assert len(world.recogniser.photos) == 10


@pytest.mark.slow
def test_an_estimate_is_what_the_run_then_costs(world: Any) -> None:
    for number in range(50):
        put(world, f"{number}.jpg", photo(number % 40))
    put(world, "film.mp4", b"\0\0\0\x18ftypisom")
    source = manifest(
        world, *(ref(f"{number}.jpg") for number in range(50)), ref("film.mp4"), "{", ref("1.jpg")
    )
    dry = begin(world, source, dry_run=True)
    work(world)
    told = pipeline.estimate_of(the(world, dry), world)
    assert world.recogniser.photos == []
    assert the(world, dry).status == "done"
    job_id = begin(world, source)
    work(world)
    [day] = world.usage.days("default", "2020-01-01", "2030-01-01", most=9)
    assert (told["lines"], told["images"], told["unreadable"]) == (53, 51, 1)
    assert told["duplicates"] == day.duplicates_spared == 10
    assert told["recognitions"] == len(world.recogniser.photos) == 40
    assert told["cost"] == pipeline.progress_of(the(world, job_id), world)["cost"]
    assert told["codes"] == {"not-json": 1, "repeated": 1}
    again = begin(world, source, dry_run=True)
    work(world)
    assert pipeline.estimate_of(the(world, again), world)["recognitions"] == 0


def test_another_owners_job_has_images_of_its_own(world: Any) -> None:
    put(world, "1.jpg", photo(1))
    put(world, "uploads/x.jpg", photo(2), OWN)
    source = manifest(world, ref("1.jpg"), ref("uploads/x.jpg", OWN))
    ours, theirs = begin(world, source), begin(world, source, owner="bob")
    work(world)
    assert outcomes(world, ours) == {"labelled": 2}
    first, second = results_of(world, theirs, "bob")
    assert (first["outcome"], second["code"]) == ("labelled", "access-denied")
    assert world.images.get("bob", first["image_id"]).owner == "bob"


def test_an_inventory_that_is_replaced_while_it_is_read_fails_the_job(world: Any) -> None:
    told: Json = {"fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": []}
    for number in range(2):
        put(world, f"{number}.csv.gz", gzip.compress(f"{THEIRS},{number}.jpg\n".encode()))
        put(world, f"{number}.jpg", photo(number))
        told["files"].append({"key": f"{number}.csv.gz", "size": 9})
    put(world, "manifest.json", json.dumps(told).encode())
    job_id = begin(world, {"kind": "inventory", "at": f"s3://{THEIRS}/manifest.json"})
    work(world, steps=2)
    put(world, "manifest.json", json.dumps({**told, "files": told["files"][:1]}).encode())
    work(world)
    job = the(world, job_id)
    assert (job.status, job.error and job.error.code) == ("failed", "changed-since")
    assert outcomes(world, job_id) == {"labelled": 1}


def test_a_long_stretch_of_nothing_is_passed_over_step_by_step(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_buckets, "PAGE_BYTES", 500)
    put(world, "1.jpg", photo(1))
    source = manifest(world, *[""] * 12_000, ref("1.jpg"))
    job_id, dry = begin(world, source), begin(world, source, dry_run=True)
    work(world, steps=1)
    assert 0 < the(world, job_id).state["at"] < 12_000
    work(world)
    assert outcomes(world, job_id) == {"labelled": 1}
    assert pipeline.estimate_of(the(world, dry), world)["lines"] == 1


def test_a_worker_that_dies_after_it_sent_lines_leaves_none_out(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has one photo more when the next worker comes."""
    for number in range(3):
        put(world, f"b/{number}.jpg", photo(number))
    job_id = begin(world, {"kind": "prefix", "at": f"s3://{THEIRS}/b/"})
    send, died = world.uploads_queue.send_many, []

    def send_and_die(messages: Any) -> None:
        send(messages)
        if not died:
            put(world, "b/!.jpg", photo(9))
            died.append(1)
            raise Unavailable("The worker dies.")

    monkeypatch.setattr(world.uploads_queue, "send_many", send_and_die)
    for _ in range(3):
        with contextlib.suppress(Unavailable):
            work(world)
        world.clock.forward(1000)
        pipeline.sweep(world)
    assert died
    assert outcomes(world, job_id) == {"labelled": 3}


def test_what_was_refused_is_not_known_to_a_dry_run(world: Any) -> None:
    source = manifest(world, ref("1.jpg"))
    begin(world, source)
    work(world)
    put(world, "1.jpg", photo(1))
    dry = begin(world, source, dry_run=True)
    work(world)
    assert pipeline.estimate_of(the(world, dry), world)["recognitions"] == 1


def test_a_line_that_is_late_has_none_of_the_others_read_again(world: Any) -> None:
    batches = [Batch(1, 2, {}, 0, 0.0), Batch(9, 3, {}, 0, 0.0), Batch(12, 4, {}, 0, 0.0)]
    assert stretches(batches) == [(1, 2), (9, 15)]


def test_a_large_file_of_results_is_finished_by_whoever_comes_after_one_that_died(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.pipeline.job_results.SMALLEST_PART", 1)
    monkeypatch.setattr("chalicelib.pipeline.job_results.LINES_AT_ONCE", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    job_id = begin(world, manifest(world, "{", "{"))
    save, died = world.jobs.save, []

    def die_once_finished(job: Job) -> Job:
        if job.state["results"].get("file") == 1 and not died:
            died.append(1)
            raise Superseded("The worker dies.")
        saved: Job = save(job)
        return saved

    monkeypatch.setattr(world.jobs, "save", die_once_finished)
    for _ in range(2):
        work(world, steps=20)
        world.clock.forward(1000)
        pipeline.sweep(world)
        work(world)
    assert died
    assert the(world, job_id).status == "done"
    assert outcomes(world, job_id) == {"not-json": 2}


def test_a_job_that_is_resumed_while_it_stops_goes_on_or_fails_as_it_was_to(world: Any) -> None:
    for number in range(10):
        put(world, f"{number}.jpg", photo(number))
    source = manifest(world, *(ref(f"{number}.jpg") for number in range(10)))
    job_id = begin(world, source)
    for stop, status, error in (
        ("max-cost", "", None),
        ("failed", "failed", Failure("no-such-key", "Gone.")),
    ):
        job = the(world, job_id)
        world.jobs.save(dataclasses.replace(job, error=error, state={**job.state, "stop": stop}))
        resumed = pipeline.resume("default", job_id, world, 5.0)
        assert (resumed.state["stop"], resumed.error) == (status, error)
