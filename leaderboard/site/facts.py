"""Entries and sections as plain data for pages and exports, without anything that gives an answer away.

HLVid's answers are not published here: per question the site says right or wrong, never a letter (a right
one would be the key, and "all chose C, which is wrong" halves the guess). Stems are shown only of HLVid-Mini,
which is ours to print; of the others ids, recordings and categories.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from hlvid.benchmarks.registry import BENCHMARKS, HLVID
from hlvid.dataset import Question
from hlvid.scoring.clusters import effective_clusters
from hlvid.scoring.power import recordings_needed
from hlvid.scoring.table import Table
from leaderboard.benchmarks import MINI, QUESTIONS, TITLES, WITHHELD, mean_of
from leaderboard.board import Board, Entry, Section
from leaderboard.format.schema import Prediction, Submission, form_names
from leaderboard.site.identity import label, model_page, section_id, settings_text
from leaderboard.site.paired import LEVEL, constants

INDEPENDENT = 5  # systems, before all of them failing alike says something about a label
PUBLISHED = f"sha256:{HLVID.questions_sha256}"  # what a submission to HLVid names before there is one here
RIGHT, WRONG, NO_LETTER = "1", "0", "-"


def entry_facts(entry: Entry, section: Section, added: datetime | None = None) -> dict[str, Any]:
    """One line of the table; shares are 0 to 1, absent values None.

    `method` says what the interval is: "clustered" (by recording), "wilson" (a reported share; takes
    questions as independent and is too narrow), or None where no interval is known.
    """
    submission, summary = entry.submission, entry.summary
    overall = summary.overall if summary else None
    return {
        "section": section_id(section),
        "benchmark": entry.benchmark,
        "name": entry.name,
        "model": submission.model.name,
        "revision": submission.model.revision,
        "setting": settings_text(entry),
        "page": model_page(entry),
        "trust": entry.trust,
        "openness": submission.model.openness,
        "parameters": submission.model.parameters_b,
        "accuracy": entry.accuracy,
        "low": entry.interval.low if entry.interval else None,
        "high": entry.interval.high if entry.interval else None,
        "method": None if entry.interval is None else ("clustered" if entry.scored else "wilson"),
        "rank": _rank(entry),
        "n": overall.n if overall else None,
        "right": overall.correct if overall else None,
        "no_letter": overall.unparsed if overall else None,
        "frames": submission.settings.frames,
        "resolution": submission.settings.resolution,
        "selector": submission.settings.selector,
        "ratio": submission.settings.gazing_ratio,
        "tokens": submission.cost.tokens_per_question,
        "seconds": submission.cost.seconds_per_question,
        "hardware": submission.cost.hardware,
        "claimed_percent": submission.claimed_accuracy_percent,
        "source": submission.reported.source if submission.reported else None,
        "second_runs": list(entry.second_runs),
        "identical": list(entry.identical),
        "seen_videos": submission.seen_videos,
        "added": added.isoformat() if added else None,
    }


def section_facts(section: Section) -> dict[str, Any]:
    """What a section is: its version, size and how much its questions say."""
    recordings: dict[str, int] = {}
    for question in section.questions:
        recordings[question.source] = recordings.get(question.source, 0) + 1
    scored = len(section.scored())
    pairs = math.comb(scored, 2)
    return {
        "id": section_id(section),
        "benchmark": section.benchmark,
        "title": section.title,
        "revision": section.revision,
        "published": PUBLISHED if section.benchmark == "hlvid" else None,
        "questions": len(section.questions) or QUESTIONS[section.benchmark],
        "recordings": len(recordings) or None,
        "recordings_needed": recordings_needed(LEVEL, pairs) if pairs else None,
        "effective_recordings": effective_clusters(list(recordings.values())) if recordings else None,
        "chance": _chance(section.questions),
        "scored": scored,
        "reported": len(section.entries) - scored,
    }


def former(board: Board) -> list[dict[str, str | None]]:
    """Entries that are withdrawn or replaced, with why."""
    return [
        {
            "name": f"{entry.benchmark}/{entry.name}",
            "page": model_page(entry),
            "withdrawn": entry.submission.withdrawn,
            "by": entry.submission.superseded_by,
        }
        for section in board.sections
        for entry in section.former
    ]


def dataset_links() -> dict[str, str]:
    """Where a benchmark's data are described, by its name here; HLVid-Mini is generated."""
    return {
        one.board: f"https://huggingface.co/datasets/{benchmark.repo}"
        for benchmark in BENCHMARKS
        for one in benchmark.sets
    }


def offered() -> list[tuple[str, str]]:
    """Benchmarks that predictions can be sent for."""
    return [(name, title) for name, title in TITLES.items() if name not in WITHHELD]


def more_fields() -> list[tuple[str, str, bool]]:
    """Further fields of the form: name, title, whether it is a number; all that have no place of their own."""
    own = {
        "model.name",
        "model.openness",
        "benchmark",
        "contact",
        "seen_videos",
        "superseded_by",
        "withdrawn",
    }
    names = {name: number for name, number in form_names(Submission).items() if name not in own}
    return [
        (name, name.rpartition(".")[2].replace("_b", " (billions)").replace("_", " ").capitalize(), number)
        for name, number in names.items()
    ]


def prediction_format() -> dict[str, list[str]]:
    """The fields of a line of predictions.jsonl, for the page that checks a dropped file."""
    numbers = {name for name, number in form_names(Prediction).items() if number}
    whole = {name for name in numbers if int in get_args(Prediction.model_fields[name].annotation)}
    return {"fields": list(Prediction.model_fields), "numbers": sorted(numbers), "whole": sorted(whole)}


def answers_of(section: Section) -> dict[str, Any] | None:
    """Right and wrong of every scored entry, question by question, and what `paired` adds; None without any.

    `entries[i].correct` has a character a question: "1" right, "0" wrong, "-" no letter found (wrong, too).
    `suspects` are questions that enough independent systems fail with one and the same letter.
    """
    scored = section.scored()
    if not scored:
        return None
    table = Table.of({entry.name: entry.rows for entry in scored}, mean_of(section.benchmark))
    stems = section.benchmark == MINI
    known = {question.id: question for question in section.questions}
    return {
        "id": section_id(section),
        "title": section.title,
        "questions": [question_facts(known[name], stems) for name in table.questions],
        "entries": [_answers(entry) for entry in scored],
        "suspects": _suspects(section),
        "paired": constants(table),
    }


def _suspects(section: Section) -> list[str]:
    """Questions that all systems fail with one letter: the label may be wrong, or the question leads astray.

    Variants of one model by one contact are one system.
    """
    systems: dict[object, Entry] = {}
    for entry in section.scored():
        submission = entry.submission
        by = (submission.model.name.casefold(), (submission.contact or entry.name).casefold())
        systems.setdefault(by, entry)
    if len(systems) < INDEPENDENT:
        return []
    return [
        rows[0]["question_id"]
        for rows in zip(*(entry.rows for entry in systems.values()), strict=True)
        if mark(rows[0]) == WRONG and len({row["parsed"] for row in rows}) == 1
    ]


def question_facts(question: Question, stem: bool) -> dict[str, str | None]:
    """A question without its options and answer."""
    facts = {
        "id": question.id,
        "video": question.video,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
    }
    return {**facts, "stem": question.stem} if stem else facts


def mark(row: Mapping[str, Any]) -> str:
    """One answer as a character."""
    return RIGHT if row["correct"] else NO_LETTER if row["parsed"] is None else WRONG


def _answers(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "label": label(entry),
        "page": model_page(entry),
        "correct": "".join(mark(row) for row in entry.rows),
    }


def _rank(entry: Entry) -> dict[str, Any] | None:
    rank = entry.rank
    if rank is None:
        return None
    return {"place": rank.place, "best": rank.best, "worst": rank.worst, "text": rank.text}


def _chance(questions: tuple[Question, ...]) -> float | None:
    """Expected share of a guesser."""
    return sum(1 / len(one.options) for one in questions) / len(questions) if questions else None
