"""The benchmark itself: durations, recordings, kinds of questions, how close the options are, detail needed."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import style
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from hlvid.dataset import Question, load
from hlvid.errors import VideoError
from hlvid.scoring.clusters import effective_clusters
from hlvid.video import Video

# In this order: the first that fits names the kind.
KINDS = (
    ("text", r"\b(say|says|text|written|read|reads|word|words|name|label|labelled|labeled|title|letters?)\b"),
    ("number", r"\b(number|numbers|digits?|price|speed limit|phone|date|time|plate)\b"),
    ("count", r"\bhow many\b"),
    ("colour", r"\bcolou?rs?\b"),
    ("place", r"\b(where|left|right|above|below|next to)\b"),
)
_OBJECT = re.compile(r"\bon (?:the |a |an )?(.+?)(?: (?:say|says|read|reads)\b|[?,.]|$)")


def make(inputs: Inputs) -> Made:
    questions = load(inputs.dataset_root())
    table, seconds = facts(questions), durations(questions)
    sizes = table.groupby("source").size().sort_values(ascending=False)
    rows = [row("measured", "duration", x=video, value=value) for video, value in seconds.items()]
    rows += [row("measured", "recording", x=name, value=n) for name, n in sizes.items()]
    for (kind, category), part in table.groupby(["kind", "category"]):
        rows.append(row("measured", "kind", x=kind, category=category, value=len(part)))
    rows += [
        row("measured", "object", x=name, value=n) for name, n in table.object.value_counts().items() if name
    ]
    rows += [
        row("measured", "nearest", x=k, value=n) for k, n in table.nearest.value_counts().sort_index().items()
    ]
    rows += [
        row("measured", "tier", x=k, value=n) for k, n in table.tier.value_counts().sort_index().items() if k
    ]
    numbers = pd.DataFrame(rows)
    missing = table.video.nunique() - len(seconds)
    caption = (
        f"Dataset {inputs.dataset}: {len(table)} questions on {table.video.nunique()} videos of "
        f"{len(sizes)} recordings, which "
        f"count as {effective_clusters(sizes.to_numpy(float)):.1f} independent ones (the largest holds "
        f"{sizes.iloc[0]} questions). "
        f"Kinds are sorted by words of the question. c: characters that tell the right option from the closest wrong "
        f"one (Levenshtein's distance), median {table.nearest.median():g}. "
        + (f"{missing} videos are not on this machine and have no duration here. " if missing else "")
        + (
            "d: height of the asked text's capitals in px of 4K."
            if table.tier.any()
            else "d: objects the text stands on."
        )
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def kind_of(stem: str) -> str:
    """What is asked for: text, number, count, colour, place, or other; by words, so a rough sorting."""
    lower = stem.lower()
    return next((name for name, pattern in KINDS if re.search(pattern, lower)), "other")


def object_of(stem: str) -> str:
    """What the text stands on, without its colours: the last two words after "on the"; "" if there are none."""
    found = _OBJECT.search(stem.lower())
    return " ".join(found[1].split()[-2:]) if found else ""


def distance(first: str, second: str) -> int:
    """Levenshtein's: characters to insert, delete or replace."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def facts(questions: Sequence[Question]) -> pd.DataFrame:
    """question, video, source, category, tier, kind, object, and `nearest`: characters to the closest wrong option.

    Where answers are secret, `nearest` is the smallest distance between any two options.
    """
    rows = [
        {
            "question": q.id, "video": q.video, "source": q.source, "category": q.category, "tier": q.tier or "",
            "kind": kind_of(q.stem), "object": object_of(q.stem), "nearest": _nearest(q),
        }
        for q in questions
    ]  # fmt: skip
    return pd.DataFrame(rows)


def durations(questions: Sequence[Question]) -> dict[str, float]:
    """Seconds of every video that is there; those missing are left out."""
    found: dict[str, float] = {}
    for question in questions:
        path = question.video_path
        if question.video not in found and path is not None and path.is_file():
            try:
                with Video.open(path) as video:
                    found[question.video] = video.duration
            except VideoError:
                continue  # `hlvid verify` is there to tell about it
    return found


def _nearest(question: Question) -> int:
    texts = list(question.options.values())
    if question.answer is not None:
        right = question.options[question.answer]
        return min((distance(right, text) for text in texts if text != right), default=0)
    pairs = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
    return min((distance(a, b) for a, b in pairs), default=0)


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, axes = style.panels(2, 2, 4.0)
    _durations(axes[0], numbers)
    _recordings(axes[1], numbers[numbers.series == "recording"])
    _bars(axes[2], numbers[numbers.series == "nearest"], "characters apart", "closest wrong option")
    tiers = numbers[numbers.series == "tier"]
    if len(tiers):
        _bars(axes[3], tiers, "text height", "detail needed")
    else:
        objects = numbers[numbers.series == "object"].head(8)[::-1]
        axes[3].barh(objects.x.astype(str), objects.value, color=style.COLOURS[0])
        axes[3].set(xlabel="questions", title="what the text stands on")
        axes[3].grid(axis="y", visible=False)
    style.letter(axes)
    return figure


def _durations(axes: Any, numbers: pd.DataFrame) -> None:
    seconds = numbers[numbers.series == "duration"].value.to_numpy(float)
    if len(seconds):
        axes.hist(seconds, bins=np.linspace(0, max(10.0, seconds.max() * 1.05), 16), color=style.COLOURS[0])
        axes.set(xlabel="duration (s)", ylabel="videos", title="durations")
        return
    kinds = numbers[numbers.series == "kind"].groupby("x").value.sum()
    axes.bar(kinds.index.astype(str), kinds.to_numpy(), color=style.COLOURS[0])
    axes.set(ylabel="questions", title="kinds of questions (no video here)")


def _recordings(axes: Any, part: pd.DataFrame) -> None:
    axes.bar(range(1, len(part) + 1), part.value, color=style.COLOURS[0], width=0.8)
    axes.set(xlabel="recording, largest first", ylabel="questions", title="questions of a recording")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="x", visible=False)


def _bars(axes: Any, part: pd.DataFrame, label: str, title: str) -> None:
    axes.bar(part.x.astype(str), part.value, color=style.COLOURS[0], width=0.7)
    axes.set(xlabel=label, ylabel="questions", title=title, xlim=(-0.8, max(1, len(part)) - 0.2))
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="x", visible=False)
