"""Prices of recognisers' calls: list prices in us-east-1, first tier, without the free tier.

Rekognition: "Amazon Rekognition pricing", image APIs of group 2 at $0.001, image properties $0.00075 more.
SageMaker: "Amazon SageMaker pricing", serverless inference of 2 GB at $0.00004 a second; a call is taken for
a quarter of a second. Language models are paid by the token, at the prices that the settings have: dollars
for a million tokens are micro-dollars for one. The embedded networks cost no call: their time is in
the bill of Lambda, whose price ``docs/recognisers.md`` works out.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.recognition.prompt import MOST_TOKENS
from chalicelib.settings import Settings

CURRENCY = "USD"
MICRO = 1_000_000

# Millionths of a dollar for one call, by the names that Recognition.calls has.
PRICES: Mapping[str, int] = {
    "rekognition:labels": 1000,
    "rekognition:properties": 750,
    "rekognition:moderation": 1000,
    "rekognition:text": 1000,
    "sagemaker": 10,
    "onnx": 0,
}


def prices(settings: Settings) -> dict[str, Decimal]:
    """The price list, with the token prices of a stage's language models."""
    listed = {name: Decimal(price) for name, price in PRICES.items()}
    for recogniser, pair in {"openai": settings.vision_prices, "bedrock": settings.bedrock_prices}.items():
        kinds = (f"{recogniser}:input_tokens", f"{recogniser}:output_tokens")
        listed.update(zip(kinds, pair, strict=False))  # nothing where no price is set
    return listed


def cost(calls: Mapping[str, int], listed: Mapping[str, Decimal]) -> int:
    """The cost in millionths of a dollar; a call that is not in the list is free."""
    return round(sum((listed.get(name, Decimal(0)) * number for name, number in calls.items()), Decimal(0)))


# At most for a picture of 1,568 pixels, its instructions and a vocabulary of some hundred terms.
MOST_TOKENS_IN = 6000


def price_of_an_image(settings: Settings, asked: Mapping[str, Any]) -> int | None:
    """The most that an image costs, in millionths of a dollar; None where it cannot be known beforehand."""
    features = asked.get("features") or settings.recognition.features
    match settings.asked_last:  # of a cascade the second, which is asked where the networks are not sure
        case "rekognition":
            return cost({f"rekognition:{feature}": 1 for feature in features}, prices(settings))
        case "sagemaker" | "onnx":
            return cost({settings.recogniser: 1}, prices(settings))
        case "openai" | "bedrock":
            kinds = (f"{settings.asked_last}:input_tokens", f"{settings.asked_last}:output_tokens")
            return cost(dict(zip(kinds, (MOST_TOKENS_IN, MOST_TOKENS), strict=True)), prices(settings))
    return None
