"""What a benchmark's questions are like, from their text and their videos.

Example::

    kind_of("What does the white text on the green road sign say?")     # "text"
    object_of("What does the white text on the green road sign say?")   # "road sign"
    distance("DL3", "DL5")                                              # 1
    facts(questions)                                                    # one row a question
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hlvid.dataset import Question
from hlvid.errors import VideoError

if TYPE_CHECKING:
    import pandas as pd

# In this order: the first that fits names the kind.
KINDS = (
    ("text", r"\b(say|says|text|written|read|reads|word|words|name|label|labelled|labeled|title|letters?)\b"),
    ("number", r"\b(number|numbers|digits?|price|speed limit|phone|date|time|plate)\b"),
    ("count", r"\bhow many\b"),
    ("colour", r"\bcolou?rs?\b"),
    ("place", r"\b(where|left|right|above|below|next to)\b"),
)
_OBJECT = re.compile(r"\bon (?:the |a |an )?(.+?)(?: (?:say|says|read|reads)\b|[?,.]|$)")


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


def facts(questions: Sequence[Question]) -> "pd.DataFrame":
    """question, video, source, category, tier, kind, object, and `nearest`: characters to the closest wrong option.

    Where answers are secret, `nearest` is the smallest distance between any two options.
    """
    import pandas as pd

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
    from hlvid.video import Video

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
