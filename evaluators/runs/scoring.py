"""From what lmms-eval returns to the numbers of `results.json`.

An answer that could not be given for want of memory or context makes the run's status say so, and so do many that were
cut by their limit: its accuracy then counts those answers as wrong, and nobody should read it as the model's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluators.core.outcomes import LENGTH, MEMORY, OF_ANSWERS, OK, OVERFLOW, STATUSES
from evaluators.runs.spec import RunSpec
from hlvid.errors import RunError
from hlvid.scoring.accuracy import Accuracy, Summary, summarize
from hlvid.scoring.collapse import collapse, each

Row = Mapping[str, Any]

CUT = 0.05
"""The share of answers cut by their limit above which a run's accuracy is not the model's."""

REASONING = " (a model that reasons needs thousands), or have it reason less (reasoning_effort)"
"""What else helps where an endpoint's model was cut."""

KEPT = (
    "question_id",
    "video",
    "source",
    "category",
    "tier",
    "correct",
    "parsed",
    "how",
    "raw_output",
    "details",
)
ARRANGED = ("order", "circle", "repeat")
"""Of tasks with shuffle or circular: the published letters as shown, and the question that a rotation belongs to; of
repetitions which it is, from 0."""
VISUAL = ("tokens_selected", "tokens_video")
LANGUAGE = ("tokens_llm", "tokens_in")
"""Names under which models record tokens: what the vision encoder saw, what the language model read."""


def samples_of(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of `samples.jsonl`, task by task: the question, the answer, what it took; one a repetition.

    Args:
        results: of `hlvid.tasks.command.run`, with logged samples.
    """
    rows = []
    for task, samples in results["samples"].items():
        asked = _questions(results["configs"].get(task, {}))
        for sample in samples:
            question = asked.get(str(sample.get("question_id")), {})
            if sample.get("question_id") is None:  # a task of lmms-eval's own, which says less
                said = str(sample["filtered_resps"][0])
                sample = {"question_id": str(sample["doc_id"]), "raw_output": said}
            for one in each([sample]):
                kept = {name: one.get(name) for name in KEPT}
                kept |= {name: one[name] for name in ARRANGED if one.get(name) is not None}
                rows.append({"task": task, **kept, **question, "details": one.get("details") or {}})
    return rows


def metrics_of(results: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What lmms-eval printed, by task or group: {"hlvid": {"accuracy": 0.5, …}}; numbers only."""
    found = {}
    for task, metrics in results["results"].items():
        numbers = {name.partition(",")[0]: value for name, value in metrics.items() if "_stderr" not in name}
        found[task] = {
            name: float(value)
            for name, value in numbers.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
    return found


def results_of(spec: RunSpec, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything of `results.json` but what only the process knows (metrics, seconds, memory of the host)."""
    scored = [row for row in rows if row["correct"] is not None]
    tasks = dict.fromkeys(row["task"] for row in rows)
    by_task = {task: [row for row in scored if row["task"] == task] for task in tasks}
    status, message = _status(rows)
    numbers: dict[str, Any] = _numbers(None)
    if len(by_task) == 1 and scored:
        numbers = _numbers(summarize(collapse(scored)))
    return {
        **spec.to_json(),
        "status": status,
        "message": message,
        "questions": sum(not row.get("repeat") for row in rows),
        **numbers,
        "tasks": {
            task: _numbers(summarize(collapse(part)) if part else None) for task, part in by_task.items()
        },
        "metrics": {},
        "tokens_per_question": _mean(rows, VISUAL),
        "llm_tokens_per_question": _mean(rows, LANGUAGE),
        "seconds_per_question": _seconds(rows),
        "peak_memory_bytes": _peak(rows),
    }


def outcomes(text: str) -> tuple[str, ...]:
    """ "out_of_memory,timeout" as a tuple. Raises RunError for one that does not exist."""
    found = tuple(filter(None, (one.strip() for one in text.split(","))))
    for one in found:
        if one not in (*STATUSES, *OF_ANSWERS):
            raise RunError(f"--again: {one!r} is no outcome; allowed: {', '.join((*STATUSES, *OF_ANSWERS))}")
    return found


def failed(spec: RunSpec, status: str, message: str) -> dict[str, Any]:
    """The results of a run that ended without any: no accuracy, and why."""
    return {**results_of(spec, ()), "status": status, "message": message, "questions": None}


def _numbers(summary: Summary | None) -> dict[str, Any]:
    """Of one task; None for an accuracy that there is not (a hidden answer key, several tasks)."""
    if summary is None:
        names = ("n", "correct", "unparsed", "accuracy", "wilson", "clustered")
        return {**dict.fromkeys(names), "by_category": {}, "by_tier": {}}
    return {
        **_accuracy(summary.overall),
        "by_category": {name: _accuracy(part) for name, part in summary.by_category.items()},
        "by_tier": {name: _accuracy(part) for name, part in summary.by_tier.items()},
        **({"repeats": asdict(summary.repeats)} if summary.repeats else {}),
    }


def _accuracy(one: Accuracy) -> dict[str, Any]:
    return {
        "n": one.n,
        "correct": one.correct,
        "unparsed": one.unparsed,
        "accuracy": one.value,
        "wilson": [one.wilson.low, one.wilson.high],
        "clustered": [one.clustered.low, one.clustered.high],
    }


def _status(rows: Sequence[Row]) -> tuple[str, str]:
    """ "ok", or the commonest reason why answers are missing, with the first one's message.

    A refusal or an empty text is an answer: it counts as unparseable. So is one that was cut, up to a share of `CUT`.
    """
    ended: dict[str, list[Row]] = {}
    for row in rows:
        ended.setdefault(row["details"].get("outcome") or OK, []).append(row)
    bad = {outcome: ended[outcome] for outcome in (MEMORY, OVERFLOW) if outcome in ended}
    if bad:
        worst = max(bad, key=lambda outcome: len(bad[outcome]))
        first, count = bad[worst][0], sum(map(len, bad.values()))
        fits = first["details"].get("fits")
        remedy = "; would fit: " + ", ".join(f"{k}={v}" for k, v in fits.items()) if fits else ""
        told = first["details"].get("message", "no message")
        asked = "answers not given" if any("repeat" in row for row in rows) else "questions without an answer"
        return worst, (
            f"{count} of {len(rows)} {asked} ({worst}); question {first['question_id']}: {told}{remedy}"
        )
    cut = ended.get(LENGTH, [])
    if len(cut) > CUT * len(rows):
        tokens = cut[0]["details"].get("tokens_out")
        return LENGTH, (
            f"{len(cut)} of {len(rows)} answers were cut by their limit, first question {cut[0]['question_id']}"
            + (f" after {tokens} tokens" if tokens else "")
            + "; raise max_new_tokens"
            + (REASONING if any("finish_reason" in row["details"] for row in cut) else "")
        )
    return OK, ""


def _mean(rows: Sequence[Row], names: Sequence[str]) -> float | None:
    found = [next((row["details"][name] for name in names if name in row["details"]), None) for row in rows]
    known = [float(value) for value in found if isinstance(value, int | float)]
    return fmean(known) if known else None


def _seconds(rows: Sequence[Row]) -> dict[str, float]:
    """Mean by stage over the questions that tell, each as if asked alone: shared stages count fully for each."""
    stages: dict[str, list[float]] = {}
    for row in rows:
        told = row["details"].get("seconds")
        parts = told if isinstance(told, Mapping) else {"all": told} if told is not None else {}
        for stage, value in parts.items():
            stages.setdefault(stage, []).append(float(value))
    return {stage: round(fmean(values), 4) for stage, values in stages.items()}


def _peak(rows: Sequence[Row]) -> int | None:
    """The highest peak that a model recorded, in bytes."""
    peaks = [(row["details"].get("peak_memory") or {}).get("gb") for row in rows]
    return max((round(float(gb) * 1e9) for gb in peaks if gb is not None), default=None)


def _questions(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Stem, options, answer and place of the video of a task of ours, by question id; else nothing."""
    from hlvid.tasks.doc import question_of
    from hlvid.tasks.folder import INFO

    folder = Path(str(config.get("dataset_path")))
    if not (folder / INFO).is_file():
        return {}
    from datasets import load_from_disk

    asked = {}
    for doc in load_from_disk(str(folder))["test"]:
        question = question_of(doc)
        asked[question.id] = {
            "stem": question.stem,
            "prompt": question.prompt(),
            "options": dict(question.options),
            "answer": question.answer,
            "video_path": str(question.video_path),
        }
    return asked
