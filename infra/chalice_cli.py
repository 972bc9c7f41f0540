"""Chalice's own commands, run in a workspace by this Python: the Lambda runtime is the same version."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra.project import Refused


def run(folder: Path, *arguments: str) -> None:
    """Run ``chalice`` on the project in ``folder``; its own words go to the terminal.

    :raises Refused: it failed.
    """
    # Chalice wants a region even where it only writes files that hold for any.
    # It imports the app before it packages it: what Python compiles then would travel along.
    variables = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-c",
        "import sys; from chalice.cli import main; sys.exit(main())",
        "--project-dir",
        str(folder),
        *arguments,
    ]
    if subprocess.run(command, env=variables, check=False).returncode:  # noqa: S603 - our own words
        raise Refused(f"chalice {arguments[0]} failed; what it says is above.")
