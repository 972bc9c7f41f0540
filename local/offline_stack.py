"""The offline stack put together: moto, the partner, the app's triggers and, if wanted, its REST API."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.access.tokens import LONGEST_DAYS, SCOPES
from chalicelib.model import DEFAULT_OWNER
from chalicelib.settings import signing_root_of
from chalicelib.wiring import services
from local import api_server
from local.config import Ports, enter, environment, mapping_of, stage_config
from local.event_source import Timing
from local.faults import Faults
from local.folder import Folder, Running
from local.function_process import FunctionProcess
from local.http_server import Server
from local.loopback import HOST
from local.moto_server import LocalAws
from local.partner import Partner, Received
from local.persistence import Persistence
from local.provision import provision
from local.reconciliation import Differences, Reconciliation, differences
from local.runtime import Runtime

ITSELF = "offline stack"


@dataclass(frozen=True)
class Wish:
    """What to start: the ports (0: any free one), the upload trigger, who is let in, how to misbehave.

    ``data`` is the folder to keep everything in; without one, all is forgotten at the end.
    """

    ports: Ports = field(default_factory=Ports)
    trigger: str = "s3"
    auth: str = "none"
    faults: Faults = field(default_factory=Faults)
    pace: Timing = field(default_factory=Timing)
    with_api: bool = True
    data: Path | None = None


@dataclass(frozen=True)
class OfflineStack:
    """A running stack. ``api`` is missing where somebody else serves it, ``token`` where none is asked.

    ``folder`` is where it keeps things, and ``found`` what was there, if it keeps any.
    """

    aws: LocalAws
    runtime: Runtime
    partner: Partner
    office: Server
    api: Server | None
    token: str = ""
    folder: Folder | None = None
    found: Differences | None = None


@contextmanager
def offline(wish: Wish, told: Callable[[Received], None] = lambda received: None) -> Iterator[OfflineStack]:
    """Run a stack for the length of a block.

    All that is started stands here in its order, and stops in the reverse. The app reads its settings
    once per process, so a process can run one stack in its life. Raises
    :exc:`~local.loopback.PortTaken` before anything is started.
    """
    partner = Partner(told)
    with ExitStack() as running:
        folder = running.enter_context(closing(Folder(wish.data))) if wish.data else None
        variables = environment(wish.ports, trigger=wish.trigger, auth=wish.auth)
        persistence = Persistence(folder, variables["BUCKET"]) if folder else None
        aws = LocalAws(wish.ports.aws, persistence.around) if persistence else LocalAws(wish.ports.aws)
        office = partner.serve(wish.ports.partner)
        enter(environment(Ports(aws.port, office.port), trigger=wish.trigger, auth=wish.auth))
        # First of all: it loads the app beside this.
        functions = running.enter_context(FunctionProcess(aws.url, aws.channel.address))
        app = importlib.import_module("app").app  # only now: it reads the environment
        server = api_server.serve(app, stage_config("api_handler"), wish.ports.api) if wish.with_api else None
        if persistence:
            running.callback(persistence.stop)
        running.enter_context(aws)
        running.enter_context(office)
        provision(aws.client, trigger=wish.trigger)
        restored = persistence.restore() if persistence else None
        if persistence:
            persistence.restore_signing_root(aws.client("ssm"), signing_root_of(variables["TABLE"]))
        runtime = Runtime(
            app,
            aws.client,
            function_of=functions.function,
            mapping_of=mapping_of,
            queues=aws.queues,
            faults=wish.faults,
            pace=wish.pace,
        )
        found = None
        if persistence and restored:
            found = differences(restored, variables["TABLE"])
            running.enter_context(Reconciliation(found, persistence.restore_messages(), services()))
            persistence.start(runtime.caught_up)
        running.enter_context(runtime)
        if server:
            running.enter_context(server)
        token = _token() if wish.auth == "token" else ""
        address = server.url if server else f"http://{HOST}:{wish.ports.api}"
        if folder:
            folder.announce(Running(os.getpid(), address, aws.url, office.url, token))
        yield OfflineStack(aws, runtime, partner, office, server, token, folder, found)


def _token() -> str:
    """For the owner of what is dropped into the bucket, so that the tour can show all there is."""
    tokens = services().tokens
    for token in tokens.all(DEFAULT_OWNER):
        if token.name == ITSELF:  # of a run before this one, which took its text along
            tokens.revoke(token)
    _, text = tokens.issue(DEFAULT_OWNER, SCOPES, days=LONGEST_DAYS, name=ITSELF)
    return text
