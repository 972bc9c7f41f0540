"""Every route with the handler that answers it; app.py registers them.

Only routes live here. A trigger in a Blueprint would be deployed under its own module's name, and Lambda
would then never import app.py, with all that is set up there.
"""

from chalicelib.api.routes import curating, itself, older, photos, telling

ALL = (photos.routes, older.routes, telling.routes, curating.routes, itself.routes)

__all__ = ["ALL"]
