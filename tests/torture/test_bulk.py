"""A job over many objects is torn at: each line once, and a service that gives up too early is found out."""

from __future__ import annotations

import pytest

from chalicelib.pipeline import job_feed
from torture import bulk
from torture.figures import broken

pytestmark = pytest.mark.slow


def test_every_line_is_done_once_though_workers_die_and_messages_are_lost() -> None:
    assert broken(bulk.run(seed=3, scale=0.01)) == []


def test_lines_that_are_given_up_too_early_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_feed, "MOST_SENT", 1)
    assert any("given up" in sentence for sentence in broken(bulk.run(seed=3, scale=0.01)))
