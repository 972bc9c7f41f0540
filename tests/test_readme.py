"""README and settings page name what there is: every setting with its default, every make target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from chalicelib.settings import Settings
from tests.conftest import ENVIRONMENT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


class Asked(Mapping[str, str]):
    """An environment that notes what it is asked for, and with which default."""

    def __init__(self) -> None:
        self.defaults: dict[str, str] = {}

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.defaults[name] = default or ""
        return ENVIRONMENT.get(name, default)

    def __getitem__(self, name: str) -> str:
        return ENVIRONMENT[name]

    def __iter__(self) -> Iterator[str]:
        return iter(ENVIRONMENT)

    def __len__(self) -> int:
        return len(ENVIRONMENT)


def test_the_configuration_table_has_every_setting_with_its_default_and_no_other() -> None:
    asked = Asked()
    Settings.read(asked)
    rows = re.findall(r"^\| `([A-Z_]+)` \| .* \| (?:`(.*)`)? ?\|$", SETTINGS, re.M)
    assert dict(rows) == asked.defaults


def test_every_make_target_it_speaks_of_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    spoken = set(re.findall(r"\bmake ([a-z-]+)", README)) - {"are", "sure"}
    assert spoken <= targets


def test_it_stays_readable_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 200
