"""What moto works out anew at every request, and can remember: a quarter and more of what a request costs it.

Which service is meant, for which it lists its own folder twice; the methods of a class; a name of AWS's in
Python's spelling.
"""

from __future__ import annotations

from functools import cache

from moto.core import responses, utils
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sqs import models as sqs_models

from local import mending

_backend_for_host = DomainDispatcherApplication.get_backend_for_host
_method_names = utils.method_names_from_class
_in_pythons_spelling = utils.camelcase_to_underscores


@cache
def backend_for_host(application: DomainDispatcherApplication, host: str | None) -> object:
    """``DomainDispatcherApplication.get_backend_for_host``."""
    return _backend_for_host(application, host)


method_names_from_class = cache(_method_names)
camelcase_to_underscores = cache(_in_pythons_spelling)


def mend() -> None:
    """Let moto remember."""
    mending.replace(DomainDispatcherApplication, get_backend_for_host=backend_for_host)
    mending.replace(
        responses,
        method_names_from_class=method_names_from_class,
        camelcase_to_underscores=camelcase_to_underscores,
    )
    mending.replace(sqs_models, camelcase_to_underscores=camelcase_to_underscores)
