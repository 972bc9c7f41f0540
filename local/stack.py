"""The offline stack put together: moto, the partner, the app's triggers and, if wanted, its REST API."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from chalicelib.access.tokens import SCOPES
from chalicelib.model import DEFAULT_OWNER
from chalicelib.wiring import services
from local import api
from local.aws import LocalAws
from local.config import Ports, enter, environment, stage_config, stream_mapping, timeout_of
from local.faults import Faults
from local.partner import Partner, Received
from local.provision import provision
from local.runtime import Runtime
from local.server import Server
from local.source import Pace


@dataclass(frozen=True)
class Wish:
    """What to start: the ports (0: any free one), the upload trigger, who is let in, how to misbehave."""

    ports: Ports = field(default_factory=Ports)
    trigger: str = "s3"
    auth: str = "none"
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    with_api: bool = True


@dataclass(frozen=True)
class Stack:
    """A running stack. ``api`` is missing where somebody else serves it, ``token`` where none is asked."""

    aws: LocalAws
    runtime: Runtime
    partner: Partner
    office: Server
    api: Server | None
    token: str = ""


@contextmanager
def offline(wish: Wish, told: Callable[[Received], None] = lambda received: None) -> Iterator[Stack]:
    """Run a stack for the length of a block.

    The app reads its settings once per process, so a process can run one stack in its life. Raises
    :exc:`~local.aws.PortTaken` before anything is started.
    """
    partner = Partner(told)
    with ExitStack() as running:
        aws, office = LocalAws(wish.ports.aws), partner.serve(wish.ports.partner)
        enter(environment(Ports(aws.port, office.port), trigger=wish.trigger, auth=wish.auth))
        app = importlib.import_module("app").app  # only now: it reads the environment
        server = api.serve(app, stage_config("api_handler"), wish.ports.api) if wish.with_api else None
        running.enter_context(aws)
        running.enter_context(office)
        provision(aws.client, trigger=wish.trigger)
        runtime = Runtime(
            app,
            aws.client,
            timeout_of=timeout_of,
            mapping_of=stream_mapping,
            faults=wish.faults,
            pace=wish.pace,
        )
        running.enter_context(runtime)
        if server:
            running.enter_context(server)
        yield Stack(aws, runtime, partner, office, server, _token() if wish.auth == "token" else "")


def _token() -> str:
    """For the owner of what is dropped into the bucket, so that the tour can show all there is."""
    _, text = services().tokens.issue(DEFAULT_OWNER, SCOPES, days=1, name="offline stack")
    return text
