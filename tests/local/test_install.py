"""The first installation shows how far it is, and what pip said where it failed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from local.install import main, shown

PIP = [
    *(
        f"Collecting package-{number}==1.{number} (from -r requirements-dev.txt (line 1))\n"
        for number in range(1, 26)
    ),
    "  Downloading package-1-py3-none-any.whl (7 kB)\n",
    "Installing collected packages: package-1, package-2, package-3\n",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_piped_it_tells_now_and_then() -> None:
    out = io.StringIO()
    shown(PIP, out)
    assert out.getvalue().splitlines() == [
        "  10 packages found, now package-10",
        "  20 packages found, now package-20",
        "  installing 3 packages",
    ]


def test_on_a_terminal_one_line_tells_of_each() -> None:
    out = Terminal()
    shown(PIP, out)
    assert out.getvalue().count("\n") == 1
    assert "  25 packages found, now package-25" in out.getvalue()


@pytest.mark.slow
def test_what_is_there_is_enough(tmp_path: Path) -> None:
    out, wanted = io.StringIO(), tmp_path / "requirements.txt"
    wanted.write_text("requests\n")
    assert main(str(wanted), out) == 0
    assert "done in " in out.getvalue()


@pytest.mark.slow
def test_what_pip_said_is_shown_where_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    out, wanted = io.StringIO(), tmp_path / "requirements.txt"
    wanted.write_text("there-is-no-such-package\n")
    assert main(str(wanted), out) != 0
    assert "there-is-no-such-package" in out.getvalue()
