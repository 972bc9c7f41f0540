"""The receivers in the documentation are run as they stand, against the real worker."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery import signatures
from chalicelib.delivery.sender import WebhookRequest, send
from chalicelib.delivery.subscriptions import Subscription
from chalicelib.ids import new_id
from chalicelib.model import Label
from chalicelib.outbound import Outbound
from tests.fakes.mail import Mail
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World

DOCS = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
EVENT = b'{"type": "sightline.test", "data": {"filename": "again.jpg", "labels": []}}'
LINE = "sightline.image.labelled a b.jpg: Cat, Sofa"


@dataclass
class Receiver:
    """A running receiver: where it listens, and its next line."""

    url: str
    process: subprocess.Popen[str]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> str:
        """End it; what it printed since."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]


@contextlib.contextmanager
def running(language: str, folder: Path, secret: str) -> Iterator[Receiver]:
    [source] = re.findall(rf"```{language}\n(.*?)```", DOCS, re.S)
    program = folder / f"receiver.{language}"
    program.write_text(source)
    interpreter = sys.executable if language == "python" else shutil.which("node")
    if interpreter is None:
        pytest.skip("there is no node on this machine")
    process = subprocess.Popen(  # noqa: S603 - our own documentation
        [interpreter, str(program), "0"],
        env={"WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    )
    receiver = Receiver("", process)
    try:
        port = receiver.line().removeprefix("listening on ")
        receiver.url = f"http://127.0.0.1:{int(port)}/"
        yield receiver
    finally:
        process.kill()
        process.communicate(timeout=30)


@pytest.fixture
def world() -> Any:
    world: Any = World(ALLOW_PRIVATE_URLS="true")
    world.clock.forward(time.time() - world.now())
    world.recogniser = FakeRecogniser(Label("Cat", 97.0), Label("Sofa", 80.0))
    world.outbound = Outbound(allow_private=True, allowed_ports=frozenset())
    return world


@pytest.mark.parametrize("language", ["python", "js"])
def test_it_takes_what_is_signed_once_and_refuses_the_rest(world: Any, language: str, tmp_path: Path) -> None:
    signer = new_id()
    secret = world.keyring.get("default", signer).current
    with running(language, tmp_path, secret) as receiver:
        world.subscriptions.create(Subscription(signer, "default", receiver.url, ""))
        pipeline.label_image(world.drop("uploads/a b.jpg"), world)
        world.keyring.rotate("default", signer)
        mail = Mail(world)
        mail.run()
        [delivery] = mail.log(signer)
        assert (delivery.status, delivery.attempts[0].status) == ("delivered", 204)
        assert receiver.line() == LINE

        genuine = WebhookRequest(receiver.url, "application/json", EVENT, "msg_2", [secret])
        assert told(genuine, world) == 204
        assert receiver.line() == "sightline.test again.jpg:"
        assert told(genuine, world) == 204
        forged = dataclasses.replace(genuine, webhook_id="msg_3", secrets=[signatures.secret_of(bytes(32))])
        assert told(forged, world) == 401
        world.clock.forward(-600)
        assert told(dataclasses.replace(genuine, webhook_id="msg_4"), world) == 401
        assert receiver.stop() == "", "neither repeats nor forgeries were taken"


def told(request: WebhookRequest, world: Any) -> int | None:
    """The status that a parcel is answered with."""
    return send(request, world.outbound, deadline=10, now=world.now).attempt.status
