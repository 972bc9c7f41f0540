"""What feeds each function, and what is set of it beyond Chalice's decorators: the same by every route.

Names and values are those of Lambda's API, which CloudFormation and SAM share
(AWS Lambda, "CreateEventSourceMapping").
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from infra.project import Json

# A handler may answer which messages of its batch failed; without the flag Lambda ignores it and loses them.
PARTIAL_BATCHES: Json = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}

# The projection reads records alone, and not what it writes itself. A batch with a bad record is split until
# that is alone; it is left on the failure queue after so many tries or so long, well before the stream
# forgets it (24 hours). Two batches of a shard at a time would project changes of an image out of order.
OF_RECORDS: Json = {"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}}
STREAM: Json = {
    **PARTIAL_BATCHES,
    "FilterCriteria": {"Filters": [{"Pattern": json.dumps(OF_RECORDS)}]},
    "BisectBatchOnFunctionError": True,
    "MaximumRetryAttempts": 20,
    "MaximumRecordAgeInSeconds": 6 * 3600,
    "ParallelizationFactor": 1,
}


@dataclass(frozen=True)
class Source:
    """An event source mapping: ``resource`` and its ``attribute`` are where it reads, in ``resources.yaml``.

    ``settings`` are the mapping's; ``left_on`` is the queue for what could not be done in all its tries.
    """

    resource: str
    attribute: str = "Arn"
    kind: str = "sqs"
    settings: Json = field(default_factory=lambda: dict(PARTIAL_BATCHES))
    left_on: str = ""

    @property
    def output(self) -> str:
        """The output of the resources that holds the ARN it reads from."""
        return f"{self.resource}{self.attribute}"


SOURCES = {
    "on_upload_message": Source("UploadsQueue"),
    "on_image_change": Source("Table", "StreamArn", "dynamodb", STREAM, "ChangesDeadLetters"),
    "on_job_message": Source("JobsQueue"),
    "on_sqs_message": Source("DeliveriesQueue"),
}

# A job sends its next step to its own queue, on purpose; Lambda would take that for a loop that has run away
# and stop it after 16 steps (AWS Lambda, "Use Lambda recursive loop detection"). Nobody else may do so.
MAY_GO_IN_CIRCLES = ("on_job_message",)
