"""The REST API by Chalice's own local server, with the gateway's errors as a deployment words them."""

from __future__ import annotations

import functools
import gzip
import json
import logging
from typing import Any

from chalice.app import Chalice, CORSConfig
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalChalice,
    LocalGateway,
    LocalGatewayException,
    NotAuthorizedError,
)

from chalicelib.api.problems import CHALLENGE, INTERNAL_ERROR, PROBLEM_TYPES, ProblemType, problem
from chalicelib.api.responses import Headers
from chalicelib.errors import BadRequest, Forbidden, NotFound, TooLarge, Unauthorized
from local.http_server import BadBody, LargeBody, Patient, Server
from local.limits import ANSWER_BYTES

log = logging.getLogger("sightline.local")

LARGEST_BODY = 10_000_000  # API Gateway's payload quota

NO_ROUTE = PROBLEM_TYPES[NotFound]
UNAUTHORIZED = PROBLEM_TYPES[Unauthorized]
BAD_GATEWAY = ProblemType(502, "bad-gateway", "Bad gateway")
REFUSED = {404: NO_ROUTE, 403: PROBLEM_TYPES[Forbidden], 401: UNAUTHORIZED}


def serve(app: Chalice, config: Config, port: int) -> Server:
    """A server for ``app``'s routes, not yet started.

    The app object learns to keep a request for each thread, as ``chalice local`` has it do.
    """
    app.__class__ = LocalChalice
    return Server(port, functools.partial(ApiHandler, app_object=app, config=config))


class NoRoute(LocalGatewayException):
    """No route answers this address."""

    CODE = 404


class Gateway(LocalGateway):
    """Chalice's local gateway, whose authorizer can turn callers away as it does in API Gateway."""

    def _generate_lambda_event(self, *request: Any) -> Any:
        try:
            return super()._generate_lambda_event(*request)
        except ValueError:  # Chalice would say 403, and break over a token that is not ASCII
            raise NoRoute({}) from None

    def handle_request(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        try:
            return super().handle_request(method, path, headers, body)
        except LocalGatewayException:
            raise
        except Exception as error:
            # (Amazon API Gateway developer guide, "Use API Gateway Lambda authorizers")
            if str(error) == "Unauthorized":
                raise NotAuthorizedError({}) from None
            log.exception("%s %s broke", method, path)
            raise BrokenAuthorizer({}) from error


class BrokenAuthorizer(LocalGatewayException):
    """The authorizer failed."""

    CODE = 500


class ApiHandler(Patient, ChaliceRequestHandler):
    """A gateway in front of the app; what it refuses itself leaves as a problem document."""

    def __init__(self, request: Any, client: Any, server: Any, app_object: Chalice, config: Config) -> None:
        self._gateway = Gateway(app_object, config)
        self._least = config.minimum_compression_size  # None: nothing is compressed
        self._shared = _shared(app_object)
        ChaliceRequestHandler.__init__(self, request, client, server, app_object, config)

    def setup(self) -> None:
        """Called when a connection opens; Chalice has set a gateway of its own by then."""
        super().setup()
        self.local_gateway = self._gateway

    def _answer(self) -> None:
        try:
            self._body = self.body(LARGEST_BODY)
        except LargeBody:
            large = "The body is larger than 10 MB. Announce an upload with POST /images and {}."
            self._refuse(PROBLEM_TYPES[TooLarge], large)
        except BadBody:
            self._refuse(
                PROBLEM_TYPES[BadRequest], "The body is not as long as it says, or is framed wrongly."
            )
        else:
            self._generic_handle()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815

    def __getattr__(self, name: str) -> Any:
        """What else a request may name as its method is the app's to refuse."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _parse_payload(self) -> tuple[dict[str, Any], bytes | None]:
        return dict(self.headers), self._body or None

    def _send_error_response(self, error: LocalGatewayException) -> None:
        kind = REFUSED.get(error.CODE, INTERNAL_ERROR)
        detail = f"No route answers {self.path.split('?')[0]}." if kind is NO_ROUTE else f"{kind.title}."
        self._refuse(kind, detail)

    def _refuse(self, kind: ProblemType, detail: str) -> None:
        advice = CHALLENGE if kind is UNAUTHORIZED else {}
        answer = problem(kind, detail, code=kind.slug, headers={**advice, **self._shared})
        self._send_http_response(kind.status, dict(answer.headers), json.dumps(answer.body))

    def _send_http_response(self, code: int, headers: dict[str, Any], body: Any) -> None:
        # A function answers with JSON that holds the body as a text, or in base64.
        size = len(body) * 4 // 3 if isinstance(body, bytes) else len(json.dumps(body))
        if size > ANSWER_BYTES:
            log.error("%s answered with %d bytes; Lambda takes %d", self.path, size, ANSWER_BYTES)
            self._refuse(BAD_GATEWAY, "The answer is larger than 6 MB.")
            return
        # An answer to HEAD has no body, and neither has a 304: the next answer would begin in its middle.
        if self.command == "HEAD" or code == 304 or body is None:
            super()._send_http_response(code, headers, None)
        else:
            super()._send_http_response(code, *self._compressed(headers, body))

    def _compressed(self, headers: dict[str, Any], body: str | bytes) -> tuple[dict[str, Any], bytes]:
        """As deployed (``minimum_compression_size``), larger answers go in gzip to who takes that."""
        content = body.encode() if isinstance(body, str) else body
        takes = "gzip" in self.headers.get("Accept-Encoding", "")
        if self._least is None or len(content) < self._least or not takes:
            return headers, content
        return {**headers, "Content-Encoding": "gzip"}, gzip.compress(content, compresslevel=5, mtime=0)

    def log_message(self, format: str, *args: Any) -> None:
        log.info("%-18s %s", "api", format % args)


def _shared(app: Chalice) -> Headers:
    """As deployed (infra/gateway.py): pages of the chosen origin see that a token is wanted."""
    cors = app.api.cors
    return {"Access-Control-Allow-Origin": cors.allow_origin} if isinstance(cors, CORSConfig) else {}
