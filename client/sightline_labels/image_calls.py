"""Calls about images: upload, wait, search, correct, download."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_END, BufferedReader, BytesIO
from pathlib import Path
from typing import Any

import requests

from sightline_labels.calls import Calls, Json, page_size, path_part, write_chunks
from sightline_labels.errors import NotInTime
from sightline_labels.files import written_whole
from sightline_labels.jpeg_xmp import known_as

SETTLED = ("labelled", "failed", "binned")
WAIT_SECONDS = 20  # the API's longest
PATIENCE = 300.0  # seconds


@dataclass(frozen=True)
class Uploaded:
    """An uploaded ``image``; ``known`` if the service had its bytes already and nothing was sent."""

    image: Json
    known: bool

    @property
    def id(self) -> str:
        return str(self.image["id"])


class ImageCalls(Calls):
    """Calls about single images, and about what a query finds."""

    def upload(self, path: str | Path, *, name: str = "", again: bool = False, **wishes: Any) -> Uploaded:
        """Upload a photo under ``name`` (by default its file's), without waiting for its labels.

        What is there already by its bytes is not sent, unless it is wanted ``again``. ``wishes`` are those of
        ``POST /images``: ``min_confidence``, ``features``, ``metadata``, ``callback_url``, …
        """
        path = Path(path)
        digest = known_as(path)
        with path.open("rb") as file:
            return self.upload_file(file, name=name or path.name, again=again, digest=digest, **wishes)

    def upload_file(
        self,
        file: BufferedReader | BytesIO,
        *,
        name: str,
        again: bool = False,
        digest: str = "",
        **wishes: Any,
    ) -> Uploaded:
        """The same for an open file, from where it stands; its bytes may be known by another ``digest``."""
        start = file.tell()
        digest = digest or hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0, SEEK_END)
        size = file.tell() - start
        unless = {} if again else {"sha256": digest, "if_known": "skip"}
        wish = {"filename": name, **({"size": size} if size else {}), **unless, **wishes}
        reply = self._transport.call("POST", "/images", json=wish)
        image: Json = reply.json()
        if reply.status_code == requests.codes.ok:
            return Uploaded(image, known=True)
        file.seek(start)
        upload = image["upload"]
        self._transport.elsewhere(upload["method"], upload["url"], headers=upload["headers"], data=file)
        return Uploaded(image, known=False)

    def submit(self, **wish: Any) -> Json:
        """``POST /images`` as it is: by ``url``, by ``content`` (base64), or for an upload of one's own."""
        return self._document("POST", "/images", json=wish)

    def image(self, image_id: str) -> Json:
        return self._document("GET", f"/images/{path_part(image_id)}")

    def wait(self, image_id: str, seconds: float = PATIENCE) -> Json:
        """Wait until an image is labelled or has failed; raises :exc:`NotInTime`."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            asked = max(0, min(WAIT_SECONDS, int(left)))
            image = self._document("GET", f"/images/{path_part(image_id)}", params={"wait": asked})
            if image["status"] in SETTLED:
                return image
            if left <= 0:
                raise NotInTime(f"{image_id} was not labelled within {seconds:.0f} s.")
            if not asked:
                time.sleep(min(0.2, left))

    def search(
        self,
        text: str = "",
        *,
        strict: bool = False,
        status: str = "",
        order: str = "",
        most: int | None = None,
    ) -> Iterator[Json]:
        """Images that a search finds, newest first (``order="taken"``: by the date taken).

        The text is plain words (``dogs without cats``), or with ``strict`` a query of the query language.
        """
        params = {
            "q" if strict else "search": text,
            "status": status,
            "order": order,
            "limit": page_size(most),
        }
        return self.pages("/images", "images", most, **params)

    def correct(self, image_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
        """Add or remove labels; answers the corrected image."""
        image: Json = {}
        for name in add:
            image = self.call("PUT", f"/images/{path_part(image_id)}/labels/{path_part(name)}", json={})
        for name in remove:
            image = self.call("DELETE", f"/images/{path_part(image_id)}/labels/{path_part(name)}")
        return image or self.image(image_id)

    def correct_found(self, query: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
        """The same for all that a query finds, as a job."""
        said = {"q": query, "add": [*add], "remove": [*remove]}
        return self._document("POST", "/images/labels", json=said)

    def caption(self, image_id: str, text: str = "", alt: str = "") -> Json:
        """Write an image's caption or alternative text; without both, remove what a person wrote."""
        if not text and not alt:
            return self._document("DELETE", f"/images/{path_part(image_id)}/caption")
        said = {"text": text, "alt": alt}
        given = {name: one for name, one in said.items() if one}
        return self._document("PUT", f"/images/{path_part(image_id)}/caption", json=given)

    def why(self, image_id: str, label: str) -> Json:
        """Why an image has a label, or why not."""
        return self._document("GET", f"/images/{path_part(image_id)}/why", params={"label": label})

    def history(self, image_id: str) -> Json:
        return self._document("GET", f"/images/{path_part(image_id)}/history")

    def relabel(self, image_id: str, **wishes: Any) -> Json:
        """Recognise an image again; corrections stay."""
        return self._document("POST", f"/images/{path_part(image_id)}/relabel", json=wishes)

    def relabel_found(self, query: str, **wishes: Any) -> Json:
        """The same for all that a query finds, as a job."""
        return self._document("POST", "/relabel", json={"q": query, **wishes})

    def xmp(self, image_id: str) -> bytes:
        """The labels as XMP, which photo programs read."""
        return self._transport.call("GET", f"/images/{path_part(image_id)}/xmp").content

    def add_xmp(self, image_id: str, packet: bytes) -> Json:
        """Take over the keywords that people wrote into an XMP packet; answers the image."""
        headers = {"Content-Type": "application/rdf+xml"}
        return self._document("PUT", f"/images/{path_part(image_id)}/xmp", data=packet, headers=headers)

    def delete(self, image_id: str, *, permanent: bool = False) -> None:
        """Put an image into the bin, or erase it for good."""
        self.call(
            "DELETE", f"/images/{path_part(image_id)}", params={"permanent": "true"} if permanent else {}
        )

    def restore(self, image_id: str) -> Json:
        """Take an image out of the bin."""
        return self._document("POST", f"/images/{path_part(image_id)}/restore", json={})

    def download(self, image_id: str, to: str | Path) -> Path:
        """Write the original to a file, whole or not at all; answers its path."""
        to = Path(to)
        link = self._transport.call("GET", f"/images/{path_part(image_id)}/content", allow_redirects=False)
        address = link.headers.get("Location", "")
        reply = self._transport.elsewhere("GET", address, stream=True) if address else link
        with written_whole(to) as file:
            write_chunks(reply, file, to.name)
        return to
