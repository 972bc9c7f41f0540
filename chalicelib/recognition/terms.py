"""The vocabulary that the settings give language models: written there, or a list in the bucket."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.cache import Cached
from chalicelib.errors import Misconfigured, NotFound
from chalicelib.model import Terms
from chalicelib.settings import IN_BUCKET

KEPT_SECONDS = 300.0  # a changed list is known so soon
MOST_BYTES = 200_000


class TermList:
    """The terms that ``written`` lists, or the object in the bucket that it names behind ``bucket:``.

    ``read(key)`` gives that object's bytes, None where it is too large; it is read again after some minutes.
    """

    def __init__(self, written: str, read: Callable[[str], bytes | None], now: Callable[[], float]) -> None:
        self._written = written
        self._read = read
        self._terms = Cached(lambda: Terms.of(self._text()), KEPT_SECONDS, now)

    def terms(self) -> Terms:
        """The terms as they are now.

        :raises Misconfigured: the list is not there or cannot be read.
        """
        return self._terms.value()

    def _text(self) -> str:
        if not self._written.startswith(IN_BUCKET):
            return self._written
        key = self._written.removeprefix(IN_BUCKET)
        try:
            content = self._read(key)
            if content is None:
                raise Misconfigured(f"VOCABULARY: {key!r} in the bucket is larger than {MOST_BYTES} bytes.")
            return content.decode("utf-8-sig")
        except NotFound:
            raise Misconfigured(f"VOCABULARY: there is no {key!r} in the bucket.") from None
        except UnicodeDecodeError:
            raise Misconfigured(f"VOCABULARY: {key!r} in the bucket is not UTF-8.") from None
