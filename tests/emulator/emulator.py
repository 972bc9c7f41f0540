"""MiniStack at work: an AWS that we did not write, with every right enforced."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from local.loopback import HOST, REGION

PYTHON = Path(sys.prefix) / "ministack" / "bin" / "python"  # what `make emulator` made
LAUNCH = Path(__file__).with_name("launch.py")
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Decision:
    """Whether a role might do ``action`` on ``resource`` (an ARN)."""

    account: str
    role: str
    action: str
    resource: str
    allowed: bool


class Emulator:
    """One MiniStack with its own port, account by account; a context manager that ends it."""

    def __init__(self, folder: Path) -> None:
        self._decisions = folder / "decisions.jsonl"
        self._log = folder / "ministack.log"
        self.port = _free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.sessions: dict[str, tuple[str, str]] = {}  # account and role by access key

    def __enter__(self) -> Self:
        if not PYTHON.exists():
            raise RuntimeError("MiniStack is not installed: `make emulator` does that, as `make test` does.")
        told = {
            "AUTH": "true",
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
            "TMPDIR": str(self._log.parent),
            "DECISIONS": str(self._decisions),
        }
        self._decisions.touch()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own
                [str(PYTHON), str(LAUNCH)],
                env=told,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()
        return self

    def _wait(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError(f"MiniStack does not serve:\n{self.log}")
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1):
                return
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    @property
    def log(self) -> str:
        """What MiniStack has written so far."""
        return self._log.read_text()

    @functools.cache  # noqa: B019 - it lives as long as the tests
    def client(self, account: str, service: str) -> Any:
        """A boto3 client for the account's root, whom nothing is refused."""
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
        return self.session(account).client(service, endpoint_url=self.url, config=config)

    @staticmethod
    def session(account: str) -> boto3.Session:
        """MiniStack takes an account's number for the key of its root."""
        return boto3.Session(account, "any", region_name=REGION)

    def variables(self, account: str) -> dict[str, str]:
        """What leads another process to the account, as its root."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def decisions(self, after: int = 0) -> list[Decision]:
        """What was decided so far, without the first ``after``; what was allowed stands once."""
        whole = self._decisions.read_text().rpartition("\n")[0]
        return [Decision(**json.loads(line)) for line in whole.splitlines()[after:]]

    def decide(self, key: str, action: str, resource: Callable[[str], str]) -> bool:
        """Decide for a service that MiniStack has not; ``resource`` is the ARN in an account."""
        account, role = self.sessions[key]
        arn = resource(account)
        answer = self.client(account, "iam").simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{account}:role/{role}", ActionNames=[action], ResourceArns=[arn]
        )
        allowed = answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
        with self._decisions.open("a") as file:
            file.write(json.dumps(asdict(Decision(account, role, action, arn, bool(allowed)))) + "\n")
        return bool(allowed)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
