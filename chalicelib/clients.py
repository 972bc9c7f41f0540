"""Makes all AWS clients, each with its timeouts and retries."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from chalicelib.aws import Patience

# A fixed user agent: building botocore's own header takes a third of a call's processor time.
USER_AGENT = {"user_agent": "sightline"}
# botocore's defaults (60 s, several tries) outlast the function; these keep a call below half a minute.
_DEFAULTS = {
    **USER_AGENT,
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
# A recogniser's adapter retries itself, because it knows how long the function may still run.
ONE_TRY = {**_DEFAULTS, "retries": {"mode": "standard", "total_max_attempts": 1}}
# For health checks, which have to answer within seconds.
QUICK = {**ONE_TRY, "connect_timeout": 1, "read_timeout": 2}
# A SageMaker endpoint that was idle takes some seconds to start.
ENDPOINT = {**ONE_TRY, "read_timeout": 25}
# With virtual addressing, links are signed for the bucket's own region; other styles get a redirect.
OWN_REGION = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}


class QuickLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """Loads service descriptions, without botocore's search through the folders of all 400 services.

    A service is available if it has a folder.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """The names of all services, whichever types of description they have."""
        return [name for place in self.search_paths if os.path.isdir(place) for name in os.listdir(place)]


def session() -> Any:
    """A botocore session with the environment's credentials and region."""
    new = botocore.session.get_session()
    new.register_component("data_loader", QuickLoader())
    return new


class Clients:
    """Makes clients of a botocore ``session``; thread-safe.

    boto3 is not used: its resources and transfers are not needed, and take a fifth of the cold start.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        self._making = threading.RLock()

    @property
    def region(self) -> str:
        """The region of the clients."""
        return str(self.session.get_config_variable("region"))

    def make(self, service: str, **config: Any) -> Any:
        """A client of ``service`` with botocore's ``config``, and the default timeouts for what it omits."""
        # botocore's clients are thread-safe, but creating them is not.
        with self._making:
            return self.session.create_client(service, config=Config(**{**_DEFAULTS, **config}))


def patience_of(config: Mapping[str, Any], throttled: Callable[[], object]) -> Patience:
    """The :class:`Patience` for a client with this ``config``, which itself tries once."""
    return Patience(call_seconds=config["connect_timeout"] + config["read_timeout"], throttled=throttled)
