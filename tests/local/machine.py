"""A stack's AWS that is stopped or killed and started again: bucket, table and queue are taken from moto, as
a new process would not have them, and made anew.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

from local.folder import Folder
from local.loopback import ACCOUNT, REGION
from local.moto_server import LocalAws
from local.persistence import Persistence, Restored

_numbers = itertools.count()
SMALL = {"pk": {"S": "p"}, "sk": {"S": "s"}}


class Machine:
    """A stack's AWS that can be stopped, or killed, and started again on its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"kept-{next(_numbers)}"
        self._running = ExitStack()
        self.set_aside: list[str] = []
        self.caught_up = True
        self.start()

    def start(self) -> Restored:
        folder = self._running.enter_context(closing(Folder(self.folder)))
        self.persistence = Persistence(folder, self.name)
        aws = self._running.enter_context(LocalAws(0, self.persistence.around))
        self.s3, self.table, self.sqs = (aws.client(one) for one in ("s3", "dynamodb", "sqs"))
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.table.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.table.update_time_to_live(
            TableName=self.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
        self.queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        restored = self.persistence.restore()
        self.persistence.restore_messages()
        self.set_aside = folder.set_aside
        return restored

    def stop(self, *, killed: bool = False) -> None:
        if not killed:
            self.persistence.start(lambda: self.caught_up)
            self.persistence.stop()
        s3_backends[ACCOUNT]["aws"].buckets.pop(self.name)
        s3_backends.bucket_accounts.pop(self.name)
        self.table.delete_table(TableName=self.name)
        self.sqs.delete_queue(QueueUrl=self.queue)
        self._running.close()

    def restart(self, *, killed: bool = False) -> Restored:
        self.stop(killed=killed)
        return self.start()

    def put(self, key: str, content: bytes = b"photo", **more: Any) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content, **more)

    def object(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.name, Key=key)

    def keys(self) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def items(self) -> list[Any]:
        return list(self.table.scan(TableName=self.name)["Items"])
