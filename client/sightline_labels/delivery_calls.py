"""Calls about deliveries, subscriptions and tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sightline_labels.calls import Calls, Json, given, path_part


class DeliveryCalls(Calls):
    """Calls about deliveries, subscriptions and tokens."""

    def deliveries(
        self, *, destination: str = "", status: str = "", most: int | None = None
    ) -> Iterator[Json]:
        return self.pages("/deliveries", "deliveries", most, destination=destination, status=status)

    def delivery(self, delivery_id: str) -> Json:
        return self._document("GET", f"/deliveries/{path_part(delivery_id)}")

    def retry_delivery(self, delivery_id: str) -> Json:
        return self._document("POST", f"/deliveries/{path_part(delivery_id)}/retry", json={})

    def subscriptions(self) -> list[Json]:
        found: list[Json] = self.call("GET", "/subscriptions")["subscriptions"]
        return found

    def subscribe(self, url: str, **wishes: Any) -> Json:
        """Have results sent to an address; only this answer has the secret.

        ``wishes`` are ``filter``, ``format`` and ``event_types``.
        """
        return self._document("POST", "/subscriptions", json={"url": url, **wishes})

    def change_subscription(self, subscription_id: str, **changes: Any) -> Json:
        """Change ``url``, ``filter``, ``format`` or ``event_types``; ``paused`` pauses and resumes it."""
        return self._document("PATCH", f"/subscriptions/{path_part(subscription_id)}", json=changes)

    def confirm_subscription(self, subscription_id: str) -> Json:
        """Ask its receiver to agree to many requests."""
        return self._document("POST", f"/subscriptions/{path_part(subscription_id)}/confirm", json={})

    def test_subscription(self, subscription_id: str) -> Json:
        """Send an example; answers what the receiver said."""
        return self._document("POST", f"/subscriptions/{path_part(subscription_id)}/test", json={})

    def unsubscribe(self, subscription_id: str) -> None:
        self.call("DELETE", f"/subscriptions/{path_part(subscription_id)}")

    def tokens(self) -> list[Json]:
        found: list[Json] = self.call("GET", "/tokens")["tokens"]
        return found

    def create_token(self, *, name: str = "", scopes: Sequence[str] = (), days: int | None = None) -> Json:
        """Make a token; only this answer has its text."""
        return self._document("POST", "/tokens", json=given(name=name, scopes=[*scopes], days=days))

    def revoke_token(self, token_id: str) -> None:
        self.call("DELETE", f"/tokens/{path_part(token_id)}")
