"""A client that lost its patience: the same request many times at once, through the running service."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.journeys.conftest import Service

pytestmark = pytest.mark.slow
CAT = Path(__file__).parents[2] / "photos" / "chelsea.jpg"
AT_ONCE = 64


def test_sixty_four_repeats_at_once_make_one_image_and_get_one_answer(service: Service) -> None:
    body = {"filename": "repeated.jpg", "content": base64.b64encode(CAT.read_bytes()).decode()}

    def send(_: int) -> requests.Response:
        headers = {"Idempotency-Key": "impatient"}
        return requests.post(f"{service.api}/images", json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(send, range(AT_ONCE)))

    assert {one.status_code for one in replies} == {201}
    assert len({one.content for one in replies}) == 1
    assert len([one for one in replies if "Idempotency-Replayed" not in one.headers]) == 1
    found = service.get("/images", filename="repeated.jpg")["images"]
    assert [one["id"] for one in found] == [replies[0].json()["id"]]
