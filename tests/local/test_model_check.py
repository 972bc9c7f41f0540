"""``make run RECOGNISER=openai`` says what it needs before it starts anything."""

from __future__ import annotations

import os

import pytest

from local.config import CHOSEN, Ports, environment
from local.model_check import Missing, check
from tests.stubs.vision import OpenAiStub


def variables(monkeypatch: pytest.MonkeyPatch, **chosen: str) -> dict[str, str]:
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert set(chosen) <= set(os.environ)
    return environment(Ports())


def test_a_model_that_is_there_is_fine_and_so_is_who_asks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    check(variables(monkeypatch))
    with OpenAiStub() as stub:
        chosen = {"RECOGNISER": "openai", "VISION_URL": f"{stub.url}/v1", "VISION_MODEL": "stub"}
        check(variables(monkeypatch, **chosen))
        with pytest.raises(Missing, match="no model 'another'; it has stub"):
            check(variables(monkeypatch, **{**chosen, "VISION_MODEL": "another"}))


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({}, "VISION_URL is not set"),
        ({"VISION_URL": "http://127.0.0.1:1/v1"}, "VISION_MODEL is not set"),
        ({"VISION_URL": "http://127.0.0.1:1/v1", "VISION_MODEL": "llava"}, "ollama pull llava"),
        ({"RECOGNISER": "magic"}, "RECOGNISER is 'magic'"),
    ],
)
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], told: str) -> None:
    with pytest.raises(Missing, match=told):
        check(variables(monkeypatch, **{"RECOGNISER": "openai", **chosen}))
