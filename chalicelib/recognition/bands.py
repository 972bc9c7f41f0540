"""How sure a language model is, in three words: the percentages that it would give are not calibrated."""

from __future__ import annotations

from chalicelib.model import Model

BANDS = {"certain": 95.0, "likely": 75.0, "possible": 55.0}
LANGUAGE_MODELS = ("openai", "bedrock")


def named(recogniser: str, model: str) -> str:
    """What a language model is called behind a recogniser."""
    return f"{recogniser}:{model}"


def word_for(confidence: float, model: Model | None) -> str | None:
    """The word that a confidence stands for; None where the model is none that says words."""
    if model is None or model.name.partition(":")[0] not in LANGUAGE_MODELS:
        return None
    return next((word for word, band in BANDS.items() if confidence == band), None)
