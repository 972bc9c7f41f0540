"""What ``make run`` shows: the sample photos labelled, the partner's document, and what to try next."""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sightline_labels import Client
from sightline_labels.files import pick
from sightline_labels.table import heading, line, width_of
from sightline_labels.uploads import Uploading

from local.config import Ports
from local.folder import DEFAULT, shown
from local.offline_stack import OfflineStack
from local.partner import Received
from local.runtime import StillBusy

AT_REST_SECONDS = 10.0
_SHOWN_LINES = 16


def found(stack: OfflineStack) -> str:
    """What was there from before, and what had to be set right; nothing of a folder that is new."""
    if stack.folder is None or stack.found is None:
        return ""
    lines = []
    if stack.found.images:
        lines.append(f"{stack.found.images} photos are here from before, in {shown(stack.folder.path)}.")
    if stack.found.unlabelled:
        lines.append(f"{len(stack.found.unlabelled)} photos have no labels yet: they are labelled now.")
    if stack.found.lost:
        lines.append(f"{len(stack.found.lost)} photos are no longer among the files: their labels went, too.")
    lines += [f"Damaged, and set aside: {one}" for one in stack.folder.set_aside]
    return "".join(f"{line}\n" for line in lines)


def show(stack: OfflineStack, photos: Path) -> None:
    """Label the photos if that has not been done, and print what came of it and what to try."""
    assert stack.api is not None  # noqa: S101 - for mypy: the tour is only for a stack with an API
    if stack.folder is None or not stack.folder.notes.get("tour"):
        _label(stack, Client(stack.api.url, stack.token), photos)
        if stack.folder:
            stack.folder.note(tour=True)
    print(next_steps(stack, photos))


def _label(stack: OfflineStack, client: Client, photos: Path) -> None:
    print(f"\nSeen on the photos in {photos.name}/ (confidence in %):\n")
    picked, _ = pick([photos])
    width = width_of(one.name for one in picked)
    print(heading(one.name for one in picked))
    for outcome in Uploading(client, picked):
        print(line(outcome, width), flush=True)
    with suppress(StillBusy):  # a stack told to misbehave may take its time
        stack.runtime.wait_until_idle(AT_REST_SECONDS)
    if received := stack.partner.received:
        print(
            f"\nWhat the partner got by XML ({len(received)} documents; this is {received[0].reference}):\n"
        )
        print(_beginning(received[0]))


def next_steps(stack: OfflineStack, photos: Path) -> str:
    """Lines that work when they are pasted into a shell: one text, as it is printed."""
    assert stack.api is not None  # noqa: S101 - for mypy: the tour is only for a stack with an API
    api = stack.api.url
    python = os.path.relpath(sys.executable) if sys.executable.startswith(os.getcwd()) else sys.executable
    curl = f"curl -H 'Authorization: Bearer {stack.token}'" if stack.token else "curl"
    photo = os.path.relpath(pick([photos])[0][0].path)
    key, secret, region, bucket = (
        os.environ[name]
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "BUCKET")
    )
    credentials = f"AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={region}"
    elsewhere = stack.folder and stack.folder.path != DEFAULT
    data = f"DATA={shlex.quote(shown(stack.folder.path))} " if stack.folder and elsewhere else ""
    steps = f"""
        The web page    {api}/
        The partner     {stack.office.url}/
        AWS's place     {stack.aws.url}  (region {region}, access key {key}, secret {secret})
        The bucket      {bucket}

        Label a photo of your own: announce it, upload it, ask for its labels:

          new=$({curl} -s {api}/images -H 'Content-Type: application/json' -d '{{"filename": "mine.jpg"}}')
          of_new() {{ echo "$new" | {python} -c "import json, sys; print(json.load(sys.stdin)$1)"; }}
          curl --upload-file {photo} "$(of_new '["upload"]["url"]')"
          {curl} "{api}/images/$(of_new '["id"]')?wait=20"

        Copy one into the bucket, as any S3 client can:

          {credentials} aws --endpoint-url {stack.aws.url} s3 cp {photo} s3://{bucket}/uploads/holiday/

        Look around:

          {curl} "{api}/images?label=animal&limit=5"
          {curl} "{api}/labels?limit=10"

        Many at once: {data}make label FILES="~/Pictures"
        """
    if stack.token:
        steps += f"""
        A token for somebody else: {data}make token OWNER=anna
        """
    if stack.folder:
        steps += f"""
        What you add stays in {shown(stack.folder.path)} for the next time; {data}make reset forgets it.
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
