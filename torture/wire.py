"""AWS over HTTP: moto's server, DynamoDB included, and a real proxy before it that follows the plan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSPreparedRequest
from moto.dynamodb.models import dynamodb_backends

from local.loopback import ACCOUNT, REGION
from local.moto_server import LocalAws
from local.moto_streams import shard_of
from local.shard import Shard
from tests.stubs.fault_proxy import Fault, FaultProxy
from torture.invocation import current
from torture.plan import Plan
from torture.seer import Seer
from torture.witness import witnessed


class Wire:
    """As :class:`~torture.cloud.Cloud`, with nothing left out but the network."""

    def __init__(self, aws: LocalAws, proxy: FaultProxy, seer: Seer) -> None:
        self._aws = aws
        self._proxy = proxy
        self._seer = seer
        self.quiet = boto3.session.Session("testing", "testing", region_name=REGION)
        self.client = aws.client

    def session(self) -> Any:
        """A session for the service under test."""
        made = boto3.session.Session("testing", "testing", region_name=REGION)
        made.events.register("before-send", self._diverted)
        return witnessed(made, self._seer)

    def shards(self) -> Sequence[Shard]:
        """The shards of the table's stream."""
        return [shard_of(name) for name in dynamodb_backends[ACCOUNT][REGION].tables]

    def first_due(self) -> str | None:
        """When the first record is due of those that the sweep looks after."""
        items = (
            item
            for table in dynamodb_backends[ACCOUNT][REGION].tables.values()
            for partition in table.items.values()
            for item in partition.values()
        )
        return min((item.attrs["due_at"].value for item in items if "due_at" in item.attrs), default=None)

    def _diverted(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        current().about_to(event_name.rpartition(".")[2])
        request.url = str(request.url).replace(self._aws.url, self._proxy.url)


class _Planned(FaultProxy):
    """A proxy that follows a plan, and asks ``seer`` what concerns it."""

    def __init__(self, upstream: str, plan: Plan, seer: Seer) -> None:
        super().__init__(upstream)
        self._plan = plan
        self._seer = seer

    def fault_for(self, operation: str, body: bytes) -> Fault | None:
        return self._plan.fault_for(operation)

    def upstream_of(self, operation: str) -> str:
        return self._seer.url if operation == "DetectLabels" else super().upstream_of(operation)


@contextmanager
def wire(plan: Plan, seer: Seer) -> Iterator[Wire]:
    """Serve for the length of a block."""
    with (
        LocalAws() as aws,
        _Planned(aws.url, plan, seer) as proxy,
        patch.dict(os.environ, AWS_ENDPOINT_URL=aws.url),
    ):
        yield Wire(aws, proxy, seer)
