"""Settings say which variable is wrong and what it should hold."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadSetting
from chalicelib.settings import Settings
from tests.conftest import ENVIRONMENT


def test_what_is_not_set_has_its_documented_default() -> None:
    read = Settings.read(ENVIRONMENT)
    assert (read.upload_trigger, read.recogniser, read.min_confidence) == ("s3", "rekognition", 55.0)
    assert (read.uploads_queue, read.jobs_queue, read.deliveries_queue) == ("uploads", "jobs", "deliveries")


@pytest.mark.parametrize(
    "name",
    [
        "BUCKET",
        "TABLE",
        "TABLE_STREAM_ARN",
        "TOPIC_ARN",
        "UPLOADS_QUEUE_URL",
        "JOBS_QUEUE_URL",
        "DELIVERIES_QUEUE_URL",
    ],
)
def test_a_missing_variable_is_named(name: str) -> None:
    env = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(BadSetting, match=f"^{name} is not set; it should hold "):
        Settings.read(env)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TOPIC_ARN", "labelled", "ARN"),
        ("UPLOADS_QUEUE_URL", "uploads", "URL"),
        ("UPLOAD_TRIGGER", "S3", "s3 or queue"),
        ("RECOGNISER", "magic", "rekognition"),
        ("CASCADE_THRESHOLD", "-1", "0 to 100"),
        ("MIN_CONFIDENCE", "nan", "0 to 100"),
        ("MIN_CONFIDENCE", "101", "0 to 100"),
        ("MAX_LABELS", "0", "1 to 1000"),
        ("MAX_LABELS", "2.5", "whole number"),
        ("FEATURES", "", "usual, or one or more of labels, properties, moderation, text or caption"),
        ("FEATURES", "labels,smell", "labels, properties, moderation, text or caption"),
        ("VISION_URL", "ollama", "http"),
        ("VISION_KEY", "secret:of-somebody-else", "secret:sightline-"),
        ("BEDROCK_PRICES", "0.06", "million tokens"),
        ("BEDROCK_PRICES", "NaN,1", "million tokens"),
        ("BEDROCK_PRICES", "a,b", "million tokens"),
        ("VOCABULARY", "bucket:uploads/terms.txt", "key of a list"),
        ("LANGUAGE", "!", "language"),
        ("UPLOADS_CONCURRENCY", "1", "2 to 1000"),
        ("INTEGRATION_URL", "ftp://partner", "http"),
        ("INTEGRATION_URL", "secret:", "secret:sightline-"),
        ("INTEGRATION_URL", "secret:of-somebody-else", "secret:sightline-"),
        ("ALLOW_PRIVATE_URLS", "perhaps", "true or false"),
        ("ALLOWED_PORTS", "80,x", "port numbers"),
        ("LOG_LEVEL", "LOUD", "DEBUG"),
        ("BUCKET", " ", "bucket"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_be(name: str, value: str, expected: str) -> None:
    with pytest.raises(BadSetting, match=rf"^{name} is .*; it should hold .*{expected}"):
        Settings.read({**ENVIRONMENT, name: value})


def test_names_are_separated_by_commas_and_features_come_in_their_own_order() -> None:
    read = Settings.read({**ENVIRONMENT, "EXCLUDE_LABELS": " Cat, hot dog ,,", "FEATURES": "text, labels"})
    assert read.exclude_labels == ("Cat", "hot dog")
    assert read.recognition.features == ("labels", "text")
    assert read.recognition.min_confidence == read.min_confidence


def test_an_endpoint_has_a_name() -> None:
    with pytest.raises(BadSetting, match=r"^SAGEMAKER_ENDPOINT is not set"):
        Settings.read({**ENVIRONMENT, "RECOGNISER": "sagemaker"})


@pytest.mark.parametrize(
    ("missing", "chosen"),
    [
        ("VISION_URL", {"RECOGNISER": "openai"}),
        ("VISION_MODEL", {"RECOGNISER": "openai", "VISION_URL": "http://127.0.0.1:11434/v1"}),
        ("BEDROCK_MODEL", {"RECOGNISER": "bedrock", "BEDROCK_PRICES": "0.06,0.24"}),
        ("BEDROCK_PRICES", {"RECOGNISER": "bedrock", "BEDROCK_MODEL": "amazon.nova-lite-v1:0"}),
        ("BEDROCK_MODEL", {"RECOGNISER": "cascade", "CASCADE_SECOND": "bedrock"}),
    ],
)
def test_what_a_recogniser_needs_is_asked_for(missing: str, chosen: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=rf"^{missing} is not set; it should hold "):
        Settings.read({**ENVIRONMENT, **chosen})


def test_a_model_that_gives_captions_with_its_labels_is_asked_for_both() -> None:
    chosen = {"RECOGNISER": "openai", "VISION_URL": "http://127.0.0.1:11434/v1", "VISION_MODEL": "llava"}
    assert Settings.read({**ENVIRONMENT, **chosen}).recognition.features == ("labels", "caption")
    assert Settings.read(ENVIRONMENT).recognition.features == ("labels",)


def test_the_list_of_locales_that_desktops_have_in_language_is_understood() -> None:
    assert Settings.read({**ENVIRONMENT, "LANGUAGE": "en_GB:en"}).language == "en-GB"
