"""A recogniser that asks a multimodal language model; its subclasses say how a model is reached.

The model gets one picture and one prompt, and answers in JSON (:mod:`~chalicelib.recognition.prompt`); the
answer is checked before anything of it is kept (:mod:`~chalicelib.recognition.answer_parser`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.errors import RecogniserRefused
from chalicelib.model import Json, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.answer_parser import parse_answer
from chalicelib.recognition.prompt import MOST_TOKENS, Prompt
from chalicelib.recognition.recogniser import recognition_of
from chalicelib.recognition.scaling import scaled

LONGEST_SIDE = 1568  # pixels: what multimodal models look at, more is scaled down there and paid for
MOST_BYTES_SENT = 3_750_000  # Amazon Bedrock API reference, ImageBlock; the others take as much
_MOST_TOKENS_COUNTED = 10_000_000  # for one picture: a number above it is no count of tokens


@dataclass(frozen=True)
class ModelQuestion:
    """What a model is asked: ``instructions``, the ``schema`` of the answer, and a ``picture`` (a JPEG)."""

    instructions: str
    schema: Json
    picture: bytes
    most_tokens: int = MOST_TOKENS


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered: the text of its message, or the object that it filled in.

    ``input_tokens`` and ``output_tokens`` are as the service counts them, whatever type that is. ``refused``:
    the model or a filter around it does not want to speak of the picture. ``cut_off``: it was stopped early.
    """

    said: str | Json
    input_tokens: object
    output_tokens: object
    refused: bool = False
    cut_off: bool = False


class LanguageModelRecogniser(ABC):
    """Asks ``model``, as the service behind ``kind`` calls it, what ``prompt()`` says."""

    kind: str  # of RECOGNISER's
    reads_bucket = False

    def __init__(self, model: str, prompt: Callable[[], Prompt]) -> None:
        self._model = model
        self._prompt = prompt

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        prompt = self._prompt()
        model = Model(f"{self.kind}:{self._model}", prompt.fingerprint)
        if not {"labels", "caption"} & set(options.features):
            return recognition_of((), model, options)
        picture = scaled(photo, LONGEST_SIDE, MOST_BYTES_SENT)
        answer = self._ask(
            ModelQuestion(prompt.instructions(options), prompt.schema(options), picture), time_left
        )
        calls = {self.kind: 1, **self._tokens(answer)}
        if answer.refused:
            raise RecogniserRefused(
                "The model refuses to describe this picture.", code="answer-refused", calls=calls
            )
        labels, caption = parse_answer(
            answer.said, prompt.terms, prompt.language, cut_off=answer.cut_off, calls=calls
        )
        wanted = caption if "caption" in options.features else None
        return recognition_of(labels, model, options, caption=wanted, calls=calls)

    @property
    def model(self) -> Model:
        """Another model can stand behind the same name at any time, so there is no version."""
        return Model(f"{self.kind}:{self._model} {self._prompt().fingerprint}", "")

    @abstractmethod
    def _ask(self, question: ModelQuestion, time_left: TimeLeft) -> ModelAnswer:
        """Ask the model; raises what :meth:`~chalicelib.recognition.recogniser.Recogniser.recognise` may."""

    def _tokens(self, answer: ModelAnswer) -> dict[str, int]:
        counted = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
        return {
            f"{self.kind}:{name}": number
            for name, number in counted.items()
            if isinstance(number, int) and not isinstance(number, bool) and 0 < number < _MOST_TOKENS_COUNTED
        }
