"""The originals of a query become one ZIP file, a step at a time.

Each step packs some images into an object of its own, which no other step touches, and says in the job's row
where it lies; of two workers that do the same step the row takes one, and the other removes what it wrote. At
last S3 puts the objects together, and the parts go; their directories stay, as lists of what is in the file.
A part is removed only once the row no longer asks for it, so that any step can be done again. All of it lies
under ``exports/``, which the bucket's lifecycle clears after a day, with what a worker that died has left.
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

PART_BYTES = 64 * 1024 * 1024  # from which on a step ends; the worker has 1,536 MB
IMAGES_AT_ONCE = 4  # of 50 MB each at most
SECONDS = 25.0  # of the worker's 60
JOINED_AT_ONCE = 40  # copies take some tenths of a second each
MOST_PARTS = 500  # 32 GB and more
MEDIA_TYPE = "application/zip"
MISSING_FILE = "missing.json"  # the archive's list of what is not in it
NAMED = 5000  # images that are missing, which the job's row has room for


@dataclass(frozen=True)
class Packed:
    """How far an archive has come: its ``parts`` so far (keys and bytes) and the ``directories`` of them.

    ``offset`` is where the next entry begins. When all are packed, the parts are joined: ``assembly`` is S3's
    id for that, ``etags`` those of the parts that are in it. ``missing`` are the images whose objects are not
    there (yet), the first of ``absent``. What was ``merged`` into a larger part is to be removed.
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
        """The keys of all that it consists of."""
        return {*(key for key, _ in self.parts), *self.directories, *self.merged}

    @classmethod
    def of(cls, job: Job) -> Packed:
        state: dict[str, Any] = dict(job.state)
        return cls(**{**state, "parts": [(key, size) for key, size in state.get("parts", [])]})


def missing_from(job: Job) -> list[str]:
    """The images whose originals are not in an archive because they are not in the bucket, 5,000 at most."""
    return Packed.of(job).missing


def archive_link(job: Job, services: Services) -> str | None:
    """Where to download the archive of a job that is done; None where it is no longer there.

    It goes after a day, or when one of its images is erased.
    """
    known = services.manifests.find(job.owner, job.id)
    if known is None or known.withdrawn:
        return None
    name = f"images-{job.created_at[:10]}.zip"
    return services.objects.presigned_get(_archive(job), filename=name, content_type=MEDIA_TYPE)


def pack_further(
    job: Job, services: Services, clock: Callable[[], float] = time.monotonic, *, patient: bool = False
) -> Job:
    """The job, brought one step further; it is not saved yet.

    No image stops it. A fault that may pass is raised while there is patience, and the step comes again.
    """
    state, known = Packed.of(job), services.manifests.find(job.owner, job.id)
    if known and known.withdrawn:
        withdraw(known, services)  # with what the step wrote that met it
        return dataclasses.replace(job, status="done")
    if known is None:
        services.manifests.begin(Manifest(job.owner, job.id, _archive(job)))
    _remove(state.merged, services)
    if state.assembly:
        return _joined(job, state, services)
    packer = _Packer(job, services, patient=patient)
    deadline, place = clock() + SECONDS, job.at or TOP
    full = len(state.parts) >= MOST_PARTS
    while place and not full:
        page = services.search.page(job.owner, _asked(job), limit=IMAGES_AT_ONCE, at=place)
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
    """Remove what a step has written, where another worker has done it already."""
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
        """Pack the originals of these images; those that are not there (yet) are named."""
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
        """Store what was packed, behind a part before it that is too small to stand alone."""
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
            body = _read(merged[0], self._services) + body
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
        return dataclasses.replace(made, assembly=self._begun()) if last else made

    def _end(self, directories: list[str], offset: int) -> bytes:
        directory = b"".join(_read(key, self._services) for key in directories)
        return directory + end(self._entries, len(directory), offset)

    def _begun(self) -> str:
        return self._services.multipart_uploads.begin(_archive(self._job), MEDIA_TYPE)

    def _put(self, kind: str, content: bytes) -> str:
        key = f"{_folder(self._job)}/{new_id()}.{kind}"
        self._services.objects.put(key, content)
        return key


def _joined(job: Job, state: Packed, services: Services) -> Job:
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
    """Remove an archive that has an image which was erased while it was packed.

    Who erases one after this finds it in the directories.
    """
    known = services.manifests.find(job.owner, job.id)
    ids = [one for key in state.directories for one in ids_in_directory(_read_if_there(key, services))]
    if known is None or known.withdrawn or holds_erased(job.owner, ids, services):
        withdraw(known or Manifest(job.owner, job.id, _archive(job)), services)


def _asked(job: Job) -> Query:
    return parse(job.request["q"]) if job.request["q"] else Query()


def _original(image: Image, services: Services) -> bytes | None:
    try:
        return services.objects.read(image.key, max_bytes=services.settings.max_image_bytes).content
    except NotFound:
        return None


def _read(key: str, services: Services) -> bytes:
    return services.objects.read(key, max_bytes=2**62).content or b""


def _remove(keys: Sequence[str], services: Services) -> None:
    for key in keys:
        services.objects.delete_original(key)


def _read_if_there(key: str, services: Services) -> bytes:
    try:
        return _read(key, services)
    except NotFound:  # the archive has been withdrawn
        return b""


def _name(image: Image) -> str:
    """A name that no other entry has, that leads out of no folder, and that Windows can write.

    (Microsoft, "Naming Files, Paths, and Namespaces"; as the id begins it, it is no device's name.)
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
