"""Files that somebody drops on the form: kept below one pending folder, checked, scored, handed back as a zip.

One upload is checked at a time, the newest `KEPT` ready folders stay until the server stops, and what was dropped is
deleted as soon as it is checked. Names of files are taken only if they are plain; anything else is refused.
"""

import io
import re
import secrets
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hlvid.errors import HlvidError
from leaderboard.benchmarks import Keys
from leaderboard.board import SUBMISSIONS
from leaderboard.format.faults import SubmissionError
from leaderboard.submit.branch import PLACE
from leaderboard.submit.packing import Ready, branch_for, place_line, prepare, score_line

KEPT = 20
MOST_FILES = 8
SHOWN_FAULTS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}")
_TOKEN = re.compile(r"[0-9a-f]{32}")

Answer = dict[str, Any]


class Pending:
    """Ready submissions of this run of the server, below `root`, which belongs to it alone."""

    def __init__(
        self,
        root: Path,
        submissions: Path = SUBMISSIONS,
        keys: Keys | None = None,
        *,
        scores: bool = True,
        repository: Path | None = None,
    ) -> None:
        self.root = root
        self.scores = (
            scores  # whether a score is told: who may ask as often as he likes learns the key from it
        )
        self.repository = repository  # where a branch can be made
        self.submissions = submissions
        self.keys = keys or Keys()
        self._tokens: list[str] = []
        self._lock = threading.Lock()  # a check takes seconds of one core; many at once would help nobody

    def check(
        self, files: Sequence[tuple[str, bytes]], fields: Mapping[str, Any], branch: bool = False
    ) -> Answer:
        """Check and score; never raises for what is wrong with the files.

        Args:
            files: names and contents; several are taken as the files of one folder.
            fields: as for `leaderboard.submit.drafts.make_draft`.
            branch: also make the branch of `hlvid submit`, where there is a repository.

        Returns:
            For JSON: ok, and either message and faults or the standing with a token for `archive`.
        """
        problem = _names_problem([name for name, _ in files])
        if problem:
            return {"ok": False, "message": problem, "faults": [], "more": 0}
        with self._lock, tempfile.TemporaryDirectory(dir=self.root) as dropped:
            token = secrets.token_hex(16)
            try:
                source = _store(Path(dropped), files)
                ready = prepare(source, self.root / token, fields, None, self.submissions, self.keys)
                made = branch_for(ready, self.repository).name if branch and self.repository else None
            except HlvidError as error:
                shutil.rmtree(self.root / token, ignore_errors=True)
                return _refusal(error, dropped)
            self._keep(token)
            told = _standing(ready) if self.scores else _accepted(ready)
            if not self.scores:
                ready.body.unlink()  # the pull request's text tells the score
            return {**told, "token": token, "branch": made}

    def archive(self, token: str) -> tuple[str, bytes] | None:
        """Name and content of a zip with the submission folder and the pull request's text; None if unknown."""
        folder = self.root / token
        if not _TOKEN.fullmatch(token) or token not in self._tokens or not folder.is_dir():
            return None
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(folder))
        name = "-".join(next(folder.glob("*/*")).relative_to(folder).parts)
        return f"{name}.zip", out.getvalue()

    def _keep(self, token: str) -> None:
        self._tokens.append(token)
        while len(self._tokens) > KEPT:
            shutil.rmtree(self.root / self._tokens.pop(0), ignore_errors=True)


def _names_problem(names: Sequence[str]) -> str | None:
    if not names:
        return "Choose a file first."
    if len(names) > MOST_FILES:
        return f"{len(names)} files; give one table, or up to {MOST_FILES} files of one run or submission."
    if any(not _NAME.fullmatch(name) for name in names) or len(set(names)) < len(names):
        return "A file's name has unusual characters or occurs twice; rename it with letters, digits, '.', '_' and '-'."
    return None


def _store(folder: Path, files: Sequence[tuple[str, bytes]]) -> Path:
    """The one file, or the folder of several, as a source for `prepare`."""
    for name, data in files:
        (folder / name).write_bytes(data)
    return folder / files[0][0] if len(files) == 1 else folder


def _refusal(error: HlvidError, dropped: str) -> Answer:
    """What is wrong, without the server's own paths."""
    if not isinstance(error, SubmissionError):
        message = str(error).replace(f"{dropped}/", "").replace(dropped, "the files")
        return {"ok": False, "message": message, "faults": [], "more": 0}
    shown = error.faults[:SHOWN_FAULTS]
    faults = [
        {"file": one.file, "line": one.line, "field": one.field, "problem": one.problem, "remedy": one.remedy}
        for one in shown
    ]
    count = len(error.faults)
    message = f"{count} {'thing' if count == 1 else 'things'} to mend; nothing was scored."
    return {"ok": False, "message": message, "faults": faults, "more": count - len(shown)}


def _standing(ready: Ready) -> Answer:
    return {
        "ok": True,
        "headline": f"{ready.entry.name} on {ready.key.title}: {score_line(ready)}",
        "place": place_line(ready),
        "comparisons": [comparison.verdict for comparison in ready.standing.comparisons],
        "warnings": list(ready.entry.warnings),
        "target": f"{PLACE}/",
        "file": f"{ready.body.stem}.zip",
    }


def _accepted(ready: Ready) -> Answer:
    """That it is sound, and nothing of how many answers are right."""
    return {
        **_standing(ready),
        "headline": f"{ready.entry.name} on {ready.key.title}: {len(ready.entry.rows)} answers, complete and sound",
        "place": "It is scored by the pull request; this server tells no scores.",
        "comparisons": [],
    }
