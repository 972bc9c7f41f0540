"""A line of a list of photos, in JSON Lines: it names an object in a bucket, or a URL."""

from __future__ import annotations

import json
import re

from chalicelib.errors import SourceRefused
from chalicelib.intake.objects import LONGEST_KEY, UPLOADS, is_litter
from chalicelib.model import (
    DEFAULT_OWNER,
    LONGEST_METADATA_KEY,
    LONGEST_METADATA_VALUE,
    LONGEST_URL,
    MOST_METADATA,
    MOST_METADATA_BYTES,
    Json,
    SourceEntry,
)

LONGEST_LINE = 65_536  # bytes
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")  # those of before 2018, too
ETAG = re.compile(r"[!-~]{0,128}")
LARGEST = 2**50  # bytes: the largest size that a line may state
JOBS = "jobs/"
OWN_FOLDERS = ("metadata/", "thumbnails/", "exports/", JOBS)
MOST_MEMBERS = MOST_METADATA - 2  # of the metadata: two of our own are added


def parts_of(uri: str) -> tuple[str, str]:
    """The bucket and the key (or the prefix) of an ``s3://`` address.

    :raises SourceRefused: it is no such address.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() != "s3" or not BUCKET.fullmatch(bucket) or not _is_text(key, LONGEST_KEY):
        raise SourceRefused("It is no address like s3://bucket/key.", code="bad-uri")
    return bucket, key


def refusal_of(bucket: str, key: str, own: str, owner: str) -> str:
    """The code of why an owner's job does not take an object, whatever is in it; empty if it does."""
    if not bucket or not key:
        return "bad-uri"
    if bucket == own and key.startswith(OWN_FOLDERS):
        return "own-folder"
    mine = key.startswith(f"{UPLOADS}~{owner}/")
    if bucket == own and not mine and (owner != DEFAULT_OWNER or key.startswith(f"{UPLOADS}~")):
        return "access-denied"
    return "no-photo" if is_litter(key) else ""


def in_place(entry: SourceEntry, own: str) -> bool:
    """Whether an entry's object is already under ``uploads/`` of the stage's own bucket."""
    return entry.bucket == own and entry.key.startswith(UPLOADS)


def entry_of(line: bytes, own: str, owner: str) -> SourceEntry:
    """The entry of a line, for an owner's job; a line that cannot be read has a ``refused`` code."""
    if len(line) > LONGEST_LINE:
        return SourceEntry(refused="line-too-long")
    try:
        told = json.loads(line)
        ref, metadata = told["source-ref"], told.get("metadata") or {}
        if not isinstance(ref, str) or not isinstance(metadata, dict):
            raise TypeError
        said = {str(name): one if isinstance(one, str) else json.dumps(one) for name, one in metadata.items()}
    except (ValueError, TypeError, RecursionError):
        return SourceEntry(refused="not-json")
    except (KeyError, AttributeError):
        return SourceEntry(refused="no-source-ref")
    if not _is_metadata(said):
        said, refused = {}, "bad-metadata"
    else:
        refused = ""
    if ref.startswith(("http://", "https://")):
        if len(ref) > LONGEST_URL or not _is_text(ref, 4 * LONGEST_URL):
            return SourceEntry(refused="unusable-url")
        return SourceEntry(url=ref, metadata=said, refused=refused)
    try:
        bucket, key = parts_of(ref)
    except SourceRefused:
        return SourceEntry(refused="bad-uri")
    size, modified, etag = told.get("size"), told.get("modified"), str(told.get("etag") or "").strip('"')
    if not ETAG.fullmatch(etag):  # no object has it
        etag, refused = "", refused or "changed-since"
    return SourceEntry(
        bucket=bucket,
        key=key,
        etag=etag,
        size=size if isinstance(size, int) and 0 <= size < LARGEST else None,
        modified=modified if isinstance(modified, int | float) else None,
        metadata=said,
        refused=refused or refusal_of(bucket, key, own, owner),
    )


def _is_metadata(said: Json) -> bool:
    fits = len(said) <= MOST_MEMBERS and len(json.dumps(said)) <= MOST_METADATA_BYTES
    return fits and all(
        0 < len(name) <= LONGEST_METADATA_KEY
        and len(value) <= LONGEST_METADATA_VALUE
        and _is_text(name + value, 4 * (LONGEST_METADATA_KEY + LONGEST_METADATA_VALUE))
        for name, value in said.items()
    )


def _is_text(text: str, most: int) -> bool:
    """Whether it is text of at most so many bytes of UTF-8; a lone surrogate is no text."""
    try:
        return len(text.encode()) <= most
    except UnicodeEncodeError:
        return False


def line_of(entry: SourceEntry) -> Json:
    """The line that names an entry."""
    told = entry.to_json()
    for name in ("bucket", "key", "url", "refused"):
        told.pop(name, None)
    return {"source-ref": entry.ref, **told}
