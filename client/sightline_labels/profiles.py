"""Profiles: services and their tokens, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_labels.errors import SightlineError
from sightline_labels.files import written_whole

URL = "http://127.0.0.1:8000"  # where `make run` is


@dataclass(frozen=True)
class Profile:
    """A service, and the token that it asks for."""

    url: str
    token: str = ""


class Profiles:
    """The file: ``$SIGHTLINE_CONFIG``, or ``sightline/profiles.json`` where configuration lies."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _path()

    def chosen(self, name: str = "", url: str = "", token: str = "") -> Profile:
        """The service to use: as given, else by the environment, else by the profile.

        A token goes only to the service that it was given for.

        :raises SightlineError: there is no profile of that name.
        """
        url = url or ("" if name else os.environ.get("SIGHTLINE_URL", ""))
        kept = self._read()
        known = kept["profiles"].get(name or kept["default"])
        if name and not known:
            names = ", ".join(sorted(kept["profiles"])) or "none"
            raise SightlineError(
                f"There is no profile {name!r}, only: {names}. Log in with: sightline login URL"
            )
        profile = Profile(**known) if known and url in ("", known["url"]) else Profile(url or URL)
        return Profile(profile.url, token or os.environ.get("SIGHTLINE_TOKEN", "") or profile.token)

    def save(self, name: str, profile: Profile) -> None:
        """Keep a profile, and use it from now on."""
        kept = self._read()
        kept["profiles"][name] = {"url": profile.url.rstrip("/"), "token": profile.token}
        self._write({**kept, "default": name})

    def forget(self, name: str) -> str:
        """Forget a profile, the one in use if none is named; answers its name."""
        kept = self._read()
        name = name or kept["default"]
        if kept["profiles"].pop(name, None) is None:
            raise SightlineError(f"There is no profile {name!r}." if name else "You are not logged in.")
        self._write({**kept, "default": next(iter(kept["profiles"]), "")})
        return name

    def _read(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            return {"default": str(kept["default"]), "profiles": dict(kept["profiles"])}
        except FileNotFoundError:
            return {"default": "", "profiles": {}}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SightlineError(
                f"{self.path} cannot be read ({error}); delete it and log in again."
            ) from None

    def _write(self, kept: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path, mode=0o600) as file:
            file.write(json.dumps(kept, indent=1).encode())


def _path() -> Path:
    if named := os.environ.get("SIGHTLINE_CONFIG"):
        return Path(named)
    base = os.environ.get("APPDATA") or os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "sightline" / "profiles.json"
