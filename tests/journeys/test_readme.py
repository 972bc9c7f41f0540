"""The output that the README shows is the output there is; its commands are those of ``test_docs.py``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys.conftest import Service

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_what_it_shows_of_make_run_is_what_make_run_prints(service: Service) -> None:
    shown = re.search(r"<!-- run -->\n```\n(.*?)```", README, re.S)
    assert shown
    for line in shown[1].splitlines():
        photo = re.match(r"\s+(\S+\.jpg)\s+\d+\s+(.*)", line)
        if photo:
            assert re.search(rf"{photo[1]}\s+\d+\s+{re.escape(photo[2])}", service.output), line
