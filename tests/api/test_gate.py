"""Who may come in: every route is shut, tokens open what their scopes say, owners never meet.

Holds `chalicelib/api/gate.py`, `chalicelib/api/token_handlers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from chalicelib import pipeline
from chalicelib.access.rate_limiter import RateLimiter
from chalicelib.api import openapi
from chalicelib.errors import Unauthorized
from chalicelib.model import Label
from tests.api.client import NOTHING, Api
from tests.api.gated import Gated, Person, gated_app
from tests.fakes.mail import Mail
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT

OPEN_TO_ALL = {"/", "/docs", "/health", "/openapi.json", "/schemas/image-1.xsd"}
QUESTIONS = {
    "/deliveries": "?destination=integration",
    "/images/{image_id}/why": "?label=cat",
    "/predict": "?filename=cat.jpg",
}
PROBLEM = "application/problem+json"


@pytest.fixture
def gated() -> Iterator[Gated]:
    with gated_app() as made:
        yield made


def filled(template: str, **ids: str) -> str:
    """A route's template with its parameters filled in, by ``x`` where nothing better is known."""
    path = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "x"), template)
    return path + QUESTIONS.get(template, "")


def example_body(method: str, template: str) -> Any:
    """A body that the description gives as an example of what the route takes."""
    operation = openapi.document("")["paths"][template][method.lower()]
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [media["example"]] if "example" in media else []
    examples += [one["value"] for one in media.get("examples", {}).values()]
    return examples[0] if examples else NOTHING


def is_open(template: str) -> bool:
    return template in OPEN_TO_ALL or template.startswith("/page/")


class TestEveryRouteIsShut:
    def test_without_a_token_nothing_is_open_but_what_is_meant_to_be(self, gated: Gated) -> None:
        stranger = gated.stranger()
        for method, template in gated.routes():
            answer = stranger.request(method, filled(template))
            if is_open(template):
                assert answer.status_code not in (401, 403), template
            else:
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), template
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert answer.headers["Content-Type"] == PROBLEM

    def test_head_is_shut_and_open_where_get_is(self, gated: Gated) -> None:
        stranger, reader, writer = gated.stranger(), gated.holder("read"), gated.holder("write")
        for method, template in gated.routes():
            if method == "GET":
                for one in (stranger, reader, writer):
                    answers = [one.request(verb, filled(template)) for verb in ("GET", "HEAD")]
                    assert len({answer.status_code for answer in answers}) == 1, template
                    assert answers[1].content == b""

    def test_the_app_itself_refuses_what_comes_past_the_authorizer(self, gated: Gated) -> None:
        for _, methods in gated.app.routes.items():
            for entry in methods.values():
                entry.authorizer = None
        for method, template in gated.routes():
            if not is_open(template):
                assert gated.stranger().request(method, filled(template)).status_code == 401, template

    def test_where_auth_is_off_everybody_is_the_default_owner_but_gets_no_token(self, api: Api) -> None:
        assert api.handed_in()
        assert len(api.get("/images").json_body["images"]) == 1
        answer = api.post("/tokens", {})
        assert (answer.status_code, answer.json_body["code"]) == (403, "auth-is-off")


class TestTokens:
    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer x{}", "Bearer {}x", "Bearer {} {}", "Bearer é"],
    )
    def test_what_is_not_a_known_token_is_refused(self, gated: Gated, header: str) -> None:
        text = gated.holder("read").headers["Authorization"].removeprefix("Bearer ")
        answer = gated.stranger().get(
            "/images", Authorization=header.replace("{}", text).encode("utf-8").decode("latin-1")
        )
        assert answer.status_code == 401

    @pytest.mark.parametrize("part", [0, 1, 2, 3])
    def test_every_part_of_a_token_counts(self, gated: Gated, part: int) -> None:
        gated.holder("read", owner="bert")
        parts = gated.holder("read").headers["Authorization"].removeprefix("Bearer ").split(".")
        other = gated.holder("read", owner="bert").headers["Authorization"].removeprefix("Bearer ").split(".")
        forged = [*parts[:part], "elsewhere" if part == 0 else other[part], *parts[part + 1 :]]
        assert gated.bearer(".".join(parts)).get("/images").status_code == 200
        assert gated.bearer(".".join(forged)).get("/images").status_code == 401

    def test_a_token_ends_when_it_expires(self, gated: Gated) -> None:
        holder = gated.holder("read")
        assert holder.get("/images").status_code == 200
        gated.services.clock.forward(24 * 3600 + 1)
        assert holder.get("/images").status_code == 401

    def test_a_token_made_over_http_works_until_it_is_revoked(self, gated: Gated) -> None:
        admin = gated.holder("read", "admin")
        made = admin.post("/tokens", {"name": "laptop", "scopes": ["read"]}).json()
        holder = gated.bearer(made["token"])
        assert holder.get("/images").status_code == 200
        assert [one["name"] for one in admin.get("/tokens").json()["tokens"]] == ["laptop", ""]
        assert admin.get(f"/tokens/{made['id']}").json()["scopes"] == ["read"]
        assert admin.request("DELETE", f"/tokens/{made['id']}").status_code == 204
        assert holder.get("/images").status_code == 401
        assert admin.get(f"/tokens/{made['id']}").status_code == 404

    def test_a_secret_is_shown_once_and_kept_nowhere(self, gated: Gated) -> None:
        admin = gated.holder("read", "admin")
        secret = admin.post("/tokens", {}).json()["token"].rpartition(".")[2]
        stored = [str(write) for writes in gated.services.table.transactions for write in writes]
        assert stored
        assert secret not in "".join(stored)
        assert secret not in admin.get("/tokens").text

    def test_a_token_gives_only_scopes_that_it_has(self, gated: Gated) -> None:
        admin = gated.holder("read", "admin")
        assert admin.post("/tokens", {}).json()["scopes"] == ["read"]
        for scopes in (["write"], ["read", "write"]):
            refused = admin.post("/tokens", {"scopes": scopes})
            assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")
        assert gated.holder("admin").post("/tokens", {}).json()["scopes"] == ["admin"]

    @pytest.mark.parametrize(("how", "left"), [("", 401), ("?children=keep", 200)])
    def test_what_a_token_made_goes_with_it_or_is_shown_as_an_orphan(
        self, gated: Gated, how: str, left: int
    ) -> None:
        first, other = gated.holder("read", "admin"), gated.holder("admin")
        child = first.post("/tokens", {"scopes": ["read", "admin"], "name": "child"}).json()
        grandchild = gated.bearer(child["token"]).post("/tokens", {"name": "grandchild"}).json()
        parent = child["made_by"]
        assert (grandchild["made_by"], grandchild["orphan"]) == (child["id"], False)
        assert other.request("DELETE", f"/tokens/{parent}{how}").status_code == 204
        assert first.get("/tokens").status_code == 401
        for one in (child, grandchild):
            assert gated.bearer(one["token"]).get("/images").status_code == left
        shown = {one["name"]: one["orphan"] for one in other.get("/tokens").json()["tokens"] if one["name"]}
        assert shown == ({"child": True, "grandchild": False} if left == 200 else {})

    def test_a_token_that_the_gateway_still_lets_in_makes_none_after_it_was_revoked(
        self, gated: Gated
    ) -> None:
        token, _ = gated.services.tokens.issue("anna", ["admin"], days=1)
        gated.services.tokens.revoke(token)
        with pytest.raises(Unauthorized):
            gated.services.tokens.issue("anna", ["admin"], days=1, maker=token.id)


class TestScopes:
    def test_each_scope_opens_its_own_routes_and_no_others(self, gated: Gated) -> None:
        holders = {scope: gated.holder(scope) for scope in ("read", "write", "admin")}
        for method, template in gated.routes():
            if is_open(template):
                continue
            opened = {
                scope
                for scope, holder in holders.items()
                if holder.request(method, filled(template)).status_code != 403
            }
            assert opened == {scope_of(method, template)}, f"{method} {template}"

    def test_a_refusal_names_the_scope_that_is_missing(self, gated: Gated) -> None:
        answer = gated.holder("read").post("/images", {})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
        assert "write" in answer.json()["detail"]


def scope_of(method: str, template: str) -> str:
    if template.split("/")[1] == "tokens":
        return "admin"
    secret = template.split("/")[1] == "signing-secret"
    return "read" if method == "GET" and not secret else "write"


class TestOtherOrigins:
    ORIGIN = "https://photos.example"

    def test_pages_of_the_chosen_origin_alone_may_ask(self) -> None:
        with gated_app(CORS_ORIGIN=self.ORIGIN) as gated:
            headers = {"Origin": self.ORIGIN, "Access-Control-Request-Method": "POST"}
            preflight = requests.options(f"{gated.url}/images", headers=headers, timeout=30)
            answer = gated.holder("read").get("/images")
            turned_away = gated.stranger().get("/images", Origin=self.ORIGIN)
        assert turned_away.status_code == 401
        assert turned_away.headers["Access-Control-Allow-Origin"] == self.ORIGIN
        assert preflight.headers["Access-Control-Allow-Origin"] == self.ORIGIN
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Origin"] == self.ORIGIN

    def test_unless_one_is_chosen_no_other_origins_pages_may(self, gated: Gated) -> None:
        preflight = requests.options(f"{gated.url}/images", headers={"Origin": self.ORIGIN}, timeout=30)
        answer = gated.holder("read").get("/images", Origin=self.ORIGIN)
        turned_away = gated.stranger().get("/images", Origin=self.ORIGIN)
        assert turned_away.status_code == 401
        for one in (preflight, answer, turned_away):
            assert "Access-Control-Allow-Origin" not in one.headers


class TestRates:
    def test_an_owner_who_asks_too_often_is_told_when_to_come_back(self, gated: Gated) -> None:
        gated.services.rate_limiter = RateLimiter(gated.services.table, gated.services.clock, 2)  # type: ignore[arg-type]
        anna, again = gated.holder("read"), gated.holder("read")
        first = anna.get("/images")
        assert re.fullmatch(r'"owner";r=1;t=\d+', first.headers["RateLimit"])
        assert first.headers["RateLimit-Policy"] == '"owner";q=2;w=60'
        assert again.get("/images").status_code == 200
        refused = anna.get("/images")
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 61
        assert gated.holder("read", owner="bert").get("/images").status_code == 200
        assert gated.stranger().get("/health").status_code == 200

    def test_what_is_refused_counts_as_well(self, gated: Gated) -> None:
        gated.services.rate_limiter = RateLimiter(gated.services.table, gated.services.clock, 3)  # type: ignore[arg-type]
        anna = gated.holder("read")
        refused = [anna.post("/images", {}), anna.get("/images?nonsense=1"), anna.get("/images/nothing")]
        assert [one.status_code for one in refused] == [403, 400, 404]
        assert anna.post("/images", {}).status_code == 429

    def test_who_is_not_known_uses_up_nobodys(self, gated: Gated) -> None:
        gated.services.rate_limiter = RateLimiter(gated.services.table, gated.services.clock, 1)  # type: ignore[arg-type]
        assert gated.stranger().get("/images").status_code == 401
        assert gated.holder("read", owner="default").get("/images").status_code == 200


class TestTwoOwners:
    """Anna has one of everything; Bert, who may do all, finds nothing of it."""

    @pytest.fixture
    def ids(self, gated: Gated) -> dict[str, str]:
        return belongings(gated)

    def test_each_id_of_anna_is_there_for_her(self, gated: Gated, ids: dict[str, str]) -> None:
        anna = everything(gated, "anna")
        for method, template in gated.routes():
            if method == "GET" and "{" in template and not is_open(template):
                assert anna.get(filled(template, **ids)).status_code != 404, template

    def test_another_owners_id_is_a_404_on_every_route(self, gated: Gated, ids: dict[str, str]) -> None:
        bert = everything(gated, "bert")
        bert.get("/images")  # the first use of a token is noted
        before = snapshot(gated)
        for method, template in gated.routes():
            if not names_a_thing(template) or is_open(template):
                continue
            unknown = set(re.findall(r"{(\w+)}", template)) - set(ids)
            assert not unknown, f"{template}: give anna one of these too"
            answer = bert.request(method, filled(template, **ids), example_body(method, template))
            assert answer.status_code == 404, f"{method} {template}: {answer.text}"
        assert snapshot(gated) == before

    def test_whatever_another_owner_does_changes_nothing_that_anna_sees(
        self, gated: Gated, ids: dict[str, str]
    ) -> None:
        bert, anna = everything(gated, "bert"), everything(gated, "anna")
        before = seen(gated, anna, ids)
        assert ids["image_id"] in before["/images"]
        for method, template in gated.routes():
            if method != "GET" and not is_open(template):
                body = with_ids(example_body(method, template), ids)
                bert.request(method, filled(template, **ids), body)
        after = seen(gated, anna, ids)
        assert {path for path in before if after[path] != before[path]} == set()

    def test_no_list_shows_what_is_another_owners(self, gated: Gated, ids: dict[str, str]) -> None:
        bert, anna = everything(gated, "bert"), everything(gated, "anna")
        shown_to_anna = ""
        for method, template in gated.routes():
            if method != "GET" or "{" in template or is_open(template):
                continue
            path = filled(template)
            shown_to_anna += anna.get(path).text
            shown = bert.get(path).text
            assert not [one for one in (*ids.values(), "cat.jpg", "Cat") if one in shown], path
        assert ids["image_id"] in shown_to_anna
        assert ids["token_id"] in shown_to_anna
        assert "Cat" in shown_to_anna


def names_a_thing(template: str) -> bool:
    """Whether a route is about a thing with an id; a label's name is everybody's."""
    return any(one != "name" for one in re.findall(r"{(\w+)}", template))


def with_ids(body: Any, ids: dict[str, str]) -> Any:
    """A body about anna's image, where it is about images."""
    return {**body, "ids": [ids["image_id"]]} if body is not NOTHING and "ids" in body else body


def seen(gated: Gated, person: Person, ids: dict[str, str]) -> dict[str, str]:
    """What every route that reads shows to somebody."""
    templates = [template for method, template in gated.routes() if method == "GET" and not is_open(template)]
    asked = {template: filled(template, **ids) for template in templates}
    # The file of an export has a new name each time.
    return {
        template: re.sub(r"exports/[^?\"]+", "exports/…", person.get(path).text)
        for template, path in asked.items()
    }


def everything(gated: Gated, owner: str) -> Person:
    return gated.holder("read", "write", "admin", owner=owner)


def snapshot(gated: Gated) -> int:
    """The number of writes so far, but for secrets and counters that asking makes."""
    return len(gated.services.table.transactions)


def belongings(gated: Gated) -> dict[str, str]:
    """The ids of what anna has, by the name of the parameter that they go into."""
    anna, services = everything(gated, "anna"), gated.services
    services.recogniser = FakeRecogniser(Label("Cat", 93.0))
    subscription = anna.post("/subscriptions", {"url": "https://anna.example/hook"}).json()["id"]
    image = anna.post("/images", {"filename": "cat.jpg"}).json()["id"]
    record = services.images.find("anna", image)
    assert record
    pipeline.label_image(services.drop(record.image.key, CAT), services)
    Mail(services).run()
    deliveries = anna.get(f"/images/{image}/deliveries").json()["deliveries"]
    token = anna.get("/tokens").json()["tokens"][0]["id"]
    return {
        "image_id": image,
        "blob_id": image,
        "subscription_id": subscription,
        "delivery_id": deliveries[0]["id"],
        "token_id": token,
        "job_id": anna.post("/labels/Sofa/rename", {"to": "Couch"}).json()["id"],
        "name": "Cat",
    }
