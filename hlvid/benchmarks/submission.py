"""The file that EgoSchema's evaluation takes, for the 5,031 questions whose answers are not public.

Example of the file, `submissions/egoschema_2026-11-21T06-51-09.json`::

    {"0074f737-11cb-497d-8d07-77c3a8127391": 3, …}      # video -> option, counted from 0

That is what EgoSchema's own `validate.py --f FILE` posts. Beside it lies the same as CSV with the columns
`q_uid,answer`, the form of its Kaggle competition. Nothing is sent anywhere. An answer that names no option is
-1 in both: counted as wrong, never guessed.
"""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hlvid.dataset.text import LETTERS
from hlvid.errors import RunError

QUESTIONS = 5031
UNPARSED = -1


def write(rows: Sequence[Mapping[str, Any]], args: Any) -> int:
    """Write both files and say where they are.

    Args:
        rows: what `process_results` scored: question_id (the video) and parsed (letter or None).
        args: lmms-eval's, for its `output_path`; without one the current folder is used.

    Returns:
        How many answers the file holds. A file with fewer than 5,031 is named "partial": the evaluation
        counts absent videos as wrong.

    Raises:
        RunError: the folder cannot be written.
    """
    answers = {str(row["question_id"]): index_of(row["parsed"]) for row in rows}
    folder = Path(getattr(args, "output_path", None) or ".") / "submissions"
    part = "" if len(answers) == QUESTIONS else f"_partial_{len(answers)}_of_{QUESTIONS}"
    stem = f"egoschema{part}_{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%S')}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        as_json, as_csv = folder / f"{stem}.json", folder / f"{stem}.csv"
        as_json.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
        with as_csv.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("q_uid", "answer"), *answers.items()])
    except OSError as error:
        raise RunError(f"{folder}: the submission cannot be written: {error}") from error
    print(f"hlvid: EgoSchema submission of {len(answers)} answers: {as_json} and .csv", file=sys.stderr)
    return len(answers)


def index_of(letter: str | None) -> int:
    """ "A" -> 0; -1 for an answer that named no option."""
    return UNPARSED if letter is None else LETTERS.index(letter)
