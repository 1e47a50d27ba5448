"""`leaderboard/scores.lock`: what every scored entry scores, so that no change of code or key moves a score unseen.

A score is recomputed each time. When the reader of answers or a key changes, that is right and it has to be seen: the
lock's difference is part of the change.
"""

from pathlib import Path

from hlvid import files
from leaderboard.board import SUBMISSIONS, Board, load_board

LOCK = SUBMISSIONS.parent / "scores.lock"
HEAD = (
    "# BENCHMARK/NAME  accuracy  right/questions  revision of the questions; written by 'hlvid board lock'\n"
)


def lock_text(board: Board) -> str:
    """One line a scored entry, in order of names."""
    lines = [
        f"{entry.benchmark}/{entry.name}  {entry.accuracy:.6f}  "
        f"{entry.summary.overall.correct}/{entry.summary.overall.n}  {section.revision}\n"
        for section in board.sections
        for entry in (*section.entries, *section.former)
        if entry.summary is not None
    ]
    return HEAD + "".join(sorted(lines))


def moved(path: Path = LOCK, submissions: Path = SUBMISSIONS) -> list[str]:
    """Lines that differ: "-" as locked, "+" as scored now; [] when the lock is current."""
    locked = set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else set()
    now = set(lock_text(load_board(submissions)).splitlines())
    return sorted(
        [*(f"- {line}" for line in locked - now), *(f"+ {line}" for line in now - locked)],
        key=lambda one: one[2:],
    )


def write(path: Path = LOCK, submissions: Path = SUBMISSIONS) -> list[str]:
    """Bring the lock up to date; returns what moved."""
    found = moved(path, submissions)
    files.write_text(path, lock_text(load_board(submissions)))
    return found
