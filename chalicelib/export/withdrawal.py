"""Withdraws exports: if an image is erased, every exported file that has it is deleted."""

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
    """Withdraw every export of an owner with one of these images, which have been erased.

    An export that is still being written checks for erased images at its end: see :func:`holds_erased`.
    """
    for manifest in services.manifests.of(owner):
        older = {one for one in image_ids if one < manifest.export_id}  # ids sort by time
        if not manifest.withdrawn and older and older & _listed(manifest, older, services):
            log.info("withdrawn, an image in it was erased: export %r", manifest.export_id)
            withdraw(manifest, services)


def withdraw(manifest: Manifest, services: Services) -> None:
    """Mark an export as withdrawn, for the worker that may be writing it, then delete its files."""
    services.manifests.withdraw(manifest)
    for key in _files(manifest, services):
        services.objects.delete_original(key)


def holds_erased(owner: str, image_ids: Iterable[str], services: Services) -> bool:
    """Whether one of these images was erased."""
    keys = [record_key(owner, one) for one in image_ids]
    found = services.table.get_many(keys)
    return any(key not in found or StoredImage(found[key]).erased for key in keys)


def ids_in_directory(directory: bytes) -> list[str]:
    """The image ids in an archive's ZIP directory: each entry's name begins with its id."""
    return [name[:ID_LENGTH] for name in names_in(directory) if is_id(name[:ID_LENGTH])]


def _listed(manifest: Manifest, erased: set[str], services: Services) -> set[str]:
    """The ids of the images in an export; notes the erased ones for a worker that is still writing it."""
    if not manifest.ids:
        directories = _state(manifest, services).get("directories", [])
        return {one for key in directories for one in ids_in_directory(services.objects.read_whole(key))}
    try:
        return set(services.objects.read_whole(manifest.ids).decode().split())
    except NotFound:
        for one in erased:
            services.manifests.suspect(manifest, one)
    try:  # the list may have been written before the note
        return set(services.objects.read_whole(manifest.ids).decode().split())
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
