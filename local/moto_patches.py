"""How moto is mended where it lacks something: methods of its classes are replaced while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def replace(owner: Any, **parts: Callable[..., Any]) -> None:
    """Put parts in the place of those with the same names; doing it twice changes nothing."""
    for name, part in parts.items():
        if not hasattr(owner, name):
            raise AttributeError(
                f"moto's {owner.__name__} has no {name} any more: look whether it still lacks."
            )
        setattr(owner, name, part)


def forget(*models: Any) -> None:
    """Let objects of these classes go when nobody needs them: moto keeps each for its dashboard, for ever."""
    for model in models:
        model.__new__ = staticmethod(_unremembered)


def _unremembered(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)
