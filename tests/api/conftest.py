"""The app on services in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from chalicelib import wiring
from chalicelib.model import Label
from tests.api.client import Api
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeServices


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    """The services that the app works with in this test."""
    made = FakeServices()
    monkeypatch.setattr(wiring, "services", lambda: made)
    return made


@pytest.fixture
def api(services: FakeServices, tmp_path: Path) -> Api:
    """A client of the app."""
    return Api(app.app, str(tmp_path))


@pytest.fixture
def receiver(services: FakeServices) -> FakeReceiver:
    """The integration server, and whoever else is sent to."""
    services.with_settings(integration_url="https://partner.example/labels")
    services.recogniser = FakeRecogniser(Label("Cat", 93.0))
    made = FakeReceiver()
    services.outbound = made  # type: ignore[assignment]  # another piece of the internet
    return made
