"""What AWS refuses for its size or its number, each with the place where AWS says so."""

from __future__ import annotations

from collections.abc import Mapping

# AWS Lambda developer guide, "Lambda quotas" and "Use Lambda recursive loop detection"
ANSWER_BYTES = 6 * 1024 * 1024  # of an invocation that somebody waits for, in either direction
IN_A_CHAIN = 16  # invocations of one function, each set off by the one before
ACCOUNT_CONCURRENCY = 1000
NEW_ACCOUNT_CONCURRENCY = 10
# Amazon SNS, "Publish", and Amazon SQS developer guide, "Message quotas": with the attributes
TOPIC_MESSAGE_BYTES = 256 * 1024
QUEUE_MESSAGE_BYTES = 1024 * 1024
# Amazon DynamoDB developer guide, "Quotas in Amazon DynamoDB" and "Transactions"
PARTITION_KEY_BYTES = 2048
SORT_KEY_BYTES = 1024
ITEM_BYTES = 400 * 1024
TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024
WRITE_UNIT_BYTES = 1024
# Amazon DynamoDB developer guide, "Burst and adaptive capacity": of a partition, a second
PARTITION_WRITE_UNITS = 1000

Value = str | int | float | bool | bytes


class OverLimit(Exception):
    """A limit is passed: AWS would answer with ``code``, 400 and this message."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code


def item_bytes(item: Mapping[str, Value]) -> int:
    """How large DynamoDB takes an item to be, with the names of its attributes.

    (Amazon DynamoDB developer guide, "DynamoDB item sizes and formats".)
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    if isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    digits = sum(character.isdigit() for character in repr(value).lstrip("-0."))
    return (digits + 1) // 2 + 1 + (value < 0)


def write_units(size: int, *, in_transaction: bool = False) -> int:
    """What a write costs of an item that is, or was, so many bytes large."""
    return max(1, -(-size // WRITE_UNIT_BYTES)) * (2 if in_transaction else 1)


def check_key(pk: str, sk: str) -> None:
    """:raises OverLimit: a key that DynamoDB refuses."""
    for value, most, name in ((pk, PARTITION_KEY_BYTES, "hash"), (sk, SORT_KEY_BYTES, "range")):
        if not value:
            raise OverLimit(f"The {name} key is empty.")
        if len(value.encode()) > most:
            raise OverLimit(f"The {name} key has {len(value.encode())} bytes; the most are {most}.")


def check_item(item: Mapping[str, Value]) -> int:
    """How many bytes an item has.

    :raises OverLimit: more than DynamoDB takes.
    """
    size = item_bytes(item)
    if size > ITEM_BYTES:
        raise OverLimit(f"Item size has exceeded the maximum allowed size: {size} of {ITEM_BYTES} bytes.")
    return size


def check_message(body: str, attributes: Mapping[str, str], most: int) -> None:
    """:raises OverLimit: a message that SNS or SQS refuses."""
    size = len(body.encode()) + sum(len(f"{name}String{one}".encode()) for name, one in attributes.items())
    if size > most:
        raise OverLimit(f"Message too long: {size} of {most} bytes.", "InvalidParameter")
