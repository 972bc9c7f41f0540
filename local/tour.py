"""What ``make run`` shows: the sample photos labelled, the partner's document, and what to try next."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from local.client import Client, Outcome, table
from local.config import Ports
from local.label import label, pick
from local.partner import Received
from local.runtime import StillBusy
from local.stack import Stack

AT_REST_SECONDS = 10.0
_SHOWN_LINES = 16


def show(stack: Stack, photos: Path) -> list[Outcome]:
    """Label the photos through the API and print what came of it."""
    assert stack.api is not None  # noqa: S101 - for mypy: the tour is only for a stack with an API
    outcomes = label(Client(stack.api.url, stack.token), list(pick([photos])))
    print(f"\nSeen on the photos in {photos.name}/ (confidence in %):\n")
    print(table(outcomes))
    with suppress(StillBusy):  # a stack told to misbehave may take its time
        stack.runtime.wait_until_idle(AT_REST_SECONDS)
    if received := stack.partner.received:
        print(
            f"\nWhat the partner got by XML ({len(received)} documents; this is {received[0].reference}):\n"
        )
        print(_beginning(received[0]))
    print(next_steps(stack.api.url, stack.office.url, photos, stack.token))
    return outcomes


def next_steps(api: str, partner: str, photos: Path, token: str = "") -> str:
    """Lines that work when they are pasted into a shell."""
    python = os.path.relpath(sys.executable) if sys.executable.startswith(os.getcwd()) else sys.executable
    curl = f"curl -H 'Authorization: Bearer {token}'" if token else "curl"
    photo = next(iter(pick([photos]))).path
    steps = f"""
        The web page    {api}/
        The partner     {partner}/

        Label a photo of your own: announce it, upload it, ask for its labels:

          new=$({curl} -s {api}/images -H 'Content-Type: application/json' -d '{{"filename": "mine.jpg"}}')
          of_new() {{ echo "$new" | {python} -c "import json, sys; print(json.load(sys.stdin)$1)"; }}
          curl --upload-file {os.path.relpath(photo)} "$(of_new '["upload"]["url"]')"
          {curl} "{api}/images/$(of_new '["id"]')?wait=20"

        Look around:

          {curl} "{api}/images?label=animal&limit=5"
          {curl} "{api}/labels?limit=10"

        Many at once: make label FILES="~/Pictures"
        """
    return textwrap.dedent(steps).rstrip()


def without_api(ports: Ports) -> str:
    """How to serve the routes from another terminal."""
    if (ports.aws, ports.partner) != (Ports.aws, Ports.partner):
        return (
            "The stack runs. `chalice local` looks for it on the ports in .chalice/config.json, not on these."
        )
    return textwrap.dedent(
        f"""
        The stack runs, without the REST API. Serve that from another terminal:

          chalice local --stage local --port {ports.api}
        """
    ).rstrip()


def telling(received: Received) -> str:
    """A line for a document that reached the partner."""
    return f"{'partner':18} got {received.filename or 'a document'} and answered {received.reference}"


def _beginning(received: Received) -> str:
    lines = received.xml.splitlines()
    more: Sequence[str] = ["…"] if len(lines) > _SHOWN_LINES else []
    return textwrap.indent("\n".join([*lines[:_SHOWN_LINES], *more]), "  ")
