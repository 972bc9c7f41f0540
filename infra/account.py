"""The AWS account and region that the shell's credentials and settings lead to."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import UnknownRegionError

from infra.project import Refused

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Account:
    """Where to deploy: ``client`` makes a boto3 client by service name, all for one region."""

    client: Client
    region: str
    partition: str = "aws"

    @classmethod
    def of_shell(cls) -> Account:
        """:raises Refused: no region is chosen, or one that there is not."""
        session = boto3.Session()
        region = session.region_name
        if not region:
            raise Refused("No AWS region is chosen: set AWS_DEFAULT_REGION, for instance to eu-west-1.")
        try:
            partition = session.get_partition_for_region(region)
        except UnknownRegionError:
            raise Refused(
                f"There is no AWS region {region!r}: one is called eu-west-1, for instance."
            ) from None
        return cls(functools.cache(session.client), region, partition)
