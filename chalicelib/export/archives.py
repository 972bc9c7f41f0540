"""Packs the originals of a query into one ZIP file, step by step.

Each step packs some images into a new object (a part) and stores its key in the job's row. If two workers do
the same step, one wins the conditional write of the row, and the other deletes its part. In the end S3 joins
the parts by a multipart upload, and they are deleted. Their ZIP directories stay, as lists of the images in
the file. A part is deleted only after the row no longer names it, so that every step can be repeated. All
objects are under ``exports/``, which the bucket's lifecycle clears after a day.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.errors import NotFound, SightlineError, Transient
from chalicelib.export.withdrawal import holds_erased, ids_in_directory, withdraw
from chalicelib.export.zip_format import ZipEntry, end
from chalicelib.ids import new_id
from chalicelib.intake.multipart_uploads import SMALLEST_PART
from chalicelib.library.jobs import Job, JobFailure
from chalicelib.library.manifests import Manifest
from chalicelib.library.query import Query, parse
from chalicelib.library.record import StoredImage
from chalicelib.library.streams import TOP
from chalicelib.model import Image
from chalicelib.wiring import Services

log = logging.getLogger("sightline.archives")

PART_BYTES = 64 * 1024 * 1024  # size at which a step ends; the worker has 1,536 MB of memory
IMAGES_AT_ONCE = 4  # of 50 MB each at most
SECONDS = 25.0  # of the worker's 60
JOINED_AT_ONCE = 40  # copies take some tenths of a second each
MOST_PARTS = 500  # 32 GB and more
MEDIA_TYPE = "application/zip"
MISSING_FILE = "missing.json"  # in the archive: the list of images that are not in it
NAMED = 5000  # missing images that the job's row has room for


@dataclass(frozen=True)
class Packed:
    """The progress of an archive: its ``parts`` (keys and sizes) and the keys of their ``directories``.

    ``offset`` is where the next entry begins. When all images are packed, the parts are joined: ``assembly``
    is the id of S3's multipart upload, ``etags`` are those of the parts that it has. ``missing`` are the
    first images without an object, ``absent`` is their total number. ``merged`` parts are in a larger part
    now and can be deleted.
    """

    parts: list[tuple[str, int]] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    offset: int = 0
    entries: int = 0
    assembly: str = ""
    etags: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    absent: int = 0
    merged: list[str] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        """The keys of all objects that the archive consists of."""
        return {*(key for key, _ in self.parts), *self.directories, *self.merged}

    @classmethod
    def of(cls, job: Job) -> Packed:
        state: dict[str, Any] = dict(job.state)
        return cls(**{**state, "parts": [(key, size) for key, size in state.get("parts", [])]})


def missing_from(job: Job) -> list[str]:
    """The images that are not in an archive because their originals are not in the bucket, 5,000 at most."""
    return Packed.of(job).missing


def archive_link(job: Job, services: Services) -> str | None:
    """A download link of a finished job's archive; None if the archive is gone.

    It is deleted after a day, or when one of its images is erased.
    """
    known = services.manifests.find(job.owner, job.id)
    if known is None or known.withdrawn:
        return None
    name = f"images-{job.created_at[:10]}.zip"
    return services.objects.presigned_get(_archive(job), filename=name, content_type=MEDIA_TYPE)


def pack_further(
    job: Job, services: Services, clock: Callable[[], float] = time.monotonic, *, patient: bool = False
) -> Job:
    """Do one step; returns the changed job, which is not saved yet.

    An image that cannot be packed is recorded and skipped. Only if ``patient``, a transient error is raised,
    so that the step is retried.
    """
    state, known = Packed.of(job), services.manifests.find(job.owner, job.id)
    if known and known.withdrawn:
        withdraw(known, services)  # deletes also what the interrupted step wrote
        return dataclasses.replace(job, status="done")
    if known is None:
        services.manifests.begin(Manifest(job.owner, job.id, _archive(job)))
    _remove(state.merged, services)
    if state.assembly:
        return _join_parts(job, state, services)
    packer = _Packer(job, services, patient=patient)
    deadline, place = clock() + SECONDS, job.at or TOP
    full = len(state.parts) >= MOST_PARTS
    while place and not full:
        page = services.search.page(job.owner, _query_of(job), limit=IMAGES_AT_ONCE, at=place)
        packer.take(page.stored)
        place = page.next_at or ""
        if len(packer.body) >= PART_BYTES or clock() >= deadline:
            break
    state = packer.stored(last=full or not place)
    moved = dataclasses.replace(job, at=place or None, looked_at=job.looked_at + packer.looked_at)
    photos = state.entries - bool(state.assembly and state.absent)
    packed = dataclasses.replace(moved, changed=photos, state=dataclasses.asdict(state))
    return packed.with_failures(packer.failures)


def forget_step(before: Job, after: Job, services: Services) -> None:
    """Delete the objects of a step that another worker has done already."""
    _remove(sorted(Packed.of(after).files - Packed.of(before).files), services)


class _Packer:
    """Collects the entries of one step."""

    def __init__(self, job: Job, services: Services, *, patient: bool) -> None:
        self.body = bytearray()
        self.failures: list[JobFailure] = []
        self._patient = patient
        self.looked_at = 0
        self._directory = bytearray()
        self._job = job
        self._services = services
        self._before = Packed.of(job)
        self._entries = self._before.entries
        self._missing: list[str] = []

    def take(self, images: Sequence[StoredImage]) -> None:
        """Pack the originals of these images; those without an original are recorded as missing."""
        self.looked_at += len(images)
        for stored in images:
            try:
                self._add(stored.image)
            except Exception as error:
                if isinstance(error, Transient) and self._patient:
                    raise
                expected = isinstance(error, SightlineError)
                log.warning("not packed: image %r: %r", stored.id, error, exc_info=not expected)
                self.failures.append(JobFailure.of(stored.id, error))

    def _add(self, image: Image) -> None:
        content = _original(image, self._services)
        if content is None:
            self._missing.append(image.id)
            return
        self._put_entry(ZipEntry(_name(image), _time(image.created_at), content))

    def _put_entry(self, entry: ZipEntry) -> None:
        listed, local = entry.listed(self._before.offset + len(self.body)), entry.local()
        self._directory += listed
        self.body += local
        self._entries += 1

    def stored(self, *, last: bool) -> Packed:
        """Store the step's part, appended to the part before it if that is too small for S3."""
        state = self._before
        absent = state.absent + len(self._missing)
        missing = [*state.missing, *self._missing][:NAMED]
        if last and absent:
            listed = json.dumps({"missing": missing, "total": absent}, indent=2).encode()
            self._put_entry(ZipEntry(MISSING_FILE, _time(self._job.created_at), listed))
        body = bytes(self.body)
        offset = state.offset + len(body)
        directories = [*state.directories, self._put("directory", bytes(self._directory))]
        if last:
            body += self._end(directories, offset)
        parts, merged = list(state.parts), list[str]()
        if parts and parts[-1][1] < SMALLEST_PART:
            merged = [parts.pop()[0]]
            body = self._services.objects.read_whole(merged[0]) + body
        parts.append((self._put("part", body), len(body)))
        made = dataclasses.replace(
            state,
            parts=parts,
            directories=directories,
            offset=offset,
            entries=self._entries,
            missing=missing,
            absent=absent,
            merged=merged,
        )
        return dataclasses.replace(made, assembly=self._begin_upload()) if last else made

    def _end(self, directories: list[str], offset: int) -> bytes:
        directory = b"".join(self._services.objects.read_whole(key) for key in directories)
        return directory + end(self._entries, len(directory), offset)

    def _begin_upload(self) -> str:
        return self._services.multipart_uploads.begin(_archive(self._job), MEDIA_TYPE)

    def _put(self, kind: str, content: bytes) -> str:
        key = f"{_folder(self._job)}/{new_id()}.{kind}"
        self._services.objects.put(key, content)
        return key


def _join_parts(job: Job, state: Packed, services: Services) -> Job:
    key, etags = _archive(job), list(state.etags)
    if len(etags) < len(state.parts):
        for source, _ in state.parts[len(etags) :][:JOINED_AT_ONCE]:
            etags.append(services.multipart_uploads.add(key, state.assembly, len(etags) + 1, source))
        further = dataclasses.replace(state, etags=etags, merged=[])
        return dataclasses.replace(job, state=dataclasses.asdict(further))
    services.multipart_uploads.finish(key, state.assembly, etags)
    _withdraw_erased(job, state, services)
    _remove([part for part, _ in state.parts], services)
    return dataclasses.replace(job, status="done")


def _withdraw_erased(job: Job, state: Packed, services: Services) -> None:
    """Withdraw an archive with an image that was erased while it was packed.

    If an image is erased later, the projection finds it in the directories.
    """
    known = services.manifests.find(job.owner, job.id)
    ids = [one for key in state.directories for one in ids_in_directory(_read_if_there(key, services))]
    if known is None or known.withdrawn or holds_erased(job.owner, ids, services):
        withdraw(known or Manifest(job.owner, job.id, _archive(job)), services)


def _query_of(job: Job) -> Query:
    return parse(job.request["q"]) if job.request["q"] else Query()


def _original(image: Image, services: Services) -> bytes | None:
    try:
        return services.objects.read(image.key, max_bytes=services.settings.max_image_bytes).content
    except NotFound:
        return None


def _remove(keys: Sequence[str], services: Services) -> None:
    for key in keys:
        services.objects.delete_original(key)


def _read_if_there(key: str, services: Services) -> bytes:
    try:
        return services.objects.read_whole(key)
    except NotFound:  # the archive has been withdrawn
        return b""


def _name(image: Image) -> str:
    """A file name that is unique in the archive, has no path, and is valid on Windows.

    (Microsoft, "Naming Files, Paths, and Namespaces"; as it begins with the id, it is no device name.)
    """
    last = image.filename.replace("\\", "/").rpartition("/")[2]
    last = "".join("_" if c in '<>:"|?*' or not c.isprintable() else c for c in last).rstrip(". ")
    return f"{image.id}-{last}" if last else f"{image.id}.{(image.content_type or 'bin').rpartition('/')[2]}"


def _time(at: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(at)


def _archive(job: Job) -> str:
    return f"{_folder(job)}/images.zip"


def _folder(job: Job) -> str:
    return f"exports/~{job.owner}/{job.id}"
