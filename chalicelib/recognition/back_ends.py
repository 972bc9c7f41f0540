"""The recognisers that a deployment may choose, each made with what it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.aws import Patience
from chalicelib.clients import ENDPOINT, ONE_TRY, Clients, patience_of
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.outbound import Outbound
    from chalicelib.recognition.prompt import Prompt
    from chalicelib.recognition.recogniser import Recogniser

VISION_SECONDS = 15.0  # with fewer left no model is asked: a local one takes some
_ROOT = Path(__file__).parents[2]


class BackEnds:
    """Makes recognisers by the names that ``RECOGNISER`` takes; each is imported when it is asked for.

    Each throttle of a service is told to ``throttled``. ``outbound()`` gives what posts to other servers,
    ``read(key, most)`` the bytes of an object of the bucket, None where there are more than ``most``.
    """

    def __init__(
        self,
        chosen: Settings,
        clients: Clients,
        *,
        throttled: Callable[[], object],
        outbound: Callable[[], Outbound],
        read: Callable[[str, int], bytes | None],
        now: Callable[[], float],
    ) -> None:
        self._settings = chosen
        self._clients = clients
        self._throttled = throttled
        self._outbound = outbound
        self._read = read
        self._now = now

    def named(self, name: str) -> Recogniser:
        """The recogniser of this name."""
        makers = {
            "rekognition": self._rekognition,
            "sagemaker": self._sagemaker,
            "onnx": self._onnx,
            "cascade": self._cascade,
            "openai": self._openai,
            "bedrock": self._bedrock,
        }
        return makers[name]()

    def _rekognition(self) -> Recogniser:
        from chalicelib.recognition.rekognition import RekognitionRecogniser

        client = self._clients.make("rekognition", **ONE_TRY)
        return RekognitionRecogniser(client, patience_of(ONE_TRY, self._throttled))

    def _sagemaker(self) -> Recogniser:
        from chalicelib.recognition.sagemaker import SageMakerRecogniser

        client = self._clients.make("sagemaker-runtime", **ENDPOINT)
        patience = patience_of(ENDPOINT, self._throttled)
        return SageMakerRecogniser(client, self._settings.sagemaker_endpoint, self._models_dir, patience)

    def _onnx(self) -> Recogniser:
        from chalicelib.recognition.onnx import OnnxRecogniser

        return OnnxRecogniser(self._models_dir)

    @property
    def _models_dir(self) -> Path:
        """A relative folder is one beside ``chalicelib/``, in the project as much as in Lambda's package."""
        return _ROOT / self._settings.models_dir

    def _cascade(self) -> Recogniser:
        from chalicelib.recognition.cascade import CascadeRecogniser

        second = self.named(self._settings.cascade_second)
        return CascadeRecogniser(self._onnx(), second, self._settings.cascade_threshold)

    def _openai(self) -> Recogniser:
        from chalicelib.named_secret import NamedSecret
        from chalicelib.recognition.openai import OpenAiRecogniser

        chosen = self._settings
        key = NamedSecret(
            chosen.vision_key, lambda: self._clients.make("secretsmanager"), self._now, what="key"
        )
        return OpenAiRecogniser(
            self._outbound(),
            chosen.vision_url,
            chosen.vision_model,
            key.text,
            self._prompt(),
            Patience(call_seconds=VISION_SECONDS, throttled=self._throttled),
        )

    def _bedrock(self) -> Recogniser:
        from chalicelib.recognition.bedrock import BedrockRecogniser

        client = self._clients.make("bedrock-runtime", **ENDPOINT)
        patience = patience_of(ENDPOINT, self._throttled)
        return BedrockRecogniser(client, self._settings.bedrock_model, self._prompt(), patience)

    def _prompt(self) -> Callable[[], Prompt]:
        """What language models are asked."""
        from chalicelib.recognition.prompt import MOST_BYTES, Prompt, TermList

        listed = TermList(self._settings.vocabulary, lambda key: self._read(key, MOST_BYTES), self._now)
        return lambda: Prompt(listed.terms(), self._settings.language)
