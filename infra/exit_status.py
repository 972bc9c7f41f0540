"""Errors as an exit status that a script sees, with one sentence for whoever asked."""

from __future__ import annotations

import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import SightlineError
from infra.project import Refused


def exit_status(act: Callable[[], int | None]) -> int:
    """Run ``act``; its answer, or 1 and a sentence where it could not be done."""
    try:
        return act() or 0
    except Refused as refused:
        sentence = str(refused)
    except SightlineError as error:
        sentence = error.detail
    except ClientError as error:
        sentence = f"AWS refused {error.operation_name}: {error.response['Error'].get('Message') or error}"
    except BotoCoreError as error:
        sentence = f"AWS could not be asked: {error}"
    sys.stderr.write(f"{sentence}\n")
    return 1
