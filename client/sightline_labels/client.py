"""The service's API as methods; documents are as its own description has them (``GET /openapi.json``)."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_END, BufferedReader, BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import requests

import sightline_labels
from sightline_labels.embedding import known_as
from sightline_labels.errors import NotInTime, NotReachable, SightlineError
from sightline_labels.files import written_whole
from sightline_labels.transport import TRIES, Transport

Json = dict[str, Any]

SETTLED = ("labelled", "failed", "binned")
AT_AN_END = ("done", "failed", "cancelled", "paused")  # of a job, or as good as that
WAIT_SECONDS = 20  # the API's longest
PATIENCE = 300.0  # seconds
PAGE = 200
CHUNK = 1 << 20


@dataclass(frozen=True)
class Uploaded:
    """An ``image`` as it was made; ``known`` if its bytes were there already, and nothing was sent."""

    image: Json
    known: bool

    @property
    def id(self) -> str:
        return str(self.image["id"])


class Client:
    """A service at ``url``, with a ``token`` where it asks for one; safe to use in many threads.

    Requests that may be sent again are, up to ``tries`` times and with growing pauses, where nobody answers
    any more or the service asks for patience (429, 503). Every method raises
    :exc:`~sightline_labels.NotReachable` or a :exc:`~sightline_labels.ServiceError` with the service's code.
    """

    def __init__(
        self, url: str, token: str = "", *, tries: int = TRIES, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._transport = Transport(
            url, token, agent=f"sightline-labels/{sightline_labels.__version__}", tries=tries, sleep=sleep
        )
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Any route: the JSON of its answer, ``None`` if it has none. ``options`` are those of requests."""
        reply = self._transport.call(method, path, **options)
        return reply.json() if reply.content else None

    def _document(self, method: str, path: str, **options: Any) -> Json:
        document: Json = self.call(method, path, **options)
        return document

    def pages(self, path: str, name: str, most: int | None = None, **params: Any) -> Iterator[Json]:
        """What a list has under ``name``, page by page, ``most`` at the most."""
        count, cursor = 0, None
        while most is None or count < most:
            page = self.call("GET", path, params=_given(**params, cursor=cursor))
            for one in page[name]:
                if most is not None and count >= most:
                    return
                count += 1
                yield one
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def health(self) -> Json:
        """What the service says of itself; nobody needs a token for it."""
        return self._document("GET", "/health")

    # ── images ────────────────────────────────────────────────────────────────────────────────
    def upload(self, path: str | Path, *, name: str = "", again: bool = False, **wishes: Any) -> Uploaded:
        """Hand a photo in under ``name`` (its file's own), without waiting for its labels.

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
        return self._document("GET", f"/images/{_part(image_id)}")

    def wait(self, image_id: str, seconds: float = PATIENCE) -> Json:
        """The image once it is labelled or failed; raises :exc:`NotInTime`."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            asked = max(0, min(WAIT_SECONDS, int(left)))
            image = self._document("GET", f"/images/{_part(image_id)}", params={"wait": asked})
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

        Words mean what people mean by them; ``strict`` takes the text as a query of the language.
        """
        params = {"q" if strict else "search": text, "status": status, "order": order, "limit": _limit(most)}
        return self.pages("/images", "images", most, **params)

    def correct(self, image_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
        """Say that labels are there, or are not; the image after it."""
        image: Json = {}
        for name in add:
            image = self.call("PUT", f"/images/{_part(image_id)}/labels/{_part(name)}", json={})
        for name in remove:
            image = self.call("DELETE", f"/images/{_part(image_id)}/labels/{_part(name)}")
        return image or self.image(image_id)

    def correct_found(self, query: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
        """The same for all that a query finds, as a job."""
        said = {"q": query, "add": [*add], "remove": [*remove]}
        return self._document("POST", "/images/labels", json=said)

    def caption(self, image_id: str, text: str = "", alt: str = "") -> Json:
        """Say in one's own words what a photo shows; without any, the model's count again."""
        if not text and not alt:
            return self._document("DELETE", f"/images/{_part(image_id)}/caption")
        said = {"text": text, "alt": alt}
        given = {name: one for name, one in said.items() if one}
        return self._document("PUT", f"/images/{_part(image_id)}/caption", json=given)

    def why(self, image_id: str, label: str) -> Json:
        """Why an image has a label, or has it not."""
        return self._document("GET", f"/images/{_part(image_id)}/why", params={"label": label})

    def history(self, image_id: str) -> Json:
        return self._document("GET", f"/images/{_part(image_id)}/history")

    def relabel(self, image_id: str, **wishes: Any) -> Json:
        """Have an image recognised again; corrections stay."""
        return self._document("POST", f"/images/{_part(image_id)}/relabel", json=wishes)

    def relabel_found(self, query: str, **wishes: Any) -> Json:
        """The same for all that a query finds, as a job."""
        return self._document("POST", "/relabel", json={"q": query, **wishes})

    def xmp(self, image_id: str) -> bytes:
        """The labels as photo programs read them, to lie beside the photo."""
        return self._transport.call("GET", f"/images/{_part(image_id)}/xmp").content

    def add_xmp(self, image_id: str, packet: bytes) -> Json:
        """Have the keywords that people have put into a packet taken for a person's; the image after it."""
        headers = {"Content-Type": "application/rdf+xml"}
        return self._document("PUT", f"/images/{_part(image_id)}/xmp", data=packet, headers=headers)

    def delete(self, image_id: str, *, permanent: bool = False) -> None:
        """Put an image into the bin, or erase it for good."""
        self.call("DELETE", f"/images/{_part(image_id)}", params={"permanent": "true"} if permanent else {})

    def restore(self, image_id: str) -> Json:
        """Take an image out of the bin."""
        return self._document("POST", f"/images/{_part(image_id)}/restore", json={})

    def download(self, image_id: str, to: str | Path) -> Path:
        """Write the original to a file, whole or not at all; answers its path."""
        to = Path(to)
        link = self._transport.call("GET", f"/images/{_part(image_id)}/content", allow_redirects=False)
        address = link.headers.get("Location", "")
        reply = self._transport.elsewhere("GET", address, stream=True) if address else link
        with written_whole(to) as file:
            _write(reply, file, to.name)
        return to

    # ── labels, jobs, exports ─────────────────────────────────────────────────────────────────
    def labels(self, prefix: str = "", *, sort: str = "", most: int | None = None) -> Iterator[Json]:
        """Labels with the number of their images; ``sort`` is ``name`` or ``count``."""
        return self.pages("/labels", "labels", most, prefix=prefix, sort=sort, limit=_limit(most))

    def rename(self, label: str, to: str) -> Json:
        """Show a label under another name from now on, and as a job everywhere it is."""
        return self._document("POST", f"/labels/{_part(label)}/rename", json={"to": to})

    def vocabulary(self) -> list[str]:
        """The only terms that labels are shown by, as ``sneaker = trainer``; none where any name will do."""
        return list(self._document("GET", "/vocabulary")["terms"])

    def set_vocabulary(self, terms: Sequence[str]) -> Json:
        """Show these terms and no other from now on, and as a job everywhere."""
        return self._document("PUT", "/vocabulary", json={"terms": list(terms)})

    def jobs(self, *, kind: str = "", status: str = "", most: int | None = None) -> Iterator[Json]:
        return self.pages("/jobs", "jobs", most, kind=kind, status=status)

    def job(self, job_id: str) -> Json:
        return self._document("GET", f"/jobs/{_part(job_id)}")

    def label_there(
        self,
        *,
        manifest: str = "",
        inventory: str = "",
        prefix: str = "",
        urls: Sequence[str] | None = None,
        dry_run: bool = False,
        max_cost: float | None = None,
        unchanged_since: str = "",
        options: Json | None = None,
    ) -> Json:
        """Label what lies at one of these sources, as a job; only count it and say the price, if ``dry_run``.

        The first three are ``s3://`` addresses. ``max_cost`` is in dollars; ``options`` are asked of the
        recogniser, as ``min_confidence``.
        """
        places = {"manifest": manifest, "inventory": inventory, "prefix": prefix}
        source: Json = {name: at for name, at in places.items() if at}
        if urls is not None:
            source["urls"] = list(urls)
        asked: Json = {"kind": "label", "source": source, "dry_run": dry_run}
        given = {"max_cost": max_cost, "unchanged_since": unchanged_since or None, "options": options}
        asked.update({name: value for name, value in given.items() if value is not None})
        return self._document("POST", "/jobs", json=asked)

    def pause_job(self, job_id: str) -> Json:
        return self._document("POST", f"/jobs/{_part(job_id)}/pause", json={})

    def resume_job(self, job_id: str, max_cost: float | None = None) -> Json:
        """Let a paused job go on, up to another ``max_cost`` (dollars)."""
        more = {} if max_cost is None else {"max_cost": max_cost}
        return self._document("POST", f"/jobs/{_part(job_id)}/resume", json=more)

    def cancel_job(self, job_id: str) -> Json:
        """End it before its time; one that labels writes its results first."""
        return self._document("POST", f"/jobs/{_part(job_id)}/cancel", json={})

    def download_results(self, job_id: str, to: str | Path, file: str = "results") -> Path:
        """Write what came of a job that labelled to a file: ``results``, ``results_csv`` or ``summary``."""
        to = Path(to)
        job = self.job(job_id)
        address = job["links"].get(file)
        if not address:
            raise SightlineError(f"Job {job_id} is {job['status']}, and has no {file}.")
        reply = self._transport.elsewhere("GET", address, stream=True)
        with written_whole(to) as opened:
            _write(reply, opened, to.name)
        return to

    def wait_for_job(
        self, job_id: str, seconds: float = 3600.0, told: Callable[[Json], object] = lambda job: None
    ) -> Json:
        """The job at its end, or when it rests; ``told`` is given it at every look.

        Raises :exc:`NotInTime`.
        """
        until, pause = time.monotonic() + seconds, 0.2
        while True:
            job = self.job(job_id)
            told(job)
            if job["status"] in AT_AN_END:
                return job
            if time.monotonic() + pause > until:
                raise NotInTime(f"Job {job_id} was not done within {seconds:.0f} s.")
            time.sleep(pause)
            pause = min(5.0, pause * 1.5)

    def export(self, text: str = "", *, format: str = "csv", excel: bool = False) -> Iterator[bytes]:
        """What a query finds as CSV or JSON Lines, piece by piece; only the first piece has a heading."""
        cursor = None
        while True:
            params = _given(q=text, format=format, excel="true" if excel else None, cursor=cursor)
            part = self.call("GET", "/export", params=params)
            content = self._transport.elsewhere("GET", part["url"]).content
            if cursor and format == "csv":
                content = content.partition(b"\r\n")[2]
            yield content
            cursor = part["next_cursor"]
            if not cursor:
                return

    def export_photos(self, query: str = "") -> Json:
        """Have what a query finds packed into a ZIP file, as a job."""
        return self._document("POST", "/export", json=_given(q=query))

    def download_archive(
        self, job_id: str, to: str | Path, told: Callable[[int, int], object] = lambda count, size: None
    ) -> int:
        """Write the ZIP file of a job that is done, whole, checked by its own checksums, or not at all.

        Answers how many files are in it; ``told`` is given how many bytes have come, of how many. Raises
        :exc:`~sightline_labels.SightlineError` where it is gone or damaged.
        """
        to = Path(to)
        link = self.job(job_id)["links"].get("archive")
        if not link:
            raise SightlineError(f"Job {job_id} has no archive (any more): one is kept for a day.")
        reply = self._transport.elsewhere("GET", link, stream=True)
        with written_whole(to) as file:
            _write(reply, file, to.name, told)
            try:
                with zipfile.ZipFile(file) as archive:
                    damaged, names = archive.testzip(), archive.namelist()
            except zipfile.BadZipFile as error:
                raise SightlineError(f"{to.name} came damaged ({error}).") from error
            if damaged:
                raise SightlineError(f"{to.name} came damaged: {damaged}.")
        return len(names)

    def usage(self, first: str = "", last: str = "") -> Json:
        """Images, calls and cost by day (``2026-11-30``)."""
        return self._document("GET", "/usage", params=_given(**{"from": first, "to": last}))

    # ── who is told ───────────────────────────────────────────────────────────────────────────
    def deliveries(
        self, *, destination: str = "", status: str = "", most: int | None = None
    ) -> Iterator[Json]:
        return self.pages("/deliveries", "deliveries", most, destination=destination, status=status)

    def delivery(self, delivery_id: str) -> Json:
        return self._document("GET", f"/deliveries/{_part(delivery_id)}")

    def retry_delivery(self, delivery_id: str) -> Json:
        return self._document("POST", f"/deliveries/{_part(delivery_id)}/retry", json={})

    def subscriptions(self) -> list[Json]:
        found: list[Json] = self.call("GET", "/subscriptions")["subscriptions"]
        return found

    def subscribe(self, url: str, **wishes: Any) -> Json:
        """Have an address told (``filter``, ``format``, ``event_types``); the answer alone has the secret."""
        return self._document("POST", "/subscriptions", json={"url": url, **wishes})

    def change_subscription(self, subscription_id: str, **changes: Any) -> Json:
        """Another ``url``, ``filter``, ``format`` or ``event_types``; ``paused`` stops and starts it."""
        return self._document("PATCH", f"/subscriptions/{_part(subscription_id)}", json=changes)

    def confirm_subscription(self, subscription_id: str) -> Json:
        """Ask its receiver whether it wants to be called often."""
        return self._document("POST", f"/subscriptions/{_part(subscription_id)}/confirm", json={})

    def test_subscription(self, subscription_id: str) -> Json:
        """Send it an example, and say what it answered."""
        return self._document("POST", f"/subscriptions/{_part(subscription_id)}/test", json={})

    def unsubscribe(self, subscription_id: str) -> None:
        self.call("DELETE", f"/subscriptions/{_part(subscription_id)}")

    # ── tokens ────────────────────────────────────────────────────────────────────────────────
    def tokens(self) -> list[Json]:
        found: list[Json] = self.call("GET", "/tokens")["tokens"]
        return found

    def create_token(self, *, name: str = "", scopes: Sequence[str] = (), days: int | None = None) -> Json:
        """A token; the answer alone has its text."""
        return self._document("POST", "/tokens", json=_given(name=name, scopes=[*scopes], days=days))

    def revoke_token(self, token_id: str) -> None:
        self.call("DELETE", f"/tokens/{_part(token_id)}")


def _write(
    reply: requests.Response,
    file: BinaryIO,
    name: str,
    told: Callable[[int, int], object] = lambda count, size: None,
) -> None:
    """Write what comes, as much as was promised."""
    count, size = 0, int(reply.headers.get("Content-Length", 0))
    try:
        for chunk in reply.iter_content(CHUNK):
            file.write(chunk)
            count += len(chunk)
            told(count, size)
    except requests.RequestException as error:
        raise NotReachable(f"{name} broke off.") from error


def _given(**params: Any) -> Json:
    """Those that say something."""
    return {name: value for name, value in params.items() if value not in (None, "", [])}


def _limit(most: int | None) -> int:
    return PAGE if most is None else max(1, min(PAGE, most))


def _part(text: str) -> str:
    """An id or a name as part of a path: whatever it is, it stays one part."""
    if text in ("", ".", ".."):
        raise SightlineError(f"{text!r} is no id and no name.")
    return quote(text, safe="")
