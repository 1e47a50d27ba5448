"""`hlvid eval --smoke`: one question with the real settings, before all of them are paid for.

Told: versions, the arguments as they took effect, what was seen beside what was asked, memory, seconds by stage, and
what the whole run will take by them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from evaluators.core.memory import GB
from evaluators.core.outcomes import OK
from evaluators.runs.data import data_of
from evaluators.runs.files import RECORD, read_json, read_samples
from evaluators.runs.progress import duration
from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec
from hlvid.tasks.plugin import task_names

AN_ANSWER = ("generation", "request", "call", "model")
"""Stages that every question takes anew; the others are a video's, or read it first."""

SEEN = (
    "path",
    "gaze_grid",
    "frames",
    "pixels",
    "tiles",
    "query_aware",
    "tokens_before",
    "tokens_selected",
    "tokens_llm",
    "tokens_over",
    "tokens_in",
    "tokens_out",
    "served_by",
    "cost",
)


def smoke(spec: RunSpec, folder: Path, console: Console | None = None) -> bool:
    """Ask one question in `folder` and print what it took; False where it could not be answered."""
    console = console or Console()
    now = (
        {**spec.model_args, "batch": False} if spec.model_args.get("batch") else spec.model_args
    )  # not within a day
    results = execute(replace(spec, limit=1, model_args=now), folder, again=("ok",))
    record = read_json(folder / RECORD) if (folder / RECORD).is_file() else {}
    rows = read_samples(folder) if results["questions"] else []
    details: Mapping[str, Any] = rows[0].get("details", {}) if rows else {}
    if results["peak_memory_bytes"]:  # of models that do not tell it by question
        process = {"gb": round(results["peak_memory_bytes"] / GB, 3), "of": "process"}
        details = {"peak_memory": process, **details}
    for line in _lines(spec, record, details):
        console.print(line, highlight=False, soft_wrap=True)
    outcome = details.get("outcome", OK)
    if results["status"] != OK or outcome != OK:
        told = results["message"] or details.get("message") or outcome
        console.print(f"{results['status']}: {told}", highlight=False, soft_wrap=True)
        return False
    console.print(
        f"answered {rows[0]['raw_output']!r}; read as {rows[0]['parsed']}", highlight=False, soft_wrap=True
    )
    return True


def _lines(spec: RunSpec, record: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
    identity: Mapping[str, Any] = next(reversed(record.get("identities", [])), {})
    packages = {**record.get("environment", {}).get("packages", {}), **identity.get("libraries", {})}
    yield "versions: " + ", ".join(f"{name} {version}" for name, version in packages.items())
    for name, value in identity.get("settings", {}).items():
        yield f"  {name}: {value}"
    yield "seen: " + ", ".join(f"{name} {details[name]}" for name in SEEN if details.get(name) is not None)
    if "audit" in details:
        yield f"audit: {details['audit']['verdict']}"
    if peak := details.get("peak_memory"):
        yield f"memory: {peak['gb']} GB of {peak['of']}"
    seconds = details.get("seconds") or {}
    yield "seconds: " + (", ".join(f"{name} {value:.2f}" for name, value in seconds.items()) or "not told")
    yield _whole(spec, seconds, details.get("cost"))


def _whole(spec: RunSpec, seconds: Mapping[str, float], cost: float | None) -> str:
    """What all questions will take by this one: its video's stages a video, the answer's a question."""
    if spec.task not in task_names() or not seconds:
        return "the whole run: cannot be told"
    found = data_of(spec.task)
    questions, videos = sum(one.questions or 0 for one in found), sum(len(one.videos) for one in found)
    answer = sum(value for name, value in seconds.items() if name in AN_ANSWER)
    video = sum(seconds.values()) - answer
    about = duration(video * videos + answer * questions)
    price = (cost or 0) * questions
    money = f", and {price:{'.2f' if price >= 1 else '.2g'}} of money" if price else ""
    return (
        f"the whole run: about {about} for {questions} questions on {videos} videos, one after another{money}"
    )
