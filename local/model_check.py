"""Whether the model that ``make run RECOGNISER=openai`` is to ask is there, and what is missing if not."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from chalicelib.errors import BadSetting
from chalicelib.settings import Settings

SECONDS = 3.0
EXAMPLE = "make run RECOGNISER=openai VISION_URL=http://127.0.0.1:11434/v1 VISION_MODEL=qwen2.5vl:3b"


class Missing(Exception):
    """What has to be there first; the message is for the person at the terminal."""


def check(variables: Mapping[str, str]) -> None:
    """See that a chosen recogniser has what it needs.

    :raises Missing: it has not.
    """
    try:
        chosen = Settings.read(variables)
    except BadSetting as error:
        raise Missing(f"{error.detail}\nFor instance:\n\n  {EXAMPLE}") from None
    if chosen.asked_last != "openai":
        return
    url = f"{chosen.vision_url.rstrip('/')}/models"
    key = chosen.vision_key
    headers = {"Authorization": f"Bearer {key}"} if key and not key.startswith("secret:") else {}
    try:
        answer = requests.get(url, headers=headers, timeout=SECONDS)
    except requests.RequestException:
        raise Missing(
            f"Nobody answers at VISION_URL {chosen.vision_url}. It should be an OpenAI-compatible API with a "
            "model that sees pictures. With Ollama:\n\n  ollama serve &\n"
            f"  ollama pull {chosen.vision_model}"
        ) from None
    if answer.status_code in (401, 403):
        raise Missing(f"{chosen.vision_url} wants a key ({answer.status_code}): give it as VISION_KEY.")
    known = _models(answer)
    if known and chosen.vision_model not in known:
        raise Missing(
            f"{chosen.vision_url} has no model {chosen.vision_model!r}; it has {', '.join(known)}. "
            "VISION_MODEL takes one that sees pictures."
        )


def _models(answer: requests.Response) -> list[str]:
    """The names that it lists; none where it has no such list."""
    try:
        return [str(one["id"]) for one in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
