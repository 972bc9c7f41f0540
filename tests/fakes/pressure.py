"""What DynamoDB refuses when much is written at a time: a partition's limit, and conflicts of transactions.

Nothing takes time in a fake, so both are reckoned on a clock that the user of the fake moves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from chalicelib.expressions import Key
from local.limits import PARTITION_WRITE_UNITS

TRANSACTION_SECONDS = 0.01  # how long a transaction holds its items; measured ones take 10 to 25 ms
WRITE_SECONDS = 0.003
REMEMBERED = 32  # writes of an item


@dataclass(frozen=True)
class _Write:
    who: Hashable
    begin: float
    end: float
    in_transaction: bool


class Pressure:
    """Who writes what, and when, by ``clock``; what nobody (None) does by ``who`` is let through.

    ``others`` tells of each transaction whether somebody from elsewhere has begun one at its last item just
    now. ``refused`` counts what was refused, by the code that DynamoDB has for it.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        who: Callable[[], Hashable | None],
        *,
        units_a_second: float = PARTITION_WRITE_UNITS,
        transaction_seconds: float = TRANSACTION_SECONDS,
        others: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._who = who
        self._others = others
        self._rate = units_a_second
        self._seconds = {True: transaction_seconds, False: WRITE_SECONDS}
        self._left: dict[str, tuple[float, float]] = {}
        self._recent: dict[Key, list[_Write]] = defaultdict(list)
        self.refused: Counter[str] = Counter()

    def refusals(self, writes: Sequence[tuple[Key, int]], *, in_transaction: bool) -> list[str]:
        """For each write, with its units, what is in its way; where nothing is, all are taken as done.

        An empty text means: nothing.
        """
        who = self._who()
        if who is None:
            return [""] * len(writes)
        now, spent, found = self._clock(), Counter[str](), []
        if in_transaction and self._others():
            self._take(writes[-1][0], 0, now, "others", in_transaction)
        for key, units in writes:
            refused = self._refusal(key, units, spent[key.pk], now, who, in_transaction)
            found.append(refused)
            spent[key.pk] += 0 if refused else units
        if not (in_transaction and any(found)):
            for (key, units), refused in zip(writes, found, strict=True):
                if not refused:
                    self._take(key, units, now, who, in_transaction)
        for code in filter(None, found):
            self.refused[code] += 1
        return found

    def _refusal(
        self, key: Key, units: int, spent: int, now: float, who: Hashable, in_transaction: bool
    ) -> str:
        end = now + self._seconds[in_transaction]
        for other in self._recent.get(key, ()):
            meet = other.who != who and other.begin < end and now < other.end
            if meet and (in_transaction or other.in_transaction):
                return "TransactionConflict"
        # What is more than a second's worth by itself has to wait for a whole one.
        enough = self._units_left(key.pk, now) - spent >= min(units, self._rate)
        return "" if enough else "ThrottlingError"

    def _units_left(self, pk: str, now: float) -> float:
        left, at = self._left.get(pk, (self._rate, now))
        return min(self._rate, left + max(0.0, now - at) * self._rate)

    def _take(self, key: Key, units: int, now: float, who: Hashable, in_transaction: bool) -> None:
        _, at = self._left.get(key.pk, (0.0, now))
        self._left[key.pk] = (self._units_left(key.pk, now) - units, max(at, now))
        recent = self._recent[key]
        recent.append(_Write(who, now, now + self._seconds[in_transaction], in_transaction))
        del recent[:-REMEMBERED]
