"""MiniStack with what it lacks to judge this service. MiniStack's own Python runs this file.

Every mend replaces one function of MiniStack's and says why. The names are checked at the start, because
MiniStack keeps none of them stable: another version may call them otherwise. ``DECISIONS`` is the file that
gets a line for each decision on a role's right, and one for each that Lambda itself needs of a role.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, responses
from ministack.services import apigateway_v1, eventbridge, lambda_svc, s3, sns

TRIED = "1.5.33"
# What is replaced, and what the mends themselves call.
REPLACED = (
    (app, "pin_request_origin"),
    (iam_evaluator, "enforce"),
    (apigateway_v1, "handle_request"),
    (apigateway_v1, "_apply_patch"),
    (s3, "find_iam_access_key_account"),
    (sns, "_deliver_to_lambda"),
    (eventbridge, "_dispatch_to_lambda"),
    (lambda_svc, "_iter_all_esms"),
    (lambda_svc, "_route_async_failure"),
    (lambda_svc, "_emit_lambda_logs"),
)
CALLED = (
    (app, "main"),
    (apigateway_v1, "_import_rest_api"),
    (iam_evaluator, "resolve_principal"),
    (iam_evaluator, "evaluate"),
    (iam_evaluator, "EvalContext"),
    (iam_evaluator, "EvalResult"),
    (iam_evaluator, "_gather_role_policies"),
    (lambda_svc, "invoke_async_with_retry"),
    (lambda_svc, "_get_func_record_for_ref"),
    (lambda_svc, "_get_func_record_for_qualifier"),
    (lambda_svc, "_execution_record_for_config"),
    (responses, "_account_from_sts_session"),
    (responses, "get_account_id"),
    (responses, "request_scope"),
    (s3, "_buckets"),
)
# What Lambda does in a role's name to bring a function its events (AWS Lambda, "Execution role").
POLLING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
}
# Calls whose right has another name ("Amazon SNS API permissions"); MiniStack asks for the call's own.
CALLED_OTHERWISE = {"sns:PublishBatch": "sns:Publish", "sqs:SendMessageBatch": "sqs:SendMessage"}
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")


def main() -> int:
    """Serve until a signal ends it; answers the exit code where it cannot begin."""
    found = version("ministack")
    gone = [f"{home.__name__}.{name}" for home, name in (*REPLACED, *CALLED) if not hasattr(home, name)]
    if gone:
        print(f"MiniStack {found} has no {', '.join(gone)}: tests/emulator/launch.py was made for {TRIED}.")
        return 1
    mend(Decisions(os.environ["DECISIONS"]))
    threading.Thread(target=end_with_the_tests, daemon=True).start()
    app.main()
    return 0


def end_with_the_tests() -> None:
    """However they end: their end of the standard input is closed then."""
    sys.stdin.read()
    os._exit(0)


class Decisions:
    """The file of decisions: every refusal, and what is allowed once."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a", buffering=1)  # noqa: SIM115 - open as long as the process
        self._allowed: set[tuple[str, ...]] = set()
        self._turn = threading.Lock()

    def note(self, account: str, role: str, action: str, resource: str, *, allowed: bool) -> bool:
        """Write it down; answers ``allowed``."""
        decided = (account, role, action, resource)
        with self._turn:
            if not allowed or decided not in self._allowed:
                said = dict(zip(("account", "role", "action", "resource"), decided, strict=True))
                self._file.write(json.dumps({**said, "allowed": allowed}) + "\n")
            if allowed:
                self._allowed.add(decided)
        return allowed

    def of(self, config: dict[str, Any], action: str, resource: str) -> bool:
        """Whether a function's role allows what Lambda does in its name."""
        account, role = config["Role"].split(":")[4], config["Role"].rpartition("/")[2]
        asked = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/lambda",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=config["FunctionArn"].split(":")[3],
        )
        policies = iam_evaluator._gather_role_policies(role, account)
        allowed = iam_evaluator.evaluate(asked, policies).decision == "Allow"
        return self.note(account, role, action, resource, allowed=allowed)


def mend(decisions: Decisions) -> None:
    """Put every mend in place."""
    replace(app, "pin_request_origin", over_tls)
    replace(iam_evaluator, "enforce", functools.partial(enforced, decisions))
    replace(apigateway_v1, "handle_request", with_imports)
    replace(apigateway_v1, "_apply_patch", with_media_types)
    replace(s3, "find_iam_access_key_account", account_of)
    replace(sns, "_deliver_to_lambda", from_topic)
    replace(eventbridge, "_dispatch_to_lambda", from_rule)
    replace(lambda_svc, "_iter_all_esms", functools.partial(readable_mappings, decisions))
    replace(lambda_svc, "_route_async_failure", functools.partial(left_behind, decisions))
    replace(lambda_svc, "_emit_lambda_logs", functools.partial(logged, decisions))


def replace(home: Any, name: str, mended: Callable[..., Any]) -> None:
    """Have ``mended`` called instead, with the original first."""
    setattr(home, name, functools.partial(mended, getattr(home, name)))


# The order of the arguments: what a partial of `mend` binds first, then the original, then the caller's.
def over_tls(original: Callable[..., Any], address: str, secure: bool) -> None:
    """Take every request as one over TLS, which the bucket's policy asks for: the tests speak plain HTTP."""
    original(address, True)


def enforced(
    decisions: Decisions,
    original: Callable[..., Any],
    key: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """Write down what is decided, and forbid what is not there to whoever may not list (S3, "GetObject")."""
    account, role = role_of(key)
    action = CALLED_OTHERWISE.get(action, action)
    refused = original(key, action, service, region, resource_arn, service_context)
    if role:
        decisions.note(account, role, action, resource_arn, allowed=refused is None)
    if role and refused is None and action == "s3:GetObject" and not is_there(resource_arn):
        bucket = resource_arn.partition("/")[0]
        return enforced(decisions, original, key, "s3:ListBucket", service, region, bucket)
    return refused


async def with_imports(
    original: Callable[..., Any], method: str, path: str, headers: Any, body: bytes, query: Any
) -> Any:
    """ImportRestApi makes an empty API, and PutRestApi is missing: it answers the API."""
    if method == "POST" and path.rstrip("/") == "/restapis" and "import" in query.get("mode", ()):
        made = apigateway_v1._import_rest_api(json.loads(body))
        _, *answer = await original("GET", f"/restapis/{made}", headers, b"", {})
        return 201, *answer
    if method == "PUT" and re.fullmatch(r"/restapis/[^/]+/?", path):
        method, body = "GET", b""
    return await original(method, path, headers, body, query)


def with_media_types(
    original: Callable[..., Any], api: dict[str, Any], changes: list[dict[str, Any]]
) -> dict[str, Any]:
    """Binary media types are a list, of which UpdateRestApi names one at a time ("Patch operations")."""
    where = "/binaryMediaTypes/"
    for one in changes:
        if one["path"].startswith(where):
            named = one["path"].removeprefix(where).replace("~1", "/")
            others = [known for known in api.get("binaryMediaTypes") or [] if known != named]
            api["binaryMediaTypes"] = others if one["op"] == "remove" else [*others, named]
    original(api, [one for one in changes if not one["path"].startswith(where)])
    return api


def account_of(original: Callable[[str], Any], key: str) -> Any:
    """The account of a form's signer, who may have a session: MiniStack looks at users' keys only."""
    return original(key) or responses._account_from_sts_session(key)


def role_of(key: str) -> tuple[str, str]:
    """The account and the role that a key's session is of; empty for the account itself."""
    arn = getattr(iam_evaluator.resolve_principal(key or "", responses.get_account_id()), "arn", "")
    return (arn.split(":")[4], arn.split("/")[1]) if ":assumed-role/" in arn else ("", "")


def is_there(resource_arn: str) -> bool:
    name, _, key = resource_arn.removeprefix("arn:aws:s3:::").partition("/")
    bucket = s3._buckets.get(name)
    return bucket is not None and key in bucket["objects"]


def later(arn: str, event: dict[str, Any]) -> None:
    """Invoke as AWS does for SNS and EventBridge: asynchronously, tried again, left behind in the end."""
    func, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if func and config:
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)


def from_topic(
    _original: Any,
    endpoint: str,
    envelope: str,
    _topic: str,
    subscription: str,
    *_: object,
) -> None:
    """MiniStack invokes once, and without the subject that SNS always sends."""
    told = {"Subject": None, "MessageAttributes": {}, **json.loads(envelope)}
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": told,
    }
    later(endpoint, {"Records": [record]})


def from_rule(_original: Any, arn: str, payload: str) -> None:
    """MiniStack invokes once."""
    later(arn, json.loads(payload))


def readable_mappings(decisions: Decisions, original: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Only mappings whose function's role may do what they need: MiniStack asks nobody."""
    for account, region, mapping in original():
        with responses.request_scope(account, region):
            _, config = lambda_svc._get_func_record_for_qualifier(
                mapping["FunctionName"], mapping.get("Qualifier")
            )
        if config and all(decisions.of(config, *need) for need in needs_of(mapping)):
            yield account, region, mapping


def needs_of(mapping: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a mapping's role must be allowed: (action, ARN); AWS refuses to make the mapping otherwise."""
    source = mapping.get("EventSourceArn", "")
    yield from ((action, source) for action in POLLING.get(source.split(":")[2], ()))
    if ":dynamodb:" in source:
        yield "dynamodb:ListStreams", "*"
    destination = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        yield "sqs:SendMessage", destination


def left_behind(
    decisions: Decisions, original: Callable[..., None], target: str, name: str, *more: Any
) -> None:
    """Leave an event behind in the role's name."""
    _, config, _ = lambda_svc._get_func_record_for_ref(name)
    if config and decisions.of(config, "sqs:SendMessage", target):
        original(target, name, *more)


def logged(
    decisions: Decisions, original: Callable[..., None], func: dict[str, Any], *more: Any, **named: Any
) -> None:
    """Write a function's log in the role's name."""
    config = func.get("config") or func
    _, _, _, region, account, *_ = config["FunctionArn"].split(":")
    stream = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{config['FunctionName']}:log-stream:1"
    if all(decisions.of(config, action, stream) for action in LOGGING):
        original(func, *more, **named)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
