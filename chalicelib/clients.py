"""AWS's clients, the only place that makes them, and how patient each is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from chalicelib.aws import Patience

# What botocore puts together for each call to say who it is takes a third of the processor's time for a call.
USER_AGENT = {"user_agent": "sightline"}
# botocore's own limits (60 s, several tries) outlast the function; these keep a call below half a minute.
_PATIENCE = {
    **USER_AGENT,
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
# A recogniser's calls are tried again by the adapter, which knows how long the function may still run.
ONE_TRY = {**_PATIENCE, "retries": {"mode": "standard", "total_max_attempts": 1}}
# Whoever asks after the service's health is told within seconds that a part of it is silent.
QUICK = {**ONE_TRY, "connect_timeout": 1, "read_timeout": 2}
# An endpoint that nobody has asked for a while takes some seconds to start.
ENDPOINT = {**ONE_TRY, "read_timeout": 25}
# Virtual addressing signs for the bucket's own region; other styles sign for one that redirects.
OWN_REGION = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}


class QuickLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """Reads the descriptions of services; takes for a service what has a folder of its name.

    botocore looks into the folders of all its 400 services whenever it makes a client.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """The names that a client may be asked for, whatever ``type_name`` of description they have."""
        return [name for place in self.search_paths if os.path.isdir(place) for name in os.listdir(place)]


def session() -> Any:
    """A botocore session with the environment's credentials and region."""
    made = botocore.session.get_session()
    made.register_component("data_loader", QuickLoader())
    return made


class Clients:
    """Makes clients of a botocore ``session``, in any thread.

    boto3 would add resources and transfers, which nothing here uses and which take a fifth of the start.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        self._making = threading.RLock()

    @property
    def region(self) -> str:
        """The region that the clients work in."""
        return str(self.session.get_config_variable("region"))

    def make(self, service: str, **config: Any) -> Any:
        """A client of ``service`` with botocore's ``config``, as patient as nothing else is said."""
        # Making clients is the one part of botocore that threads must not do at once.
        with self._making:
            return self.session.create_client(service, config=Config(**{**_PATIENCE, **config}))


def patience_of(config: Mapping[str, Any], throttled: Callable[[], object]) -> Patience:
    """For a client of this ``config`` that tries once; each throttle is told to ``throttled``."""
    return Patience(call_seconds=config["connect_timeout"] + config["read_timeout"], throttled=throttled)
