"""One CloudFormation stack: made or brought up to date, watched, explained, taken down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.project import Json, Refused

POLL_SECONDS = 3.0
_UNCHANGED = "No updates are to be performed"


@dataclass(frozen=True)
class Stack:
    """``tell`` gets a line for each step of the stack's resources; ``sleep`` waits between two looks."""

    client: Any
    name: str
    tell: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep

    def bring_up(self, template: Json, parameters: dict[str, str]) -> dict[str, str]:
        """Create the stack, or make it what the template says; answers its outputs.

        A parameter that is not among ``parameters`` keeps its value.

        :raises Refused: CloudFormation failed; the sentence has the first cause it gave.
        """
        seen = {event["EventId"] for event in self._events()}
        chosen = {
            one["ParameterKey"]: one["ParameterValue"]
            for one in (self._described() or {}).get("Parameters", [])
            if one["ParameterKey"] in template["Parameters"]
        }
        call = {
            "StackName": self.name,
            "TemplateBody": json.dumps(template),
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in {**chosen, **parameters}.items()
            ],
        }
        if self._changed(call):
            self._wait(seen)
        return self.outputs()

    def exists(self) -> bool:
        """Whether there is such a stack, in whatever state."""
        return self._described() is not None

    def outputs(self) -> dict[str, str]:
        """By name; empty where there is no such stack."""
        found = self._described()
        return {one["OutputKey"]: one["OutputValue"] for one in (found or {}).get("Outputs", [])}

    def take_down(self) -> None:
        """Delete the stack and wait; what it retains stays. Nothing happens where there is none."""
        if self._described() is None:
            return
        seen = {event["EventId"] for event in self._events()}
        self.client.delete_stack(StackName=self.name)
        self._wait(seen)

    def _changed(self, call: Json) -> bool:
        try:
            if self._described() is None:
                self.client.create_stack(**call, OnFailure="DELETE")
            else:
                self.client.update_stack(**call)
        except ClientError as error:
            if _UNCHANGED in str(error):
                return False
            raise Refused(f"CloudFormation refused the stack {self.name}: {_message(error)}") from None
        return True

    def _wait(self, seen: set[str]) -> None:
        causes: list[str] = []
        while True:
            for event in self._news(seen):
                self.tell(f"  {event['ResourceStatus']:28} {event['LogicalResourceId']}")
                if event["ResourceStatus"].endswith("_FAILED"):
                    causes.append(
                        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"
                    )
            found = self._described()
            status = found["StackStatus"] if found else "DELETE_COMPLETE"
            if not status.endswith("_IN_PROGRESS"):
                break
            self.sleep(POLL_SECONDS)
        if causes or "ROLLBACK" in status or status.endswith("_FAILED"):
            raise Refused(
                f"The stack {self.name} ended as {status}. {next(iter(causes), 'No cause was given.')}"
            )

    def _news(self, seen: set[str]) -> Iterator[Json]:
        for event in reversed(self._events()):
            if event["EventId"] not in seen:
                seen.add(event["EventId"])
                yield event

    def _events(self) -> list[Json]:
        try:
            return list(self.client.describe_stack_events(StackName=self.name)["StackEvents"])
        except ClientError:
            return []  # there is no such stack (any more)

    def _described(self) -> Json | None:
        try:
            [found] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise Refused(f"CloudFormation does not show the stack {self.name}: {_message(error)}") from None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message") or error)
