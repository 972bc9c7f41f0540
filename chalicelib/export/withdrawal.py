"""What exports hold of an image goes when the image is erased: the file is removed, and its link is dead."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from chalicelib.errors import NotFound
from chalicelib.export.zip_format import names_in
from chalicelib.ids import is_id
from chalicelib.library.manifests import Manifest
from chalicelib.library.record import StoredImage, record_key
from chalicelib.wiring import Services

log = logging.getLogger("sightline.withdrawal")

ID_LENGTH = 26


def withdraw_exports_of(owner: str, image_ids: set[str], services: Services) -> None:
    """Remove every file of an owner that holds one of these images, which have been erased.

    Who is packing or writing one looks for erased images itself when it is done: see :func:`holds_erased`.
    """
    for manifest in services.manifests.of(owner):
        older = {one for one in image_ids if one < manifest.export_id}  # ids begin with the time
        if not manifest.withdrawn and older and older & _listed(manifest, older, services):
            log.info("withdrawn, an image in it was erased: export %r", manifest.export_id)
            withdraw(manifest, services)


def withdraw(manifest: Manifest, services: Services) -> None:
    """Remove an export's file, and first say so to whoever is about to finish it."""
    services.manifests.withdraw(manifest)
    for key in _files(manifest, services):
        services.objects.delete_original(key)


def holds_erased(owner: str, image_ids: Iterable[str], services: Services) -> bool:
    """Whether one of these images is no more."""
    keys = [record_key(owner, one) for one in image_ids]
    found = services.table.get_many(keys)
    return any(key not in found or StoredImage(found[key]).erased for key in keys)


def ids_in_directory(directory: bytes) -> list[str]:
    """The images in a directory of an archive, whose entries' names begin with their ids."""
    return [name[:ID_LENGTH] for name in names_in(directory) if is_id(name[:ID_LENGTH])]


def _listed(manifest: Manifest, erased: set[str], services: Services) -> set[str]:
    """The images that an export has so far; who is still writing it is told of those that were erased."""
    if not manifest.ids:
        directories = _state(manifest, services).get("directories", [])
        return {one for key in directories for one in ids_in_directory(_content(key, services))}
    try:
        return set(_content(manifest.ids, services).decode().split())
    except NotFound:
        for one in erased:
            services.manifests.suspect(manifest, one)
    try:  # it may have been written before that was said
        return set(_content(manifest.ids, services).decode().split())
    except NotFound:
        return set()


def _files(manifest: Manifest, services: Services) -> list[str]:
    state = _state(manifest, services) if not manifest.ids else {}
    parts = [*(key for key, _ in state.get("parts", [])), *state.get("merged", [])]
    lists = [*state.get("directories", []), *([manifest.ids] if manifest.ids else [])]
    return [manifest.file, *parts, *lists]


def _state(manifest: Manifest, services: Services) -> dict[str, Any]:
    try:
        return dict(services.jobs.get(manifest.owner, manifest.export_id).state)
    except NotFound:
        return {}


def _content(key: str, services: Services) -> bytes:
    return services.objects.read(key, max_bytes=2**62).content or b""
