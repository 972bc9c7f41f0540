"""The table's stream, and the mapping that reads it: Chalice does not notice when the table has another one.

A stream that is switched off and on again is a new one, and so is that of a table that was restored. Chalice
compares the mapping with what it remembers, and would leave it on the stream that is no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from infra.post_deploy import mappings
from infra.project import Json, Stage

PROJECTION = "on_image_change"
ENTRY = f"{PROJECTION}-dynamodb-event-source"
POLL_SECONDS = 2.0


def present(dynamodb: Any, table: str, sleep: Callable[[float], None] = time.sleep) -> str:
    """The ARN of the table's stream; one that is off is switched on."""
    described = dynamodb.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        wanted = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamodb.update_table(TableName=table, StreamSpecification=wanted)
        while (described := dynamodb.describe_table(TableName=table)["Table"])["TableStatus"] != "ACTIVE":
            sleep(POLL_SECONDS)
    return str(described["LatestStreamArn"])


def leave_former(functions: Any, stage: Stage, remembered: list[Json], stream: str) -> list[Json]:
    """Delete the projection's mappings to other streams; answers what is still to be remembered."""
    for mapping in mappings(functions, stage.full_name(PROJECTION)):
        if mapping["EventSourceArn"] != stream:
            functions.delete_event_source_mapping(UUID=mapping["UUID"])
    return [one for one in remembered if one["name"] != ENTRY or one["stream_arn"] == stream]
