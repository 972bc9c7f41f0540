"""How it is asked: request parsing, answers, problems, cursors, OpenAPI, older routes.

The routes' handlers are imported when the first request asks for one of them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.api import bin as bin
    from chalicelib.api import curation as curation
    from chalicelib.api import deliveries as deliveries
    from chalicelib.api import exports as exports
    from chalicelib.api import histories as histories
    from chalicelib.api import images as images
    from chalicelib.api import jobs as jobs
    from chalicelib.api import labels as labels
    from chalicelib.api import legacy as legacy
    from chalicelib.api import listing as listing
    from chalicelib.api import pages as pages
    from chalicelib.api import relabelling as relabelling
    from chalicelib.api import service as service
    from chalicelib.api import sidecars as sidecars
    from chalicelib.api import signing as signing
    from chalicelib.api import subscriptions as subscriptions
    from chalicelib.api import tokens as tokens
    from chalicelib.api import uploads as uploads
    from chalicelib.api import usage as usage
    from chalicelib.api import vocabulary as vocabulary

HANDLERS = frozenset(
    {
        "bin",
        "curation",
        "deliveries",
        "exports",
        "histories",
        "images",
        "listing",
        "sidecars",
        "uploads",
        "jobs",
        "labels",
        "legacy",
        "pages",
        "relabelling",
        "service",
        "signing",
        "subscriptions",
        "tokens",
        "usage",
        "vocabulary",
    }
)


def __getattr__(name: str) -> Any:
    if name not in HANDLERS:
        raise AttributeError(name)
    return importlib.import_module(f"{__name__}.{name}")
