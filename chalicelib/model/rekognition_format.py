"""An image's result in Amazon Rekognition's response format, for programs that read that.

(Amazon Rekognition API reference: DetectLabels, DetectModerationLabels, DetectText.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.model.image import Image
from chalicelib.model.json import Json
from chalicelib.model.labels import Box, Label

_WORDS = {"css": "CSS"}  # all capitals


def in_rekognitions_words(image: Image) -> Json:
    """The members of a DetectLabels response, and of DetectModerationLabels and DetectText if requested.

    The labels are the ones that are shown: corrected, filtered and renamed.
    """
    found: Json = {"Labels": [_label(one) for one in image.labels]}
    if image.model:
        found["LabelModelVersion"] = image.model.version
    if image.properties:
        found["ImageProperties"] = _camel_cased(image.properties)
    if image.moderation:
        found["ModerationLabels"] = [_moderation_label(one) for one in image.moderation["labels"]]
        found["ModerationModelVersion"] = image.moderation["model_version"]
        found["ContentTypes"] = _camel_cased(image.moderation["content_types"])
    if image.text:
        found["TextDetections"] = [_detection(one) for one in image.text["detections"]]
        found["TextModelVersion"] = image.text["model_version"]
    return found


def _label(label: Label) -> Json:
    return {
        "Name": label.name,
        "Confidence": round(label.confidence, 2),
        "Instances": [
            {
                "BoundingBox": _box(one.box),
                "Confidence": round(one.confidence, 2),
                "DominantColors": _camel_cased(list(one.dominant_colors)),
            }
            for one in label.instances
        ],
        "Parents": _named(label.parents),
        "Aliases": _named(label.aliases),
        "Categories": _named(label.categories),
    }


def _named(names: Iterable[str]) -> list[Json]:
    return [{"Name": name} for name in names]


def _box(box: Box) -> Json:
    return {name.capitalize(): value for name, value in box.to_json().items()}


def _moderation_label(data: Json) -> Json:
    return {
        "Name": data["name"],
        "Confidence": data["confidence"],
        "ParentName": data["parent"] or "",
        "TaxonomyLevel": data["taxonomy_level"],
    }


def _detection(data: Json) -> Json:
    box, polygon = _box(Box.from_json(data["box"])), _camel_cased(data["polygon"])
    detection = {
        "DetectedText": data["text"],
        "Type": data["type"].upper(),
        "Id": data["id"],
        "Confidence": data["confidence"],
        "Geometry": {"BoundingBox": box, "Polygon": polygon},
    }
    return detection if data["parent_id"] is None else {**detection, "ParentId": data["parent_id"]}


def _camel_cased(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel(name): _camel_cased(one) for name, one in value.items()}
    return [_camel_cased(one) for one in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return "".join(_WORDS.get(word, word.capitalize()) for word in name.split("_"))
