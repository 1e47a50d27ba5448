"""The journal of one identity: every answer on disk as soon as it is given, so that a kill loses at most one.

>>> journal = Journal(Path("gaze_reader.jsonl"), {"model": "gaze_reader"})
>>> with journal.turn("key"):                         # nobody else asks this question meanwhile
...     if journal.get("key") is None:
...         journal.append("key", {"text": "B", "details": {"frames": 12}}, question_id="91")
>>> Journal(Path("gaze_reader.jsonl"), {"model": "gaze_reader"}).get("key")["text"]
'B'

A file is JSON lines, append-only. The first line states the identity (`evaluators.core.identity`): model, settings,
weights, code, libraries. Every later line is one answer, under the key of what was asked; so more data, another order
or another task of the same questions go on in the same file. An identity that differs in anything is another file,
and a file is never continued under an identity that is not its own. Several processes may work with one file: each sees
what the others append, and takes its turn for every question.
"""

import os
import re
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.core.identity import Answering, Identity, checkpoints_of, differences, hash_of, of_model
from evaluators.core.share import Share
from evaluators.core.weights import UNKNOWN
from hlvid.errors import RunError, of_path
from hlvid.files import Lines, append_line, locked, write_json
from hlvid.paths import state_root

if TYPE_CHECKING:
    from evaluators.core.requests import Asked

FORMAT = 2


def runs_folder() -> Path:
    """Where journals lie: `$HLVID_RUNS`, else `runs/` in the state folder."""
    chosen = os.environ.get("HLVID_RUNS")
    return Path(chosen).expanduser().absolute() if chosen else state_root() / "runs"


def run_path(model: str, identity: Mapping[str, Any], folder: Path | None = None) -> Path:
    """The journal file of an identity, `MODEL-HASH.jsonl` in `folder` (default: `runs_folder()`)."""
    safe = re.sub(r"[^\w.-]+", "_", model)
    return (folder or runs_folder()) / f"{safe}-{hash_of(identity)}.jsonl"


class Journal:
    """The answers of one identity, in memory for reading and in `path` for good.

    Args:
        again: outcomes (`details["outcome"]`) whose answers are to be given anew; those found when the journal is
            opened do not count any more.

    Raises:
        RunError: the file belongs to another identity, or is no journal, or its folder cannot be made or written.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], again: Collection[str] = ()) -> None:
        self.path = path
        self.identity = dict(identity)
        self.key = hash_of(identity)
        self._answers: dict[str, dict[str, Any]] = {}
        self._lines = Lines(path)
        self._reading = threading.Lock()
        with self._writing():
            self._open()
            self.read_on()
        ended = {key: (one.get("details") or {}).get("outcome") for key, one in self._answers.items()}
        self._dropped = {key for key, outcome in ended.items() if outcome in again}
        for key in self._dropped:
            del self._answers[key]

    def get(self, key: str) -> dict[str, Any] | None:
        """What was recorded under a key, or None; of others' answers those that `read_on` has seen."""
        return self._answers.get(key)

    def read_on(self) -> None:
        """See what other processes have appended."""
        with self._reading:
            for number, line in self._lines.read():
                if line is None or "journal" in line:
                    continue
                if line.get("of") != self.key:
                    raise RunError(
                        f"{self.path}, line {number}: of another identity; name another file or folder"
                    )
                if line.get("again") or line["key"] not in self._answers:
                    self._answers[line["key"]] = line["record"]

    @contextmanager
    def turn(self, key: str, wait: bool = True) -> Iterator[bool]:
        """Ask one at a time: True for whoever may ask now, or read what was answered while it waited.

        Args:
            wait: for another process that is asking; False gives False at once. The turn of one that died is free.
        """
        claim = self.path.with_suffix(".claims") / f"{key}.lock"
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(claim, None if wait else _BusyError()))
            except _BusyError:
                yield False
                return
            self.read_on()
            yield True
            if key in self._answers:  # whoever waits for this very file finds the answer
                with suppress(OSError):
                    claim.unlink()

    def append(self, key: str, record: Mapping[str, Any], **about: Any) -> None:
        """Record an answer; it is on disk (fsync) when this returns.

        `record` and `about` (the question's id, its task) hold JSON values only. What was answered before keeps its
        first record when read again, unless it was to be given anew.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"key": key, "of": self.key, "at": now, **about, "record": dict(record)}
        with self._writing():
            append_line(self.path, {**line, "again": True} if key in self._dropped else line)
        self.read_on()

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[str]:
        """Keys in the order of their first answers."""
        return iter(tuple(self._answers))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Alone among all processes; what goes wrong with the path is the user's to mend."""
        try:
            with locked(self.path.with_suffix(".lock")):
                yield
        except OSError as error:
            raise RunError(of_path(error) or f"{self.path}: cannot be written ({error})") from None

    def _open(self) -> None:
        """Check the first line, or write it; one that a kill has torn says nothing and is replaced."""
        lines = Lines(self.path).read(final=True)
        if not any(line for _, line in lines):
            self.path.write_bytes(b"")
            append_line(self.path, {"journal": FORMAT, "key": self.key, "identity": self.identity})
            return
        header = next(line for _, line in lines if line)
        if header.get("journal") != FORMAT or "identity" not in header:
            raise RunError(f"{self.path}: not a journal of this version; move it away or set HLVID_RUNS")
        if header.get("key") != self.key:
            told = "; ".join(differences(header["identity"], self.identity)) or "its first line was edited"
            raise RunError(f"{self.path}: belongs to another run ({told}); name another file or folder")


def open_journal(model: Answering, runs: Path | None, rank: int, asked: "Sequence[Asked]") -> Journal:
    """The journal of what answers now; says why it is a new one, and tells `hlvid eval` what is asked.

    runs: the folder of journals, if not the default one. rank: of this process.

    Raises:
        RunError: nobody can tell which weights answer, or the journal cannot be used.
    """
    identity = of_model(model)
    _refuse_unknown(model.name, identity)
    path = run_path(model.name, identity, runs)
    if not path.exists() and (why := changes(path, identity)):
        print(
            f"{model.name}: asked anew; the earlier answers, which are kept, were given under another identity: "
            + "; ".join(why),
            file=sys.stderr,
        )
    journal = Journal(path, identity, again=tuple(filter(None, os.environ.get("HLVID_AGAIN", "").split(","))))
    note = {
        "journal": path.name,
        "keys": [one.key for one in asked],
        "sources": model.sources(),
        "checkpoints": {name: list(where) for name, where in checkpoints_of(model).items()},
    }
    share = Share.here()
    own = f"{rank}-{share.number}" if share else str(rank)
    write_json(path.parent / f"asked-{own}.json", note, indent=None)
    return journal


def _refuse_unknown(name: str, identity: Identity) -> None:
    for argument, held in identity["weights"].items():
        if held.endswith(f"@{UNKNOWN}"):
            raise RunError(
                f"model {name}: {argument}: the commit of {held[4 : -len(UNKNOWN) - 1]} cannot be told: "
                "the hub does not answer, its cache has none; download it first, or give a folder"
            )


class _BusyError(RunError):
    """Somebody else is asking."""


def changes(path: Path, identity: Mapping[str, Any]) -> list[str]:
    """Why the newest journal of the same model and settings in the folder cannot be used; [] where there is none.

    Other settings were asked for and surprise nobody; other weights, code or data may.
    """
    model = path.name.rsplit("-", 1)[0]
    others = [other for other in path.parent.glob(f"{model}-" + "[0-9a-f]" * 16 + ".jsonl") if other != path]
    for other in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True):
        lines = Lines(other).read(final=True)
        before = (lines[0][1] or {}).get("identity") if lines else None
        if isinstance(before, dict) and before.get("settings") == identity.get("settings"):
            return differences(before, identity)
    return []
