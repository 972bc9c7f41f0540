"""What must be true before anything is created; each answer is one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from chalicelib.errors import BadSetting
from chalicelib.settings import Settings
from infra.project import Refused, Stage

Client = Callable[[str], Any]
OLDEST = (3, 12)
LEFT_FOR_OTHERS = 100  # Lambda reserves nothing of the last hundred (AWS Lambda, "Reserved concurrency")
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}


def python_is_new_enough(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """:raises Refused: Lambda's runtime for this Python is too old for the libraries that are packaged."""
    if version < OLDEST:
        raise Refused(
            f"Deploying needs Python 3.12 or newer, and this is {version[0]}.{version[1]}: Chalice packages "
            "for the version it runs on, and older Lambda runtimes cannot load today's Pillow. Install a "
            "newer one, remove .venv, and run make again."
        )


def settings_are_right(stage: Stage) -> None:
    """:raises Refused: the app would not start with what the stage has chosen."""
    try:
        Settings.read({**stage.config().environment_variables, "UPLOAD_TRIGGER": stage.trigger})
    except BadSetting as wrong:
        raise Refused(f"In the stage {stage.name} of .chalice/config.json: {wrong.detail}") from None


def account_of(client: Client) -> str:
    """The account that the credentials belong to.

    :raises Refused: there are none, or AWS does not accept them, or no region is chosen.
    """
    try:
        return str(client("sts").get_caller_identity()["Account"])
    except NoCredentialsError:
        raise Refused("There are no AWS credentials: run `aws configure`, or set AWS_PROFILE.") from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        why = "have expired or are wrong" if code in _EXPIRED else f"were refused ({code})"
        raise Refused(f"The AWS credentials {why}: sign in again.") from None
    except BotoCoreError as error:
        raise Refused(f"AWS cannot be reached (is the region right?): {error}.") from None


def may_reserve(client: Client, stage: Stage) -> bool:
    """Whether the account has the concurrency that the stage wants to reserve; new ones have ten in all."""
    wanted = sum(stage.reserved.values())
    if not wanted:
        return True
    has = int(client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    return has - wanted >= LEFT_FOR_OTHERS


def may_deploy(client: Client, stage: Stage) -> None:
    """Ask every service that a deployment writes to one harmless question.

    Proves that the account may look, not yet that it may write: what is refused later is reported with
    the name of its action all the same.

    :raises Refused: names every action that is missing.
    """
    missing = [action for action, ask in _questions(client, stage) if _denied(ask)]
    if missing:
        raise Refused(f"These credentials may not {', '.join(missing)}; nothing has been created.")


def _questions(client: Client, stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    stacks = {"StackName": stage.stack}
    return [
        ("cloudformation:DescribeStacks", lambda: client("cloudformation").describe_stacks(**stacks)),
        ("iam:GetRole", lambda: client("iam").get_role(RoleName=f"{stage.stack}-api_handler")),
        ("lambda:ListFunctions", lambda: client("lambda").list_functions(MaxItems=1)),
        ("apigateway:GET", lambda: client("apigateway").get_rest_apis(limit=1)),
        ("s3:ListAllMyBuckets", lambda: client("s3").list_buckets()),
        ("dynamodb:ListTables", lambda: client("dynamodb").list_tables(Limit=1)),
        ("sqs:ListQueues", lambda: client("sqs").list_queues(MaxResults=1)),
        ("sns:ListTopics", lambda: client("sns").list_topics()),
        ("events:ListRules", lambda: client("events").list_rules(Limit=1)),
        ("logs:DescribeLogGroups", lambda: client("logs").describe_log_groups(limit=1)),
        ("cloudwatch:DescribeAlarms", lambda: client("cloudwatch").describe_alarms(MaxRecords=1)),
    ]  # fmt: skip


def _denied(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ClientError as error:
        # Anything else is an answer: that there is no such stack or role yet, for instance.
        return error.response["Error"]["Code"] in _DENIED
    return False
