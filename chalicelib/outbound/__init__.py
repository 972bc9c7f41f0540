"""All outgoing HTTP to addresses that users give, through one door.

:class:`Outbound` fetches and posts, :class:`Reply` is the answer. See :mod:`chalicelib.outbound.http`.
"""

from chalicelib.outbound.http import Outbound
from chalicelib.outbound.response import Headers, Reply

__all__ = ["Headers", "Outbound", "Reply"]
