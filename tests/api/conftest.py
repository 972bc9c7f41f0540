"""The app on services in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from tests.api.client import Api
from tests.fakes.services import FakeServices


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    """The services that the app works with in this test."""
    made = FakeServices()
    monkeypatch.setattr(app, "services", lambda: made)
    return made


@pytest.fixture
def api(services: FakeServices, tmp_path: Path) -> Api:
    """A client of the app."""
    return Api(app.app, str(tmp_path))
