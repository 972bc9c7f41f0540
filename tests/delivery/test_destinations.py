"""The integration server's address: as it is set, or in a secret that can change while we run.

Holds `chalicelib/named_secret.py`.
"""

from __future__ import annotations

from typing import NoReturn

import pytest

from chalicelib.delivery.destinations import integration_address
from chalicelib.errors import Unavailable
from chalicelib.named_secret import KEPT_SECONDS, NamedSecret
from tests.fakes.aws import FakeSecrets
from tests.fakes.clock import Clock

ADDRESS = "https://partner.example/labels?key=hidden"
NAME = "sightline-dev-integration"


def integration(secrets: FakeSecrets, clock: Clock) -> NamedSecret:
    return integration_address(f"secret:{NAME}", lambda: secrets, clock)


@pytest.mark.parametrize("named", ["https://partner.example/labels", ""])
def test_an_address_is_taken_as_it_is_and_nobody_is_asked(named: str) -> None:
    def nobody() -> NoReturn:
        raise AssertionError("no secret is needed")

    assert integration_address(named, nobody, Clock()).text() == named


def test_a_secret_is_read_once_in_a_while_and_its_change_is_noticed() -> None:
    clock, secrets = Clock(), FakeSecrets(**{NAME: f"  {ADDRESS}\n"})
    ours = integration(secrets, clock)

    assert [ours.text(), ours.text(), secrets.asked] == [ADDRESS, ADDRESS, 1]
    secrets.kept[NAME] = "https://new.example/labels"
    assert ours.text() == ADDRESS
    clock.forward(KEPT_SECONDS)
    assert ours.text() == "https://new.example/labels"


def test_a_secret_that_is_not_there_keeps_everyone_waiting_and_is_looked_for_again() -> None:
    secrets = FakeSecrets()
    ours = integration(secrets, Clock())

    with pytest.raises(Unavailable, match=r"'sightline-dev-integration' cannot be read: ResourceNotFound"):
        ours.text()
    secrets.kept[NAME] = ADDRESS
    assert ours.text() == ADDRESS


@pytest.mark.parametrize(
    "content", ["", "partner.example", '{"url": "https://partner.example"}', "https://["]
)
def test_a_secret_that_is_no_address_is_refused_and_not_told(
    content: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match=r"holds no http\(s\) URL") as refused:
        integration(FakeSecrets(**{NAME: content}), Clock()).text()

    assert not content or content not in f"{refused.value} {caplog.text}"
