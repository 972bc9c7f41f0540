"""Every route with the handler that answers it; app.py registers them.

Only routes live here. A trigger in a Blueprint would be deployed under its own module's name, and Lambda
would then never import app.py, with all that is set up there.
"""

import copy

from chalice.app import Chalice

from chalicelib.api.routes import curating, itself, older, photos, telling

ALL = (photos.routes, older.routes, telling.routes, curating.routes, itself.routes)

__all__ = ["ALL", "register"]


def register(app: Chalice) -> None:
    """Register every route, and HEAD wherever GET is (RFC 9110 §9.3.2).

    Chalice would hold a request to its Content-Type even where it has no body; whoever reads a body looks.
    """
    for blueprint in ALL:
        app.register_blueprint(blueprint)
    for methods in app.routes.values():
        if "GET" in methods:
            methods["HEAD"] = copy.copy(methods["GET"])
            methods["HEAD"].method = "HEAD"
        for entry in methods.values():
            entry.content_types = ["*/*"]
