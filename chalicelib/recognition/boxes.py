"""Bounding boxes as recognisers give them, made to fit the picture."""

from __future__ import annotations

from chalicelib.model import Box


def within_picture(left: float, top: float, right: float, bottom: float) -> Box:
    """A box from its edges (fractions of the picture), cut where it reaches beyond the picture."""
    left, top = _clamped(left), _clamped(top)
    return Box(left, top, max(0.0, _clamped(right) - left), max(0.0, _clamped(bottom) - top))


def _clamped(edge: float) -> float:
    return min(1.0, max(0.0, float(edge)))
