"""The only reader of the environment: checked once, frozen, one per process."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar
from urllib.parse import urlsplit

from chalicelib.errors import BadSetting
from chalicelib.model import FEATURES, RecognitionOptions

T = TypeVar("T")
RECOGNISERS = ("rekognition", "sagemaker", "onnx", "cascade")


@dataclass(frozen=True)
class Settings:
    """What a stage can choose. The README's configuration table is tested against :meth:`read`."""

    bucket: str
    table: str
    topic_arn: str
    uploads_queue_url: str
    deliveries_queue_url: str
    upload_trigger: str
    recogniser: str
    sagemaker_endpoint: str
    cascade_threshold: float
    min_confidence: float
    max_labels: int
    features: tuple[str, ...]
    include_labels: tuple[str, ...]
    exclude_labels: tuple[str, ...]
    include_categories: tuple[str, ...]
    exclude_categories: tuple[str, ...]
    uploads_concurrency: int
    max_image_bytes: int
    max_image_pixels: int
    keep_exif: bool
    upload_expires_seconds: int
    download_expires_seconds: int
    integration_url: str
    delivery_timeout_seconds: float
    allow_private_urls: bool
    allowed_ports: frozenset[int]
    models_dir: str
    log_level: str

    def __post_init__(self) -> None:
        if self.recogniser == "sagemaker" and not self.sagemaker_endpoint:
            raise BadSetting("SAGEMAKER_ENDPOINT is not set; it should hold the name of the endpoint.")

    @property
    def uploads_queue(self) -> str:
        """The queue's name, as Chalice's decorator wants it."""
        return self.uploads_queue_url.rpartition("/")[2]

    @property
    def deliveries_queue(self) -> str:
        """The queue's name, as Chalice's decorator wants it."""
        return self.deliveries_queue_url.rpartition("/")[2]

    @property
    def recognition(self) -> RecognitionOptions:
        """What recognisers are asked for where a client does not say otherwise."""
        return RecognitionOptions(**{one.name: getattr(self, one.name) for one in fields(RecognitionOptions)})

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Check every variable; :exc:`BadSetting` names the first that is wrong and what it should hold."""
        return cls(
            bucket=_take(env, "BUCKET", _filled, "the name of the bucket that holds the images"),
            table=_take(env, "TABLE", _filled, "the name of the DynamoDB table"),
            topic_arn=_take(env, "TOPIC_ARN", _arn, "the ARN of the SNS topic for labelled images"),
            uploads_queue_url=_take(env, "UPLOADS_QUEUE_URL", _url, "the URL of the SQS queue of uploads"),
            deliveries_queue_url=_take(
                env, "DELIVERIES_QUEUE_URL", _url, "the URL of the SQS queue of deliveries"
            ),
            upload_trigger=_take(env, "UPLOAD_TRIGGER", _one_of("s3", "queue"), "s3 or queue", "s3"),
            recogniser=_take(env, "RECOGNISER", _one_of(*RECOGNISERS), _listed(RECOGNISERS), "rekognition"),
            sagemaker_endpoint=_take(env, "SAGEMAKER_ENDPOINT", str, "the name of the endpoint", ""),
            cascade_threshold=_take(
                env, "CASCADE_THRESHOLD", _within(0, 100, float), "a number from 0 to 100", "70"
            ),
            min_confidence=_take(
                env, "MIN_CONFIDENCE", _within(0, 100, float), "a number from 0 to 100", "55"
            ),
            max_labels=_take(env, "MAX_LABELS", _within(1, 1000, int), "a whole number from 1 to 1000", "50"),
            features=_take(env, "FEATURES", _features, f"one or more of {_listed(FEATURES)}", "labels"),
            include_labels=_take(env, "INCLUDE_LABELS", _names, "names separated by commas", ""),
            exclude_labels=_take(env, "EXCLUDE_LABELS", _names, "names separated by commas", ""),
            include_categories=_take(env, "INCLUDE_CATEGORIES", _names, "names separated by commas", ""),
            exclude_categories=_take(env, "EXCLUDE_CATEGORIES", _names, "names separated by commas", ""),
            uploads_concurrency=_take(
                env, "UPLOADS_CONCURRENCY", _within(2, 1000, int), "a whole number from 2 to 1000", "5"
            ),
            max_image_bytes=_take(
                env, "MAX_IMAGE_BYTES", _within(1, 100_000_000, int), "bytes, from 1 to 100000000", "50000000"
            ),
            max_image_pixels=_take(
                env,
                "MAX_IMAGE_PIXELS",
                _within(1, 1_000_000_000, int),
                "pixels, from 1 to 1000000000",
                "200000000",
            ),
            keep_exif=_take(env, "KEEP_EXIF", _flag, "true or false", "false"),
            upload_expires_seconds=_take(
                env, "UPLOAD_EXPIRES_SECONDS", _within(1, 604_800, int), "seconds, from 1 to 604800", "3600"
            ),
            download_expires_seconds=_take(
                env, "DOWNLOAD_EXPIRES_SECONDS", _within(1, 604_800, int), "seconds, from 1 to 604800", "300"
            ),
            integration_url=_take(
                env, "INTEGRATION_URL", _url_or_empty, "the http(s) URL that gets the XML, or nothing", ""
            ),
            delivery_timeout_seconds=_take(
                # The worker may run 60 s and needs some of them for itself.
                env,
                "DELIVERY_TIMEOUT_SECONDS",
                _within(1, 30, float),
                "seconds, from 1 to 30",
                "15",
            ),
            allow_private_urls=_take(env, "ALLOW_PRIVATE_URLS", _flag, "true or false", "false"),
            allowed_ports=_take(
                env, "ALLOWED_PORTS", _ports, "port numbers from 1 to 65535, separated by commas", "80,443"
            ),
            models_dir=_take(env, "MODELS_DIR", _filled, "the folder of the embedded networks", "models"),
            log_level=_take(
                env,
                "LOG_LEVEL",
                _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
                "DEBUG, INFO, WARNING or ERROR",
                "INFO",
            ),
        )


@functools.lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings."""
    return Settings.read(os.environ)


def _take(
    env: Mapping[str, str], name: str, read: Callable[[str], T], expected: str, default: str | None = None
) -> T:
    raw = env.get(name, default)
    if raw is None:
        raise BadSetting(f"{name} is not set; it should hold {expected}.")
    try:
        return read(raw.strip())
    except ValueError:
        raise BadSetting(f"{name} is {raw!r}; it should hold {expected}.") from None


def _filled(raw: str) -> str:
    if not raw:
        raise ValueError
    return raw


def _arn(raw: str) -> str:
    if not raw.startswith("arn:"):
        raise ValueError
    return raw


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    return raw


def _url_or_empty(raw: str) -> str:
    return _url(raw) if raw else raw


def _flag(raw: str) -> bool:
    return _one_of("true", "1", "false", "0")(raw.lower()) in ("true", "1")


def _ports(raw: str) -> frozenset[int]:
    in_range = _within(1, 65_535, int)
    return frozenset(in_range(part) for part in raw.split(","))


def _listed(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _names(raw: str) -> tuple[str, ...]:
    return tuple(name for part in raw.split(",") if (name := part.strip()))


def _features(raw: str) -> tuple[str, ...]:
    wanted = _names(raw)
    if not wanted or not set(wanted) <= set(FEATURES):
        raise ValueError
    return tuple(one for one in FEATURES if one in wanted)


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in choices:
            raise ValueError
        return raw

    return read


N = TypeVar("N", int, float)


def _within(low: int, high: int, kind: Callable[[str], N]) -> Callable[[str], N]:
    def read(raw: str) -> N:
        value = kind(raw)
        if not low <= value <= high:
            raise ValueError
        return value

    return read
