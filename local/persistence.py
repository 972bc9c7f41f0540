"""What a stack was given stays in a folder: photos as files, the table's items and the messages as JSON.

Photos and items are written when they come. Messages are written every few seconds and at the end: where one
was lost, its photo or its item tells what is left to do.
"""

from __future__ import annotations

import gc
import json
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.delivery.root_key import KEY_BYTES
from local import item_journal, moto_objects, queue_messages
from local.folder import Folder, write
from local.journal import Journal
from local.loopback import WsgiApp

log = logging.getLogger("sightline.local")

EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Restored:
    """What a folder held: the ETags of objects by key, and the tables' items.

    ``whole`` says that nothing of the items was missing.
    """

    etags: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    whole: bool = True


class Persistence:
    """Keeps the state of this process's moto in ``folder``, of objects those of ``bucket``."""

    def __init__(self, folder: Folder, bucket: str) -> None:
        self.folder = folder
        path = folder.path
        for part in ("objects", "unfinished"):
            (path / part).mkdir(exist_ok=True)
        for begun in (path / "unfinished").iterdir():  # by one that was killed; nobody was told of it
            begun.unlink()
        self._table = Journal(path / "table.jsonl")
        self._items = item_journal.KeptItems(self._table)
        self._objects = Journal(path / "objects.jsonl")
        self._files = moto_objects.ObjectFiles(bucket, path / "objects", self._objects, path / "unfinished")
        self._messages = path / "queues.json"
        self._written = ""
        self._caught_up: Callable[[], bool] = lambda: False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._save_now_and_then, name="persistence", daemon=True)
        moto_objects.keep(self._files)

    def around(self, app: WsgiApp) -> WsgiApp:
        """An application that keeps what ``app``, which is moto, is told to store."""
        return self._items.around(moto_objects.KeptObjects(app, self._files))

    def restore(self) -> Restored:
        """Give moto what the folder holds: bucket and tables must be there, and empty."""
        gc.disable()  # it would look again and again at what is only being made, for half of the time
        try:
            return self._restore()
        finally:
            gc.freeze()  # nor is there anything to find later
            gc.enable()

    def _restore(self) -> Restored:
        known, kept = self._objects.read(), self._table.read()
        for journal, content in ((self._objects, known), (self._table, kept)):
            if content.damaged:
                self.folder.put_aside(journal.path, copied=True)
        whole = not kept.damaged and (self._table.path.exists() or not known.values)
        etags = self._files.restore(known)
        for stray in self._files.strays:
            self.folder.put_aside(stray)
        return Restored(etags, self._items.restore(kept), whole)

    def restore_signing_root(self, ssm: Any, name: str) -> None:
        """Give SSM the key that signing secrets are derived from: the same one at every start."""
        path = self.folder.path / "signing-root"
        if not path.exists():
            write(path, secrets.token_hex(KEY_BYTES))
        ssm.put_parameter(Name=name, Value=path.read_text(encoding="utf-8"), Type="SecureString")

    def restore_messages(self) -> set[str]:
        """Give moto the messages that waited, as the queues are there; answers which objects they tell of."""
        if not self._messages.exists():
            return set()
        try:
            waited = json.loads(self._messages.read_text(encoding="utf-8"))
            queue_messages.restore(waited)
            return queue_messages.keys_in(waited)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.folder.put_aside(self._messages)
            return set()

    def start(self, caught_up: Callable[[], bool]) -> None:
        """Save what changes, from now on; ``caught_up`` says whether all changes have been handed over."""
        self._caught_up = caught_up
        self._thread.start()

    def stop(self) -> None:
        """Save all that there is, for the last time."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            self._save()
        self._table.close()
        self._objects.close()

    def _save_now_and_then(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._save()
            except OSError as error:  # a full disk may have room again
                log.error("%s cannot be written: %s", self.folder.path, error)

    def _save(self) -> None:
        lines = self._items.handed_over(self._caught_up)
        waiting = json.dumps(queue_messages.waiting())
        if waiting != self._written:
            write(self._messages, waiting)
            self._written = waiting
        self._items.settle(lines)  # last: what followed from these changes waits in messages, if it waits
        self._table.sync()
        self._objects.sync()
