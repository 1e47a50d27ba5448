"""A note in the state folder that saves work next time: what a file imports, what its bytes hash to, that it is sound.

Whoever uses it puts all that could change the value into the key. A note that is lost or cannot be written costs time.
"""

from contextlib import suppress
from typing import Any

from hlvid.errors import RunError
from hlvid.files import locked, read_object, write_json
from hlvid.paths import state_root

MOST = 20_000
"""Entries kept; older ones go."""


class Memo:
    """Keys are text, values JSON."""

    def __init__(self, name: str) -> None:
        self.path = state_root() / name
        self._known = read_object(self.path)
        self._fresh: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """The value, or None."""
        return self._fresh.get(key, self._known.get(key))

    def put(self, key: str, value: Any) -> None:
        """Note a value; on disk after `save`."""
        self._fresh[key] = value

    def save(self) -> None:
        """Write what is new, if anything is."""
        if not self._fresh:
            return
        with suppress(OSError, RunError):
            with locked(self.path.with_suffix(".lock")):
                merged = {**read_object(self.path), **self._fresh}
                write_json(self.path, dict(list(merged.items())[-MOST:]), indent=None)
            self._known, self._fresh = merged, {}
