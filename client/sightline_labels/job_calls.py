"""Calls about labels, jobs, exports and usage."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sightline_labels.calls import Calls, Json, given, page_size, path_part, write_chunks
from sightline_labels.errors import NotInTime, SightlineError
from sightline_labels.files import written_whole

AT_AN_END = ("done", "failed", "cancelled", "paused")  # of a job, or as good as that


class JobCalls(Calls):
    """Calls about labels, jobs, exports and usage."""

    def labels(self, prefix: str = "", *, sort: str = "", most: int | None = None) -> Iterator[Json]:
        """Labels with the number of their images; ``sort`` is ``name`` or ``count``."""
        return self.pages("/labels", "labels", most, prefix=prefix, sort=sort, limit=page_size(most))

    def rename(self, label: str, to: str) -> Json:
        """Rename a label for later results, and by a job on all images that have it."""
        return self._document("POST", f"/labels/{path_part(label)}/rename", json={"to": to})

    def vocabulary(self) -> list[str]:
        """The terms that labels are shown in, as ``sneaker = trainer``; empty: their own names."""
        return list(self._document("GET", "/vocabulary")["terms"])

    def set_vocabulary(self, terms: Sequence[str]) -> Json:
        """Show labels in these terms only, from now on, and by a job on all images."""
        return self._document("PUT", "/vocabulary", json={"terms": list(terms)})

    def jobs(self, *, kind: str = "", status: str = "", most: int | None = None) -> Iterator[Json]:
        return self.pages("/jobs", "jobs", most, kind=kind, status=status)

    def job(self, job_id: str) -> Json:
        return self._document("GET", f"/jobs/{path_part(job_id)}")

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
        """Start a job that labels one of these sources, or with ``dry_run`` only counts and prices it.

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
        return self._document("POST", f"/jobs/{path_part(job_id)}/pause", json={})

    def resume_job(self, job_id: str, max_cost: float | None = None) -> Json:
        """Resume a paused job, with another ``max_cost`` (dollars)."""
        more = {} if max_cost is None else {"max_cost": max_cost}
        return self._document("POST", f"/jobs/{path_part(job_id)}/resume", json=more)

    def cancel_job(self, job_id: str) -> Json:
        """Cancel a job; one that labels writes its results first."""
        return self._document("POST", f"/jobs/{path_part(job_id)}/cancel", json={})

    def download_results(self, job_id: str, to: str | Path, file: str = "results") -> Path:
        """Download a result of a job that labelled: ``results``, ``results_csv`` or ``summary``."""
        to = Path(to)
        job = self.job(job_id)
        address = job["links"].get(file)
        if not address:
            raise SightlineError(f"Job {job_id} is {job['status']}, and has no {file}.")
        reply = self._transport.elsewhere("GET", address, stream=True)
        with written_whole(to) as opened:
            write_chunks(reply, opened, to.name)
        return to

    def wait_for_job(
        self, job_id: str, seconds: float = 3600.0, told: Callable[[Json], object] = lambda job: None
    ) -> Json:
        """Wait until a job has ended or is paused; ``told`` gets the job each time it is read.

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
            params = given(q=text, format=format, excel="true" if excel else None, cursor=cursor)
            part = self.call("GET", "/export", params=params)
            content = self._transport.elsewhere("GET", part["url"]).content
            if cursor and format == "csv":
                content = content.partition(b"\r\n")[2]
            yield content
            cursor = part["next_cursor"]
            if not cursor:
                return

    def export_photos(self, query: str = "") -> Json:
        """Start a job that packs what a query finds into a ZIP file."""
        return self._document("POST", "/export", json=given(q=query))

    def download_archive(
        self, job_id: str, to: str | Path, told: Callable[[int, int], object] = lambda count, size: None
    ) -> int:
        """Download the ZIP file of a job that is done, and check its checksums.

        Answers how many files are in it; ``told`` is given how many bytes have come, of how many. Raises
        :exc:`~sightline_labels.SightlineError` where it is gone or damaged.
        """
        to = Path(to)
        link = self.job(job_id)["links"].get("archive")
        if not link:
            raise SightlineError(f"Job {job_id} has no ZIP file, or no longer: they are kept for a day.")
        reply = self._transport.elsewhere("GET", link, stream=True)
        with written_whole(to) as file:
            write_chunks(reply, file, to.name, told)
            try:
                with zipfile.ZipFile(file) as archive:
                    damaged, names = archive.testzip(), archive.namelist()
            except zipfile.BadZipFile as error:
                raise SightlineError(f"{to.name} arrived damaged ({error}).") from error
            if damaged:
                raise SightlineError(f"{to.name} arrived damaged: {damaged}.")
        return len(names)

    def usage(self, first: str = "", last: str = "") -> Json:
        """Images, calls and cost by day (``2026-11-30``)."""
        return self._document("GET", "/usage", params=given(**{"from": first, "to": last}))
