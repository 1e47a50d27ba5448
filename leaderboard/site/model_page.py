"""What the page of one entry shows: settings, groups, recordings with their questions.

Example::

    model_values(section, entry)["recordings"][0]      # {"name", "right", "n", "questions": [{id, state, …}]}
"""

from collections.abc import Mapping
from typing import Any

from hlvid.scoring.accuracy import Accuracy, Row
from leaderboard.benchmarks import MINI
from leaderboard.board import Entry, Section
from leaderboard.site.facts import mark, section_facts
from leaderboard.site.pages import OPENNESS

STATES = {"1": "right", "0": "wrong", "-": "no letter"}


def model_values(section: Section, entry: Entry) -> dict[str, Any]:
    """Values for `model.html`."""
    return {
        "section": section_facts(section),
        "entry": entry,
        "facts": _facts(entry, section),
        "groups": _groups(entry),
        "recordings": _recordings(section, entry),
        "stems": section.benchmark == MINI,
    }


def _facts(entry: Entry, section: Section) -> list[tuple[str, Any]]:
    """What is stated, in order; what is not says so, because a gap is information too."""
    submission = entry.submission
    model, settings, cost = submission.model, submission.settings, submission.cost
    return [
        ("Revision", model.revision),
        ("Openness", OPENNESS[model.openness]),
        ("Parameters (billions)", model.parameters_b),
        ("Frames a question, at most", settings.frames),
        ("Long side seen (px)", settings.resolution),
        ("Patch selector", settings.selector),
        ("Gazing ratio", settings.gazing_ratio),
        ("Decoder", settings.decoder),
        ("Prompts (SHA-256)", settings.prompt_sha256),
        ("Visual tokens a question", cost.tokens_per_question),
        ("Seconds a question", cost.seconds_per_question),
        ("Hardware", cost.hardware),
        ("Training data", submission.training_data.strip() or None),
        ("Dataset revision", section.revision if entry.scored else None),
        ("Contact", submission.contact),
    ]


def _groups(entry: Entry) -> list[tuple[str, Mapping[str, Accuracy]]]:
    if entry.summary is None:
        return []
    groups = [("Category", entry.summary.by_category), ("Smallest detail (tier)", entry.summary.by_tier)]
    return [(title, found) for title, found in groups if found]


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
