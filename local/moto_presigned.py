"""What moto's S3 lacks: presigned requests are held to what was signed.

moto stores whatever comes. S3 verifies the signature, that every header of its own is signed, the dates and,
for a form, each condition of its policy (Amazon S3 API reference, "Authenticating Requests: Using Query
Parameters" and "POST Policy"). A header that is not signed could have S3 copy somebody else's object.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder
from werkzeug.wrappers import Response

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 900
LONGEST_SECONDS = 7 * 24 * 3600  # that a presigned request holds
_SAFE = "-_.~"
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# What a form's policy need not speak of.
_FREE = {"policy", "x-amz-signature", "file", "awsaccesskeyid"}


class Denied(Exception):
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
        except Denied as refused:
            return _xml(refused)(environ, start_response)
        if environ["REQUEST_METHOD"] == "PUT" and environ.get("CONTENT_TYPE", "").startswith(_FORMS):
            # moto would take the object for a form and store nothing; its type is lost instead.
            environ = {**environ, "CONTENT_TYPE": "application/octet-stream"}
        return self._app(environ, start_response)

    def _check(self, environ: Environ) -> None:
        presigned = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        names = {name for name, _ in presigned}
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return  # a preflight
        if authorization := environ.get("HTTP_AUTHORIZATION"):
            # An SDK's call: whether its key may do this is for IAM to say.
            if "X-Amz-Signature" in names:
                raise Denied(400, "InvalidArgument", "Only one auth mechanism allowed.")
            if "/s3/aws4_request" in authorization:
                _check_clock(environ.get("HTTP_X_AMZ_DATE", ""), self._now())
        elif "X-Amz-Signature" in names:
            _check_query(environ, presigned, self._now())
        elif environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
            _check_form(environ, self._now())
        else:
            raise Denied(403, "AccessDenied", "Access Denied")


def _check_clock(date: str, now: float) -> None:
    if not _DATE.fullmatch(date) or abs(_moment(date) - now) > SKEW_SECONDS:
        raise Denied(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )


def _check_query(environ: Environ, query: list[tuple[str, str]], now: float) -> None:
    found = dict(query)
    given = found.get("X-Amz-Signature", "")
    credential, date = found.get("X-Amz-Credential", ""), found.get("X-Amz-Date", "")
    signed = found.get("X-Amz-SignedHeaders", "").split(";")
    expires = found.get("X-Amz-Expires", "")
    _check_parameters(found, credential, date, signed, expires)
    unsigned = {_header(name) for name in environ if name.startswith("HTTP_X_AMZ_")} - set(signed)
    if unsigned:
        raise Denied(
            403,
            "AccessDenied",
            f"There were headers present in the request which were not signed: {', '.join(sorted(unsigned))}",
        )
    pairs = sorted(
        (quote(name, safe=_SAFE), quote(value, safe=_SAFE))
        for name, value in query
        if name != "X-Amz-Signature"
    )
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            quote(unquote(_raw_path(environ)), safe=f"/{_SAFE}"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{environ.get(_variable(name), '').strip()}" for name in signed),
            "",
            ";".join(signed),
            "UNSIGNED-PAYLOAD",
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([found["X-Amz-Algorithm"], date, credential.partition("/")[2], digest])
    _compare(_signature(credential, text), given)
    if _moment(date) - SKEW_SECONDS > now:
        raise Denied(403, "AccessDenied", "Request is not valid yet")
    if _moment(date) + int(expires) < now:
        raise Denied(403, "AccessDenied", "Request has expired")


def _check_parameters(
    found: Mapping[str, str], credential: str, date: str, signed: list[str], expires: str
) -> None:
    """Refuse what is not as a presigned address is put together, each in S3's words."""
    wrong = {
        'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"': found.get("X-Amz-Algorithm") != ALGORITHM,
        "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"": not _DATE.fullmatch(date),
        "Error parsing the X-Amz-Credential parameter": not _is_scope(credential),
        "Invalid credential date": credential.split("/")[1:2] != [date[:8]],
        "X-Amz-Expires should be a number": not (expires.isascii() and expires.isdecimal()),
        "host is not among X-Amz-SignedHeaders": "host" not in signed,
    }
    if not any(wrong.values()) and int(expires) > LONGEST_SECONDS:
        wrong["X-Amz-Expires must be less than a week (in seconds)"] = True
    for sentence, is_so in wrong.items():
        if is_so:
            raise Denied(400, "AuthorizationQueryParametersError", sentence)


def _check_form(environ: Environ, now: float) -> None:
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    fields, size = _read_form(environ, body)
    for name in ("policy", "x-amz-signature", "x-amz-credential", "x-amz-date"):
        if name not in fields:
            raise Denied(403, "AccessDenied", f"Access Denied: the form has no field {name}.")
    credential, date = fields["x-amz-credential"], fields["x-amz-date"]
    if fields.get("x-amz-algorithm") != ALGORITHM or not _is_scope(credential) or not _DATE.fullmatch(date):
        raise Denied(400, "InvalidArgument", "The form is not signed by version 4 as it should be.")
    _compare(_signature(credential, fields["policy"]), fields["x-amz-signature"])
    age = now - _moment(date)
    if credential.split("/")[1] != date[:8] or not -SKEW_SECONDS <= age <= LONGEST_SECONDS:
        raise Denied(403, "AccessDenied", "Invalid according to Policy: its date is off")
    policy = json.loads(base64.b64decode(fields["policy"]))
    if datetime.datetime.fromisoformat(policy["expiration"]).timestamp() < now:
        raise _unmet("Policy expired.")
    bucket = _raw_path(environ).strip("/").split("/")[0]
    _check_policy(policy["conditions"], {**fields, "bucket": bucket}, size)


def _read_form(environ: Environ, body: bytes) -> tuple[dict[str, str], int]:
    """The fields of a form, and the size of its file.

    S3 does not see what comes after the file ("POST Object"); here such a form is refused, so that nobody
    relies on it. Neither can a field come twice: which of the two holds, others may read otherwise.
    """
    _, options = parse_options_header(environ["CONTENT_TYPE"])
    parts = list(_parts(body, options.get("boundary", "").encode()))
    names = [name for name, _ in parts]
    if not names or names[-1] != "file" or len(set(names)) < len(names):
        raise Denied(
            400, "InvalidArgument", "The file has to be the last field, and no field may come twice."
        )
    *fields, (_, content) = parts
    return {name: value.decode("utf-8", "replace") for name, value in fields}, len(content)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Names, in lower case, and contents of what a form holds, in its order."""
    decoder = MultipartDecoder(boundary)
    decoder.receive_data(body)
    decoder.receive_data(None)
    name, content = "", bytearray()
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Field | File):
                name, content = event.name.lower(), bytearray()
            elif isinstance(event, Data):
                content += event.data
                if not event.more_data:
                    yield name, bytes(content)
    except ValueError:
        raise Denied(
            400, "MalformedPOSTRequest", "The body of your POST request is not well-formed."
        ) from None


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
        raise Denied(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    if size < low:
        raise Denied(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")


def _require(holds: bool, condition: Any) -> None:
    if not holds:
        raise _unmet(f"Policy Condition failed: {json.dumps(condition)}")


def _unmet(why: str) -> Denied:
    return Denied(403, "AccessDenied", f"Invalid according to Policy: {why}")


def _signature(credential: str, text: str) -> str:
    """AWS Signature Version 4 of ``text``, by the key and the scope that the credential names."""
    access_key, *scope = credential.split("/")
    key = f"AWS4{access_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Denied(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


def _moment(text: str) -> float:
    try:
        return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        raise Denied(403, "AccessDenied", "The date is none.") from None


def _is_scope(credential: str) -> bool:
    """Whether this is a key with a scope for S3: key/date/region/s3/aws4_request."""
    parts = credential.split("/")
    return len(parts) == 5 and parts[3:] == ["s3", "aws4_request"] and all(parts)


def _header(variable: str) -> str:
    return variable.removeprefix("HTTP_").lower().replace("_", "-")


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _raw_path(environ: Environ) -> str:
    return str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")[0]


def _xml(refused: Denied) -> Response:
    text = f"<Error><Code>{refused.code}</Code><Message>{refused}</Message></Error>"
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', refused.status, mimetype="application/xml"
    )
