"""Signing secrets over HTTP, and what is kept of them: nothing that they could be worked out from."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Unavailable
from tests.api.client import Api
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver, verify
from tests.fakes.services import FakeServices


class TestNoSecretIsInTheTable:
    def test_whatever_is_asked_for_with_or_without_an_idempotency_key(
        self, api: Api, services: FakeServices
    ) -> None:
        made = api.post("/subscriptions", {"url": "https://hook.example/in"}, idempotency_key="one").json_body
        rotate = f"/subscriptions/{made['id']}/signing-secret/rotate"
        told = [
            made["secret"],
            api.get("/signing-secret").json_body["secret"],
            api.post("/signing-secret/rotate", {}, idempotency_key="two").json_body["secret"],
            api.post(rotate, {}, idempotency_key="three").json_body["secret"],
        ]
        rows = list(services.table.everything())
        assert len(set(told)) == len(told)
        assert {"default#signing#owner", f"default#signing#{made['id']}"} < {str(one["pk"]) for one in rows}
        everything = b"".join(as_bytes(value) for row in rows for value in row.values())
        for secret in (*told, services.parameters.kept[services.settings.signing_root]):
            raw = base64.b64decode(secret.removeprefix("whsec_"))
            forms = (secret.removeprefix("whsec_").encode(), raw, raw.hex().encode())
            assert not [form for form in forms if form in everything]

    def test_a_repeat_is_answered_with_the_secret_in_force(self, api: Api, services: FakeServices) -> None:
        asked = {"url": "https://hook.example/in"}
        made = api.post("/subscriptions", asked, idempotency_key="one")
        assert api.post("/subscriptions", asked, idempotency_key="one").json_body == made.json_body
        for rotate in ("", f"/subscriptions/{made.json_body['id']}"):
            path = f"{rotate}/signing-secret/rotate"
            rotated = api.post(path, {}, idempotency_key=f"two{rotate}")
            again = api.post(path, {}, idempotency_key=f"two{rotate}")
            assert again.headers["Idempotency-Replayed"] == "true"
            assert again.json_body == rotated.json_body

    def test_a_repeat_of_what_was_removed_meanwhile_makes_no_secret(
        self, api: Api, services: FakeServices
    ) -> None:
        asked = {"url": "https://hook.example/in"}
        made = api.post("/subscriptions", asked, idempotency_key="one").json_body
        api.delete(f"/subscriptions/{made['id']}")
        assert api.post("/subscriptions", asked, idempotency_key="one").json_body["code"] == "removed-since"
        assert services.keyring.find("default", made["id"]) is None


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidKeyId", "ThrottlingException"])
def test_while_the_key_is_refused_deliveries_wait_and_none_is_lost(
    services: FakeServices, receiver: FakeReceiver, code: str
) -> None:
    mail = Mail(services)
    pipeline.label_image(services.drop("uploads/cat.jpg"), services)  # type: ignore[arg-type]
    mail.announce()
    services.parameters.refused = code
    for _ in range(12):  # more often than there are tries
        with pytest.raises(Unavailable):
            mail.bring()
        services.clock.forward(3600)
        pipeline.sweep(services)  # type: ignore[arg-type]
    [waiting] = mail.log("integration")
    assert (waiting.status, waiting.tries, receiver.posted) == ("pending", 0, [])
    services.parameters.refused = ""
    mail.run()
    [posted] = receiver.posted
    secret = services.keyring.get("default", "owner").current
    verify(secret, posted.headers, posted.body, now=services.now())


def test_while_the_key_is_refused_the_api_says_that_it_is_the_deployments_fault(
    api: Api, services: FakeServices
) -> None:
    services.parameters.refused = "AccessDeniedException"
    answer = api.get("/signing-secret")
    assert (answer.status_code, answer.json_body["code"]) == (503, "deployment-fault")
    with pytest.raises(Unavailable):
        services.keyring.rotate("default", "owner")


def as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value)
        except zlib.error:
            return value
    return str(value).encode()
