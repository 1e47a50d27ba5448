"""The functions that the YAML files of all our tasks name: prompt, video, score.

Example (suite/_suite_common.yaml)::

    doc_to_text: !function hlvid.tasks.hooks.doc_to_text
    dataset_path: !function hlvid.tasks.hooks.HLVID_VIDEOMME   # prepares that task's data, gives the folder

A doc is a row that `hlvid.tasks.folder` or `hlvid.tasks.suite.prepare` wrote. `process_results` must not raise:
lmms-eval would try five times and then report a RetryError without a cause. Whatever can be wrong with the
data was found when the folder was made.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hlvid.benchmarks import submission as submissions
from hlvid.scoring import averages
from hlvid.scoring.accuracy import accuracy_of
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.circular import collapse
from hlvid.tasks import costs as ledger
from hlvid.tasks import parity as theirs
from hlvid.tasks.arguments import arguments_of
from hlvid.tasks.doc import question_of

Doc = Mapping[str, Any]
Row = Mapping[str, Any]

GENERATION = {"max_new_tokens": 64, "temperature": 0, "top_p": 1.0, "num_beams": 1, "do_sample": False}
"""64 tokens: a short reason in front of the letter is not cut off."""
METRICS = ("accuracy", "accuracy_low", "accuracy_high", "unparsed")  # of a task that names no others


def __getattr__(name: str) -> Any:
    """`HLVID_VIDEOMME` (data) and `HLVID_VIDEOMME_GENERATION` (settings) are computed when lmms-eval loads a task, not
    when it lists its tasks."""
    from hlvid.tasks.suite.prepare import TASKS, prepare

    if name.isupper() and name.lower() in TASKS:
        return str(prepare(name.lower()))
    if name.isupper() and (task := name.lower().removesuffix("_generation")) in TASKS:
        return theirs.generation(task) if arguments_of(task).prompt == theirs.NAME else dict(GENERATION)
    raise AttributeError(name)


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, str] | None = None) -> str:
    """The benchmark's prompt, between a model's own `pre_prompt` and `post_prompt` where it has them."""
    around = lmms_eval_specific_kwargs or {}
    prompt = question_of(doc).prompt()
    return f"{around.get('pre_prompt', '')}{prompt}{around.get('post_prompt', '')}"


def doc_to_visual(doc: Doc) -> list[str]:
    """The video's absolute path, alone in a list."""
    ledger.hand_out(doc["question_id"])
    return [doc["video_path"]]


def doc_to_messages(
    doc: Doc, lmms_eval_specific_kwargs: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """One user turn for chat models: the video, then the prompt."""
    content = [{"type": "video", "url": path} for path in doc_to_visual(doc)]
    text = {"type": "text", "text": doc_to_text(doc, lmms_eval_specific_kwargs)}
    return [{"role": "user", "content": [*content, text]}]


def doc_to_target(doc: Doc) -> str:
    """The right letter; "None" where the benchmark keeps it to itself."""
    return str(doc["answer"])


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, Any]:
    """One sample: what was asked and said, what it was taken for, whether it is right, and what it took.

    All metrics share `scored`; lmms-eval hands each metric's values to its aggregation. `correct` is None
    where the answer is hidden.
    """
    question = question_of(doc)
    raw = str(results[0]) if results else ""
    foreign = theirs.judge(doc, raw) if doc.get("parser") == theirs.NAME else None
    parsed = foreign.parsed if foreign else parse_answer(raw, question.options)
    scored = {
        "question_id": question.id,
        "correct": None if question.answer is None else parsed.letter == question.answer,
        "parsed": parsed.letter,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
        **({"circle": doc["circle"]} if doc.get("circle") else {}),
    }
    metrics = json.loads(doc["metrics"]) if doc.get("metrics") else METRICS
    return {
        **scored,
        "video": question.video,
        "raw_output": raw,
        "how": parsed.how,
        **({"order": doc["order"]} if doc.get("order") else {}),
        "details": ledger.lookup(question.id, doc.get("task") or ""),
        **({"labels": json.loads(doc["labels"])} if doc.get("labels") else {}),
        **{name: scored if name == "accuracy" else [scored] for name in metrics},
        **({theirs.METRIC: [[doc["task"], foreign.result]]} if foreign else {}),
    }


def accuracy(rows: Sequence[Row]) -> float:
    """Share of right answers, 0 to 1; unparsed ones are wrong."""
    return accuracy_of(collapse(rows)).value


def accuracy_low(rows: Sequence[Sequence[Row]]) -> float:
    """Lower end of the 95 % interval, clustered by recording."""
    return accuracy_of(collapse(_plain(rows))).clustered.low


def accuracy_high(rows: Sequence[Sequence[Row]]) -> float:
    """Upper end of the 95 % interval, clustered by recording."""
    return accuracy_of(collapse(_plain(rows))).clustered.high


def unparsed(rows: Sequence[Sequence[Row]]) -> int:
    """How many answers named no option."""
    return sum(row["parsed"] is None for row in collapse(_plain(rows)))


def average(rows: Sequence[Sequence[Row]]) -> float:
    """Mean of the categories' accuracies, 0 to 1: MVBench's average, MLVU's M-avg."""
    return averages.category_mean(collapse(_plain(rows)))


def average_low(rows: Sequence[Sequence[Row]]) -> float:
    """Lower end of the 95 % interval of `average`, clustered by video."""
    return averages.category_mean_interval(collapse(_plain(rows))).low


def average_high(rows: Sequence[Sequence[Row]]) -> float:
    """Upper end of the 95 % interval of `average`, clustered by video."""
    return averages.category_mean_interval(collapse(_plain(rows))).high


def submission(rows: Sequence[Sequence[Row]], args: Any) -> int:
    """Write the file for a hidden test; the metric is the number of answers in it."""
    return submissions.write(_plain(rows), args)


def lmms_eval_score(rows: Sequence[Sequence[Any]]) -> float:
    """The number that lmms-eval's own task would have printed, by its own code and in its own unit."""
    return theirs.aggregate(_plain(rows))


def _plain(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Values in lists are skipped by lmms-eval's own standard errors, which mean nothing for these."""
    return [row for (row,) in rows]
