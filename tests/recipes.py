"""The examples of CONTRIBUTING.md: what they change, applied to a copy of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Change:
    """In a ``file``, ``before`` becomes ``after``; where nothing stood before, the file is new."""

    file: str
    before: str
    after: str

    def apply(self, root: Path) -> None:
        """:raises ValueError: what should stand there does not, or stands there twice."""
        path = root / self.file
        if not self.before:
            path.write_text(self.after, encoding="utf-8")
            return
        text = path.read_text("utf-8")
        if (found := text.count(self.before)) != 1:
            raise ValueError(f"CONTRIBUTING.md: this stands {found} times in {self.file}:\n{self.before}")
        path.write_text(text.replace(self.before, self.after), encoding="utf-8")


def recipes() -> dict[str, list[Change]]:
    """The changes of each recipe, by its heading."""
    sections = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("\n### ")[1:]
    return {one.partition("\n")[0]: list(_changes("".join(_FENCE.findall(one)))) for one in sections}


def _changes(text: str) -> Iterator[Change]:
    for part in re.split(r"^\+\+\+ ", text, flags=re.MULTILINE)[1:]:
        file, _, lines = part.partition("\n")
        rows = [(line[:1], f"{line[1:]}\n") for line in lines.splitlines()]
        before = "".join(line for sign, line in rows if sign != "+")
        yield Change(file, before, "".join(line for sign, line in rows if sign != "-"))
