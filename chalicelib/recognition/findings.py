"""What Rekognition says besides labels, in this project's case and bounded, so that it fits into a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.model import Box, Json
from chalicelib.recognition.boxes import within_picture

MOST_COLORS = 12  # of an image or of one instance
MOST_WORDS = 200  # lines and words; DetectText itself finds up to 100 words
MOST_MODERATION_LABELS = 100
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def properties(answer: Mapping[str, Any]) -> Json | None:
    """Quality and dominant colours of the picture, of its foreground and of its background."""
    found: Json | None = snake_cased(answer.get("ImageProperties"))
    return found


def moderation(answer: Mapping[str, Any]) -> Json:
    """What DetectModerationLabels found: labels with their parents, and what kind of picture it is."""
    labels = answer.get("ModerationLabels", ())[:MOST_MODERATION_LABELS]
    return {
        "model_version": answer.get("ModerationModelVersion") or "unknown",
        "labels": [
            {
                "name": one["Name"],
                "confidence": round(one["Confidence"], 2),
                "parent": one.get("ParentName") or None,
                "taxonomy_level": one.get("TaxonomyLevel"),
            }
            for one in labels
        ],
        "content_types": snake_cased(answer.get("ContentTypes", [])),
    }


def text(answer: Mapping[str, Any]) -> Json:
    """What DetectText read: lines, and the words they consist of, by ``parent_id``."""
    detections = answer.get("TextDetections", ())[:MOST_WORDS]
    return {
        "model_version": answer.get("TextModelVersion") or "unknown",
        "detections": [
            {
                "id": one.get("Id"),
                "parent_id": one.get("ParentId"),
                "type": one["Type"].lower(),
                "text": one["DetectedText"],
                "confidence": round(one["Confidence"], 2),
                "box": box(one["Geometry"]["BoundingBox"]).to_json(),
                "polygon": snake_cased(one["Geometry"].get("Polygon", [])),
            }
            for one in detections
        ],
    }


def box(data: Mapping[str, float]) -> Box:
    """A ``BoundingBox``, cut where it reaches beyond the picture."""
    left, top = data["Left"], data["Top"]
    return within_picture(left, top, left + data["Width"], top + data["Height"])


def snake_cased(value: Any) -> Any:
    """The same with ``CSSColor`` as ``css_color``, fractions rounded and lists of colours bounded."""
    if isinstance(value, Mapping):
        return {_WORD_ENDS.sub("_", name).lower(): snake_cased(one) for name, one in value.items()}
    if isinstance(value, list):
        return [snake_cased(one) for one in value[:MOST_COLORS]]
    return round(value, 5) if isinstance(value, float) else value
