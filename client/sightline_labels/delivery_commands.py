"""The commands about deliveries, subscriptions and tokens."""

from __future__ import annotations

import argparse
from typing import Any

from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.output import Output
from sightline_labels.photo_commands import each

Json = dict[str, Any]
Options = argparse.Namespace


def deliveries_list(client: Client, options: Options, out: Output) -> int:
    destination = options.destination or ("" if options.status else "integration")
    found = client.deliveries(destination=destination, status=options.status, most=options.most)
    return out.rows(found, _delivery_row, nothing="There are no deliveries.")


def _delivery_row(one: Json) -> list[Any]:
    return [one["id"], one["status"], len(one["attempts"]), one["destination"], one["image_id"]]


def deliveries_show(client: Client, options: Options, out: Output) -> int:
    found = client.delivery(options.id)
    lines = [f"{found['id']}  {found['status']} to {found['destination']}, image {found['image_id']}"]
    for one in found["attempts"]:
        lines.append(f"  {one['at']}  {one['status'] or one['error'] or 'under way'}  {one['answer'] or ''}")
    out.document(found, lines)
    return 0


def deliveries_retry(client: Client, options: Options, out: Output) -> int:
    return each(options.ids, client.retry_delivery, out)


def subscriptions_list(client: Client, options: Options, out: Output) -> int:
    return out.rows(client.subscriptions(), _subscription_row, nothing="There are no subscriptions.")


def _subscription_row(one: Json) -> list[Any]:
    return [one["id"], _standing(one), one["url"], one["filter"] or ""]


def _standing(one: Json) -> str:
    if one["paused"] or one["disabled"]:
        return "paused" if one["paused"] else "disabled"
    return "confirmed" if one["confirmed"] else "not confirmed"


def subscriptions_add(client: Client, options: Options, out: Output) -> int:
    made = client.subscribe(options.address, **_wishes(options))
    out.document(
        made,
        [f"{made['id']}  {made['url']}", f"Its signing secret, shown this once: {made.get('secret', '')}"],
    )
    return 0


def subscriptions_change(client: Client, options: Options, out: Output) -> int:
    changes = {**_wishes(options), **({"url": options.to} if options.to else {})}
    if not changes:
        raise SightlineError("Name a change: --to, --filter, --format or --events.")
    return _shown(client.change_subscription(options.id, **changes), out)


def subscriptions_pause(client: Client, options: Options, out: Output) -> int:
    return _shown(client.change_subscription(options.id, paused=True), out)


def subscriptions_resume(client: Client, options: Options, out: Output) -> int:
    return _shown(client.change_subscription(options.id, paused=False), out)


def subscriptions_confirm(client: Client, options: Options, out: Output) -> int:
    return _tried(client.confirm_subscription(options.id), "confirmed", out)


def subscriptions_test(client: Client, options: Options, out: Output) -> int:
    return _tried(client.test_subscription(options.id), "arrived", out)


def _tried(found: Json, done: str, out: Output) -> int:
    """Print what a receiver answered; 0 if it was accepted."""
    answered = found["error"] or f"status {found['status']}"
    out.document(found, [f"{done if found[done] else f'not {done}'}: {answered}"])
    return 0 if found[done] else 1


def subscriptions_remove(client: Client, options: Options, out: Output) -> int:
    client.unsubscribe(options.id)
    out.say(f"{options.id} is removed.")
    return 0


def _shown(one: Json, out: Output) -> int:
    out.document(one, [f"{one['id']}  {_standing(one)}  {one['url']}"])
    return 0


def _wishes(options: Options) -> Json:
    wished = {"filter": options.filter, "format": options.format, "event_types": options.events}
    return {name: value for name, value in wished.items() if value not in (None, [])}


def tokens_list(client: Client, options: Options, out: Output) -> int:
    return out.rows(client.tokens(), _token_row, nothing="There are no tokens.")


def _token_row(one: Json) -> list[Any]:
    return [one["id"], one["name"], ",".join(one["scopes"]), one["expires_at"], one["last_used_at"] or ""]


def tokens_create(client: Client, options: Options, out: Output) -> int:
    scopes = options.scopes.split(",") if options.scopes else []
    made = client.create_token(name=options.name, scopes=scopes, days=options.days)
    out.document(made, [made["token"]])
    return 0


def tokens_revoke(client: Client, options: Options, out: Output) -> int:
    for token_id in options.ids:
        client.revoke_token(token_id)
        out.say(f"{token_id} is revoked.")
    return 0
