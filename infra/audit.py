"""``make audit``: what is packaged, held against the known holes of its libraries.

pip-audit asks the public feed of advisories (OSV's data) about every pinned version. It lives in a virtual
environment of its own, as nothing else needs what it brings. Where the feed cannot be asked, that is said:
nothing was found out then, neither good nor bad.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from infra.project import ROOT

LOCKS = ("requirements.lock", "requirements-onnx.lock")


@dataclass(frozen=True)
class AuditResult:
    """What came out, in a sentence; ``failed`` where there is something to be done."""

    text: str
    failed: bool = False


def verdict_on(report: str, errors: str) -> AuditResult:
    """What pip-audit's JSON, or what it said instead, comes down to."""
    try:
        libraries: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return AuditResult(f"SKIPPED: the feed of known holes could not be asked: {why}")
    holes = [_told(one, hole) for one in libraries for hole in one.get("vulns", ())]
    unknown = [one["name"] for one in libraries if "skip_reason" in one]
    if holes:
        return AuditResult("\n".join(["Known holes in what is packaged:", *holes]), failed=True)
    if len(unknown) == len(libraries):
        return AuditResult("SKIPPED: the feed of known holes says nothing of any library from here.")
    if unknown:
        return AuditResult(f"The feed of known holes does not know {', '.join(unknown)}.", failed=True)
    return AuditResult(f"No known holes in {len(libraries)} libraries.")


def _told(library: dict[str, Any], hole: dict[str, Any]) -> str:
    mended = ", ".join(hole["fix_versions"]) or "nothing yet"
    return f"{library['name']} {library['version']}: {hole['id']}, mended in {mended}"


def main(auditor: str) -> int:
    """Ask, with the pip-audit of that Python; the process's exit status."""
    named = [word for lock in LOCKS for word in ("--requirement", str(ROOT / lock))]
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    ran = subprocess.run(  # noqa: S603 - our own environment
        [auditor, "-m", "pip_audit", *named, *options], capture_output=True, text=True, check=False
    )
    verdict = verdict_on(ran.stdout, ran.stderr)
    print(verdict.text)
    return int(verdict.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
