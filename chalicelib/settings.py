"""Settings: the only reader of the environment. They are validated once and frozen."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlsplit

from chalicelib.errors import BadSetting
from chalicelib.model import FEATURES, RecognitionOptions

N = TypeVar("N", int, float, Decimal)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
# The functions have permission for secrets with this prefix only (".chalice/policy-*.json").
_SECRET = re.compile(r"secret:sightline-[A-Za-z0-9/_+=.@-]{1,400}")
# Policies name KMS keys by ARN, not by alias (AWS KMS, "Specifying KMS keys in IAM policy statements").
_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
IN_BUCKET = "bucket:"  # the prefix of a setting whose text is an object in the bucket
_KEY = re.compile(r"(?!uploads/|metadata/|thumbnails/|exports/|jobs/)[A-Za-z0-9/_+=.@-]{1,400}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
SIDECARS = ("sightline", "rekognition")
XMP_SIDECARS = ("0", "1", "stem")
RECOGNISERS = ("rekognition", "sagemaker", "onnx", "cascade", "openai", "bedrock")
SECONDS = ("rekognition", "openai", "bedrock")  # second recognisers of a cascade
USUAL = "usual"
# On Linux the variable LANGUAGE may hold a list of locales ("en_GB:en", GNU gettext): the first one counts.
_LANGUAGE = re.compile(r"([A-Za-z]{2,8})(?:[-_]([A-Za-z0-9]{1,8}))*")


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


def _url_or_secret(raw: str) -> str:
    return raw if not raw or _SECRET.fullmatch(raw) else _url(raw)


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
    if raw == USUAL:
        return ()
    wanted = _names(raw)
    if not wanted or not set(wanted) <= set(FEATURES):
        raise ValueError
    return tuple(one for one in FEATURES if one in wanted)


def _optional_url(raw: str) -> str:
    return _url(raw) if raw else raw


def _language(raw: str) -> str:
    first = raw.partition(":")[0].partition(".")[0]
    if not _LANGUAGE.fullmatch(first):
        raise ValueError
    return first.replace("_", "-")


def _prices(raw: str) -> tuple[Decimal, ...]:
    """Dollars for a million tokens, in and out; empty if not set."""
    try:
        prices = tuple(_within(0, 10_000, Decimal)(one.strip()) for one in raw.split(",")) if raw else ()
    except InvalidOperation:
        raise ValueError from None
    if len(prices) not in (0, 2):
        raise ValueError
    return prices


def _vocabulary(raw: str) -> str:
    if raw.startswith(IN_BUCKET) and not _KEY.fullmatch(raw.removeprefix(IN_BUCKET)):
        raise ValueError
    return raw


def _key_or_secret(raw: str) -> str:
    if raw.startswith("secret:") and not _SECRET.fullmatch(raw):
        raise ValueError
    return raw


def _origin(raw: str) -> str:
    if raw not in ("", "*") and not _ORIGIN.fullmatch(raw):
        raise ValueError
    return raw


def _kms_key(raw: str) -> str:
    if raw and not _KMS_KEY.fullmatch(raw):
        raise ValueError
    return raw


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in choices:
            raise ValueError
        return raw

    return read


def _within(low: int, high: int, kind: Callable[[str], N]) -> Callable[[str], N]:
    def read(raw: str) -> N:
        value = kind(raw)
        if not low <= value <= high:
            raise ValueError
        return value

    return read


def _set(read: Callable[[str], Any], expected: str, default: str | None = None) -> Any:
    """A field that is read from the variable with its name in capitals; required without a default."""
    return field(metadata={"read": read, "expected": expected, "default": default})


def source_buckets(raw: str) -> tuple[tuple[str, str], ...]:
    """(bucket, key prefix) pairs from a text like ``holidays, archive/2025/``."""
    parts = [name.partition("/") for name in _names(raw)]
    if not all(_BUCKET.fullmatch(bucket) and "*" not in folder for bucket, _, folder in parts):
        raise ValueError
    return tuple((bucket, folder) for bucket, _, folder in parts)


def last_asked(recogniser: str, second: str) -> str:
    """The recogniser that is called last: the second one of a cascade, else the only one."""
    return second if recogniser == "cascade" else recogniser


def signing_root_of(table: str) -> str:
    """The name of the parameter from which the signing secrets in a table are derived."""
    return f"{table}-signing-root"


@dataclass(frozen=True)
class Settings:
    """The settings of a stage. The table in docs/settings.md is tested against :meth:`read`."""

    bucket: str = _set(_filled, "the name of the bucket that holds the images")
    table: str = _set(_filled, "the name of the DynamoDB table")
    table_stream_arn: str = _set(_arn, "the ARN of the table's stream")
    topic_arn: str = _set(_arn, "the ARN of the SNS topic for labelled images")
    uploads_queue_url: str = _set(_url, "the URL of the SQS queue of uploads")
    jobs_queue_url: str = _set(_url, "the URL of the SQS queue of jobs")
    deliveries_queue_url: str = _set(_url, "the URL of the SQS queue of deliveries")
    auth: str = _set(_one_of("token", "none"), "token or none", "token")
    cors_origin: str = _set(_origin, "an origin like https://photos.example, *, or nothing", "")
    daily_calls: int = _set(_within(0, 10_000_000, int), "calls a day, from 0 (no limit) to 10000000", "0")
    rate_limit: int = _set(_within(0, 1_000_000, int), "requests a minute, from 0 (no limit) to 1000000", "0")
    upload_trigger: str = _set(_one_of("s3", "queue"), "s3 or queue", "s3")
    recogniser: str = _set(_one_of(*RECOGNISERS), _listed(RECOGNISERS), "rekognition")
    sagemaker_endpoint: str = _set(str, "the name of the endpoint", "")
    cascade_threshold: float = _set(_within(0, 100, float), "a number from 0 to 100", "70")
    cascade_second: str = _set(_one_of(*SECONDS), _listed(SECONDS), "rekognition")
    vision_url: str = _set(_optional_url, "the http(s) URL of an OpenAI-compatible API, up to /v1", "")
    vision_model: str = _set(str, "the name of a model that sees pictures", "")
    vision_key: str = _set(_key_or_secret, "the API's key, secret:sightline-… that holds it, or nothing", "")
    vision_prices: tuple[Decimal, ...] = _set(
        _prices, "dollars for a million tokens in and out, like 0.15,0.60, or nothing", ""
    )
    bedrock_model: str = _set(str, "the id of a model of Bedrock, or of an inference profile", "")
    bedrock_prices: tuple[Decimal, ...] = _set(
        _prices, "dollars for a million tokens in and out, like 0.06,0.24, or nothing", ""
    )
    vocabulary: str = _set(
        _vocabulary, "terms separated by commas, bucket: and the key of a list in the bucket, or nothing", ""
    )
    language: str = _set(_language, "a language's tag, like en or pt-BR", "en")
    min_confidence: float = _set(_within(0, 100, float), "a number from 0 to 100", "55")
    max_labels: int = _set(_within(1, 1000, int), "a whole number from 1 to 1000", "50")
    features: tuple[str, ...] = _set(_features, f"{USUAL}, or one or more of {_listed(FEATURES)}", USUAL)
    include_labels: tuple[str, ...] = _set(_names, "names separated by commas", "")
    exclude_labels: tuple[str, ...] = _set(_names, "names separated by commas", "")
    include_categories: tuple[str, ...] = _set(_names, "names separated by commas", "")
    exclude_categories: tuple[str, ...] = _set(_names, "names separated by commas", "")
    uploads_concurrency: int = _set(_within(2, 1000, int), "a whole number from 2 to 1000", "5")
    # The next two are read at deployment: the concurrency that is reserved for a function.
    api_concurrency: int = _set(_within(0, 1000, int), "a whole number from 0 (none) to 1000", "0")
    labeler_concurrency: int = _set(_within(0, 1000, int), "a whole number from 0 (none) to 1000", "0")
    jobs_concurrency: int = _set(_within(2, 1000, int), "a whole number from 2 to 1000", "2")
    deliveries_concurrency: int = _set(_within(2, 1000, int), "a whole number from 2 to 1000", "10")
    max_image_bytes: int = _set(_within(1, 100_000_000, int), "bytes, from 1 to 100000000", "50000000")
    max_image_pixels: int = _set(_within(1, 1_000_000_000, int), "pixels, from 1 to 1000000000", "200000000")
    source_buckets: tuple[tuple[str, str], ...] = _set(
        source_buckets, "names of buckets, or folders in them, separated by commas", ""
    )
    bin_days: int = _set(_within(0, 3650, int), "days, from 0 (no bin) to 3650", "30")
    keep_exif: bool = _set(_flag, "true or false", "false")
    sidecar: str = _set(_one_of(*SIDECARS), _listed(SIDECARS), "sightline")
    xmp_sidecar: str = _set(_one_of(*XMP_SIDECARS), _listed(XMP_SIDECARS), "0")
    upload_expires_seconds: int = _set(_within(1, 604_800, int), "seconds, from 1 to 604800", "3600")
    download_expires_seconds: int = _set(_within(1, 604_800, int), "seconds, from 1 to 604800", "300")
    thumbnail_expires_seconds: int = _set(_within(2, 604_800, int), "seconds, from 2 to 604800", "7200")
    integration_url: str = _set(
        _url_or_secret, "the http(s) URL that gets the XML, secret:sightline-… that holds it, or nothing", ""
    )
    signing_kms_key: str = _set(_kms_key, "the ARN of a key of AWS KMS, or nothing", "")
    # The delivery worker may run 60 s, and needs a part of them itself.
    delivery_timeout_seconds: float = _set(_within(1, 30, float), "seconds, from 1 to 30", "15")
    unconfirmed_per_hour: int = _set(_within(0, 1_000_000, int), "a whole number from 0 (no limit)", "60")
    in_flight_per_origin: int = _set(_within(1, 10_000, int), "a whole number from 1 to 10000", "20")
    partial_batches: bool = _set(_flag, "true or false", "false")
    allow_private_urls: bool = _set(_flag, "true or false", "false")
    allowed_ports: frozenset[int] = _set(
        _ports, "port numbers from 1 to 65535, separated by commas", "80,443"
    )
    stage: str = _set(str, "the stage's name, or nothing", "")
    models_dir: str = _set(_filled, "the folder of the embedded networks", "models")
    log_level: str = _set(
        _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "DEBUG, INFO, WARNING or ERROR", "INFO"
    )

    def __post_init__(self) -> None:
        if self.recogniser == "sagemaker" and not self.sagemaker_endpoint:
            raise BadSetting("SAGEMAKER_ENDPOINT is not set; it should hold the name of the endpoint.")
        for name in _NEEDED.get(self.asked_last, ()):
            if not getattr(self, name):
                raise BadSetting(f"{name.upper()} is not set; it should hold {_expected(name)}.")

    @property
    def uploads_queue(self) -> str:
        """The queue's name, for Chalice's decorator."""
        return self.uploads_queue_url.rpartition("/")[2]

    @property
    def jobs_queue(self) -> str:
        """The queue's name, for Chalice's decorator."""
        return self.jobs_queue_url.rpartition("/")[2]

    @property
    def deliveries_queue(self) -> str:
        """The queue's name, for Chalice's decorator."""
        return self.deliveries_queue_url.rpartition("/")[2]

    @property
    def signing_root(self) -> str:
        """The name of the parameter from which this stage's signing secrets are derived."""
        return signing_root_of(self.table)

    @property
    def asked_last(self) -> str:
        """As :func:`last_asked`."""
        return last_asked(self.recogniser, self.cascade_second)

    @functools.cached_property
    def recognition(self) -> RecognitionOptions:
        """The options of recognition for what a client does not choose."""
        usual = ("labels", "caption") if self.recogniser in ("openai", "bedrock") else ("labels",)
        chosen = {one.name: getattr(self, one.name) for one in fields(RecognitionOptions)}
        return RecognitionOptions(**{**chosen, "features": self.features or usual})

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Read and check every variable.

        :raises BadSetting: a variable is wrong; the error names the first one, and what it should hold.
        """
        return cls(**{one.name: _taken(env, one) for one in fields(cls)})


@functools.lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings."""
    return Settings.read(os.environ)


_NEEDED = {"openai": ("vision_url", "vision_model"), "bedrock": ("bedrock_model", "bedrock_prices")}


def _expected(name: str) -> str:
    return next(str(one.metadata["expected"]) for one in fields(Settings) if one.name == name)


def _taken(env: Mapping[str, str], setting: Field[Any]) -> Any:
    name, expected = setting.name.upper(), setting.metadata["expected"]
    raw = env.get(name, setting.metadata["default"])
    if raw is None:
        raise BadSetting(f"{name} is not set; it should hold {expected}.")
    try:
        return setting.metadata["read"](raw.strip())
    except ValueError:
        raise BadSetting(f"{name} is {raw!r}; it should hold {expected}.") from None
