"""botocore's requests brought to moto without HTTP, by those who run in a process of the stack.

They are the requests that HTTP would bring, to the same application (:class:`local.wsgi.Channel`); only their
way is shorter. To write and read each as text, on either side, is a seventh of an image's processor time.
"""

from __future__ import annotations

import io
import pickle
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

Asked = tuple[str, str, list[tuple[str, str]], bytes]  # method, URL, headers, body
Answer = tuple[int, list[tuple[str, str]], bytes]  # status, headers, body


class Pipes:
    """Asks the channel at ``address``, over as many connections as there are requests at a time."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: deque[Connection] = deque()

    def __call__(self, asked: Asked) -> Answer:
        """The channel's answer; :exc:`OSError` or :exc:`EOFError` where there is none any more."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Client(self._address)
        send(connection, asked)
        answer: Answer = connection.recv()
        self._idle.append(connection)  # not after an error: an answer may still be under way
        return answer


def send(connection: Connection, said: Asked | Answer) -> None:
    """``Connection.send``, which makes a pickler of its own each time, in Python."""
    connection.send_bytes(pickle.dumps(said))


def mend(url: str, ask: Pipes) -> None:
    """Let botocore's sessions, those made from now on, ask this way what they would send to ``url``."""

    def sent(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        content = _in_memory(request.body)
        if not request.url.startswith(url) or content is None:
            return None
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        status, told, body = ask((request.method, request.url, headers, content))
        return AWSResponse(request.url, status, dict(told), _Body(body))

    handlers.BUILTIN_HANDLERS.append(("before-send", sent))


class _Body(io.BytesIO):
    """What botocore reads an answer's body from."""

    def stream(self, amt: int = -1, decode_content: bool | None = None) -> Iterator[bytes]:
        """All that is left."""
        yield self.read()


def _in_memory(body: Any) -> bytes | None:
    """A request's body; None where it comes from a file, piece by piece, as HTTP takes it."""
    match body:
        case None:
            return b""
        case str():
            return body.encode()
        case bytes() | bytearray():
            return bytes(body)
        case io.BytesIO():
            return body.getvalue()
    return None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
