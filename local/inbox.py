"""The queue in which Lambda keeps events of asynchronous invocations, one for each function."""

from __future__ import annotations

from typing import Any

# Longer than any function runs; a retry's time is set on the message when the try has failed.
VISIBILITY_SECONDS = 900


def inbox(sqs: Any, app: str, function: str) -> tuple[str, str]:
    """Create the queue where it is missing; answers its URL and ARN.

    The name is fixed: what a stopped runtime left there, its successor delivers.
    """
    url = sqs.create_queue(
        QueueName=f"lambda-{app}-{function}", Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, attributes["Attributes"]["QueueArn"]
