"""What moto's S3 lacks: presigned requests are held to what was signed.

moto stores whatever comes. S3 verifies the signature, the expiry and, for a form, each condition of its
policy (Amazon S3 API reference, "Authenticating Requests: Using Query Parameters" and "POST Policy").
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.wrappers import Request, Response

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_SAFE = "-_.~"
# What a form's policy need not speak of.
_FREE = {"policy", "x-amz-signature", "file", "awsaccesskeyid"}


class Refused(Exception):
    """What S3 would not do; the message is its sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class SignedOnly:
    """A WSGI application that passes on to ``app`` what is signed, and of presigned requests what was meant.

    A made-up access key's secret reads like its id: there are no accounts here.
    """

    def __init__(self, app: WsgiApp, now: Callable[[], float] = time.time) -> None:
        self._app = app
        self._now = now

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            self._check(environ)
        except Refused as refused:
            _drained(environ)
            return _xml(refused)(environ, start_response)
        return self._app(environ, start_response)

    def _check(self, environ: Environ) -> None:
        query = environ.get("QUERY_STRING", "")
        if environ["REQUEST_METHOD"] == "OPTIONS" or "HTTP_AUTHORIZATION" in environ:
            return  # a preflight, or an SDK's call: whether its key may do this is for IAM to say
        if "X-Amz-Signature=" in query:
            _check_query(environ, dict(parse_qsl(query, keep_blank_values=True)), self._now())
        elif environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
            _check_form(environ, self._now())
        elif not environ["PATH_INFO"].startswith("/moto-api"):
            raise Refused(403, "AccessDenied", "Access Denied")


def _check_query(environ: Environ, query: dict[str, str], now: float) -> None:
    given = query.pop("X-Amz-Signature")
    signed = query["X-Amz-SignedHeaders"].split(";")
    headers = {name: environ.get(_variable(name), "").strip() for name in signed}
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            quote(unquote(_raw_path(environ)), safe=f"/{_SAFE}"),
            "&".join(f"{quote(name, safe=_SAFE)}={quote(query[name], safe=_SAFE)}" for name in sorted(query)),
            *(f"{name}:{headers[name]}" for name in signed),
            "",
            ";".join(signed),
            "UNSIGNED-PAYLOAD",
        ]
    )
    scope = query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([query["X-Amz-Algorithm"], query["X-Amz-Date"], scope, digest])
    _compare(_signature(query["X-Amz-Credential"], text), given)
    if _moment(query["X-Amz-Date"]) + int(query["X-Amz-Expires"]) < now:
        raise Refused(403, "AccessDenied", "Request has expired")


def _check_form(environ: Environ, now: float) -> None:
    body = _drained(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    with Request({**environ, "wsgi.input": io.BytesIO(body)}) as request:
        fields = {name.lower(): value for name, value in request.form.items()}
        file = request.files.get("file")
        size = len(file.read()) if file else 0
    if "policy" not in fields or "x-amz-signature" not in fields:
        raise Refused(403, "AccessDenied", "Access Denied")
    _compare(_signature(fields["x-amz-credential"], fields["policy"]), fields["x-amz-signature"])
    policy = json.loads(base64.b64decode(fields["policy"]))
    if datetime.datetime.fromisoformat(policy["expiration"]).timestamp() < now:
        raise _unmet("Policy expired.")
    bucket = _raw_path(environ).strip("/").split("/")[0]
    _check_policy(policy["conditions"], {**fields, "bucket": bucket}, size)


def _check_policy(conditions: list[Any], fields: Mapping[str, str], size: int) -> None:
    named = {"bucket"}
    for condition in conditions:
        match condition:
            case ["content-length-range", low, high]:
                _check_size(size, int(low), int(high))
            case ["starts-with", str(field), str(start)]:
                named.add(field[1:].lower())
                _require(fields.get(field[1:].lower(), "").startswith(start), condition)
            case ["eq", str(field), str(value)]:
                named.add(field[1:].lower())
                _require(fields.get(field[1:].lower()) == value, condition)
            case dict():
                [(field, value)] = condition.items()
                named.add(field.lower())
                _require(fields.get(field.lower()) == value, condition)
            case _:
                raise _unmet(f"Invalid condition: {condition}")
    for name in fields:
        if name not in named | _FREE and not name.startswith("x-ignore-"):
            raise _unmet(f"Extra input fields: {name}")


def _check_size(size: int, low: int, high: int) -> None:
    if size > high:
        raise Refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    if size < low:
        raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")


def _require(holds: bool, condition: Any) -> None:
    if not holds:
        raise _unmet(f"Policy Condition failed: {json.dumps(condition)}")


def _unmet(why: str) -> Refused:
    return Refused(403, "AccessDenied", f"Invalid according to Policy: {why}")


def _signature(credential: str, text: str) -> str:
    """AWS Signature Version 4 of ``text``, by the key and the scope that the credential names."""
    access_key, *scope = credential.split("/")
    key = f"AWS4{access_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


def _moment(text: str) -> float:
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp()


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _raw_path(environ: Environ) -> str:
    return str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")[0]


def _drained(environ: Environ) -> bytes:
    """The body: a client that is still sending would not see an answer."""
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _xml(refused: Refused) -> Response:
    text = f"<Error><Code>{refused.code}</Code><Message>{refused}</Message></Error>"
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', refused.status, mimetype="application/xml"
    )
