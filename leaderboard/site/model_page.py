"""What the page of one entry shows: settings, groups, recordings with their questions."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hlvid.scoring.accuracy import Accuracy, Row
from leaderboard.benchmarks import MINI, SIZES
from leaderboard.board import Board, Entry, Section
from leaderboard.scores import scorer
from leaderboard.site.facts import mark, section_facts
from leaderboard.site.identity import model_page, settings_text
from leaderboard.site.pages import OPENNESS

FEWEST = 3  # recordings: with fewer an interval reaches from nothing to all
SHOWN = 20  # questions that were not asked
STATES = {"1": "right", "0": "wrong", "-": "no letter"}


def model_values(
    section: Section, entry: Entry, board: Board, added: Mapping[str, datetime]
) -> dict[str, Any]:
    """Values for `model.html`; `added` as of `history.recorded`."""
    before = [one for one in section.former if one.submission.superseded_by == entry.name]
    return {
        "section": section_facts(section),
        "entry": entry,
        "facts": _facts(entry, section),
        "groups": _groups(entry),
        "recordings": _recordings(section, entry),
        "stems": section.benchmark == MINI,
        "elsewhere": _elsewhere(entry, board),
        "count": _count(entry, section, added),
        "before": before,
        "scorer": scorer(),
        "uncountable": _uncountable(entry),
    }


def _elsewhere(entry: Entry, board: Board) -> list[dict[str, Any]]:
    """The same model on every benchmark, this entry among them; [] where this is its only entry."""
    name = entry.submission.model.name.casefold()
    found = [
        {
            "title": section.title,
            "entry": one,
            "page": model_page(one),
            "setting": settings_text(one),
            "here": one == entry,
        }
        for section in board.sections
        for one in section.entries
        if one.submission.model.name.casefold() == name
    ]
    return found if len(found) > 1 else []


def _uncountable(entry: Entry) -> int | None:
    """The number of questions of which a printed share is no whole number, rounded as it may be; else None."""
    reported, n = entry.submission.reported, SIZES.get(entry.benchmark)
    if reported is None or n is None:
        return None
    nearest = 100 * round(reported.accuracy_percent * n / 100) / n
    return n if abs(nearest - reported.accuracy_percent) > 0.05 + 1e-9 else None


def _count(entry: Entry, section: Section, added: Mapping[str, datetime]) -> tuple[int, int] | None:
    """Which of how many scored entries this is by its contact here: the best of many tries is good by chance, too."""
    contact = (entry.submission.contact or "").casefold()
    others = [
        one
        for one in (*section.entries, *section.former)
        if one.scored and (one.submission.contact or "").casefold() == contact
    ]
    if not contact or not entry.scored or len(others) < 2:
        return None
    first = datetime.max.replace(tzinfo=UTC)
    ordered = sorted(others, key=lambda one: (added.get(f"{one.benchmark}/{one.name}", first), one.name))
    return [one.name for one in ordered].index(entry.name) + 1, len(ordered)


def _facts(entry: Entry, section: Section) -> list[tuple[str, Any]]:
    """What is stated, in order; what is not says so, because a gap is information too."""
    submission = entry.submission
    model, settings, cost = submission.model, submission.settings, submission.cost
    frames = [one.frames for one in entry.predictions.values()]
    return [
        ("Revision", model.revision),
        ("Openness", OPENNESS[model.openness]),
        ("Parameters (billions)", model.parameters_b),
        ("Frames a question, at most", settings.frames),
        ("Long side seen (px)", settings.resolution),
        ("Patch selector", settings.selector),
        ("Gazing ratio", settings.gazing_ratio),
        ("Decoder", settings.decoder),
        ("Prompts (hash)", settings.prompt_sha256),
        ("Visual tokens a question", cost.tokens_per_question),
        ("Seconds a question", cost.seconds_per_question),
        ("Hardware", cost.hardware),
        ("Training data", submission.training_data.strip() or None),
        ("Seen the videos in training", submission.seen_videos),
        *(
            [("Frames, by its lines", _span(frames)), ("Pixels, by its lines", _pixels(entry))]
            if frames
            else []
        ),
        ("Dataset revision", section.revision if entry.scored else None),
        *([("Not asked", _not_asked(submission.left_out))] if submission.left_out else []),
        ("Contact", submission.contact),
    ]


def _not_asked(left_out: Mapping[str, str]) -> str:
    """The first questions that were left out, with why."""
    named = [f"{name} ({why})" for name, why in list(left_out.items())[:SHOWN]]
    more = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
    return f"{', '.join(named)}{more}"


def _span(values: Sequence[int | None]) -> str | None:
    """ "8 to 12, in 46 of 48 lines"; None where no line says it."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    span = f"{min(known):,}" if min(known) == max(known) else f"{min(known):,} to {max(known):,}"
    return f"{span}, in {len(known)} of {len(values)} lines"


def _pixels(entry: Entry) -> str | None:
    """The frames that its lines say were seen, from the smallest to the largest."""
    sizes = [
        (one.width or 0, one.height or 0) for one in entry.predictions.values() if one.width or one.height
    ]
    if not sizes:
        return None
    ends = [
        f"{width:,} x {height:,}" for width, height in (min(sizes, key=math.prod), max(sizes, key=math.prod))
    ]
    return f"{' to '.join(dict.fromkeys(ends))}, in {len(sizes)} of {len(entry.predictions)} lines"


def _groups(entry: Entry) -> list[tuple[str, list[tuple[str, Accuracy, bool]]]]:
    """Title, then name, accuracy and whether enough recordings stand behind it for an interval that says something."""
    if entry.summary is None:
        return []
    groups = (
        ("Category", "category", entry.summary.by_category),
        ("Smallest detail (tier)", "tier", entry.summary.by_tier),
    )
    return [
        (title, [(name, one, _recordings_of(entry, key, name) >= FEWEST) for name, one in found.items()])
        for title, key, found in groups
        if found
    ]


def _recordings_of(entry: Entry, key: str, name: str) -> int:
    return len({row["source"] for row in entry.rows if str(row[key]) == name})


def _recordings(section: Section, entry: Entry) -> list[dict[str, Any]]:
    """Recordings in the key's order, each with its questions."""
    questions = {question.id: question for question in section.questions}
    found: dict[str, list[Row]] = {}
    for row in entry.rows:
        found.setdefault(questions[row["question_id"]].source, []).append(row)
    return [
        {
            "name": name,
            "right": sum(bool(row["correct"]) for row in rows),
            "n": len(rows),
            "questions": [
                {
                    "id": row["question_id"],
                    "state": STATES[mark(row)],
                    "stem": questions[row["question_id"]].stem,
                    "tier": row["tier"],
                }
                for row in rows
            ],
        }
        for name, rows in found.items()
    ]
