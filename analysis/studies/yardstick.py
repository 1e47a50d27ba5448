"""The yardstick for gazes that are to read: evidence recall and accuracy at equal mean tokens, on questions of its own.

A table has one row a question, selector and ratio: selector, ratio, question, source, hit (0 or 1) and tokens, the
share of tokens that was really spent. Differences are paired by question; recordings are what is resampled.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict

from analysis import stats, tables
from analysis.records import Run
from analysis.studies.clips import video_files
from analysis.studies.evidence import COVERED
from analysis.studies.recall import measure, measure_recordings
from autogaze import selectors
from autogaze.selectors.base import Selector
from evaluators.runs.spec import parse_model_args
from hlvid.dataset import load
from hlvid.errors import RunError
from hlvid.mini import make, wanted
from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.table import Table

Part = Literal["development", "untouched"]
READER = "gaze_reader"


class Questions(BaseModel):
    """mini: preset and seed of HLVid-Mini, as study-11. recordings: names of videos without suffix."""

    model_config = ConfigDict(extra="forbid")

    mini: str
    recordings: tuple[str, ...] = ()


class Yardstick(BaseModel):
    """`analysis/yardstick.yaml`: which questions, at which ratios and resolution (px of the long side)."""

    model_config = ConfigDict(extra="forbid")

    ratios: tuple[float, ...]
    resolution: int
    development: Questions
    untouched: Questions

    @classmethod
    def load(cls) -> "Yardstick":
        """The one that is fixed."""
        text = Path(__file__).parents[1].joinpath("yardstick.yaml").read_text(encoding="utf-8")
        return cls(**yaml.safe_load(text))

    def questions(self, part: Part) -> Path:
        """HLVid-Mini's folder of that part; made where it is missing, in some minutes."""
        preset, seed = wanted(getattr(self, part).mini)
        return make(preset=preset, seed=seed)

    def recordings(self, folder: Path, part: Part) -> list[Path]:
        """The videos of a folder that belong to the part. Raises RunError where there are none."""
        untouched = part == "untouched"
        found = [
            path for path in video_files([folder]) if (path.stem in self.untouched.recordings) == untouched
        ]
        if not found:
            raise RunError(
                f"--videos {folder}: no video of the {part} set in it; see analysis/yardstick.yaml"
            )
        return found


def selector(text: str, asked: bool = True) -> Selector:
    """A selector as the command line names it: "text_error,l1=0.5"; asked: there are questions that it may look by.

    Raises RunError naming what is wrong.
    """
    name, _, settings = text.partition(",")
    try:
        found = selectors.get(name, **parse_model_args(settings))
        return found if asked or "question" not in selectors.needs_of(found) else selectors.by_pixels(found)
    except (ValueError, TypeError) as error:
        raise RunError(f"--selector {text}: {error}") from error


def recall(sets: Yardstick, chosen: Mapping[str, Selector], part: Part = "development") -> pd.DataFrame:
    """Evidence recall on HLVid-Mini: was the text that is asked for gazed at, finely enough to be read?"""
    return _hits(measure(sets.questions(part), chosen, sets.ratios, sets.resolution))


def recall_of_recordings(
    sets: Yardstick, chosen: Mapping[str, Selector], folder: Path, part: Part = "development"
) -> pd.DataFrame:
    """The same of lines that a detector finds in real recordings; see `analysis.studies.recall`."""
    return _hits(measure_recordings(sets.recordings(folder, part), chosen, sets.ratios))


def _hits(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise RunError("yardstick: no text that could be read at this size in any frame; give other videos")
    return table.assign(hit=(table.covered >= COVERED).astype(float))


def accuracy(sets: Yardstick, runs: Sequence[Run], part: Part = "development") -> pd.DataFrame:
    """Right answers of `gaze_reader`, of those of these runs that asked the part's questions; the last run of a
    selector and ratio counts. Raises RunError where there is none.
    """
    readers = [run for run in runs if run.results["model"] == READER and run.ok]
    questions = load(sets.questions(part)) if readers else []  # making the set takes minutes
    asked = {question.id: question.stem for question in questions}
    rows: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for run in readers:
        answers = run.samples()
        if answers and asked == {sample["question_id"]: sample["stem"] for sample in answers}:
            name, ratio = str(run.arguments.get("selector", "detail")), float(run.arguments.get("ratio", 0))
            rows[name, ratio] = [
                {
                    "selector": name,
                    "ratio": ratio,
                    "question": sample["question_id"],
                    "source": sample["source"],
                    "hit": float(sample["correct"]),
                    "tokens": sample["details"]["ratio_of_valid"],
                }
                for sample in answers
            ]
    if not rows:
        preset = getattr(sets, part).mini
        raise RunError(
            f"--records: no finished run of {READER} on {preset} in it; make some with "
            f"'HLVID_MINI_PRESET={preset} hlvid sweep gaze'"
        )
    return pd.DataFrame([row for part in rows.values() for row in part])


def report(table: pd.DataFrame) -> str:
    """Markdown: one line a selector; per ratio the share of hits, its interval, what was spent, and the difference
    from the first selector with interval and sign-flip p."""
    names, ratios = list(dict.fromkeys(table.selector)), sorted(set(table.ratio))
    rows = [[name, *(_cell(table, name, names[0], ratio) for ratio in ratios)] for name in names]
    return tables.markdown(["selector", *(f"{ratio:.1%}" for ratio in ratios)], rows)


def paired(table: pd.DataFrame, name: str, first: str, ratio: float) -> Comparison:
    """One selector against another at a ratio, question by question. Raises AnswerError for other questions."""
    both = {one: _rows(_part(table, one, ratio)) for one in (name, first)}
    (found,) = compare_table(Table.of(both), power=False)
    return found


def _part(table: pd.DataFrame, name: str, ratio: float) -> pd.DataFrame:
    return table[(table.selector == name) & (table.ratio == ratio)]


def _cell(table: pd.DataFrame, name: str, first: str, ratio: float) -> str:
    part = _part(table, name, ratio)
    if part.empty:
        return "-"
    share = stats.share(part.hit.tolist(), part.source.tolist())
    if math.isnan(share.low):
        return f"{share.value:.1%} (one recording: no interval), {part.tokens.mean():.2%} spent"
    text = f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}], {part.tokens.mean():.2%} spent"
    if name == first or _part(table, first, ratio).empty:
        return text
    found = paired(table, name, first, ratio)
    low, high = 100 * found.interval.low, 100 * found.interval.high
    return f"{text}; {100 * found.difference:+.1f} [{low:+.1f}, {high:+.1f}], p = {found.p:.2g}"


def _rows(part: pd.DataFrame) -> list[dict[str, Any]]:
    """As `hlvid.scoring` takes them."""
    return [
        {"question_id": q, "source": s, "correct": bool(hit), "parsed": "A"}
        for q, s, hit in zip(part.question, part.source, part.hit, strict=True)
    ]
