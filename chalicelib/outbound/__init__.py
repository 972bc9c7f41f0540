"""All of Sightline's outgoing HTTP: the one door, and what may pass through it.

:class:`Outbound` fetches and posts; :class:`Reply` is what came back. See :mod:`chalicelib.outbound.http`.
"""

from chalicelib.outbound.http import Outbound
from chalicelib.outbound.response import Headers, Reply

__all__ = ["Headers", "Outbound", "Reply"]
