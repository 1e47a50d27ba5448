"""The functions that the YAML files of `hlvid` and `hlvid_mini` name: prompt, video, score.

Example (hlvid_mini.yaml)::

    dataset_path: !function utils.HLVID_MINI      # checks the data, makes them if need be, gives the folder
    doc_to_text: !function utils.doc_to_text

A doc is a row of `hlvid.tasks.docs.doc_of`. `process_results` must not raise: lmms-eval would try five
times and then report a RetryError without a cause. Whatever can be wrong with the data was found when
`HLVID_MINI` was read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hlvid.scoring.accuracy import accuracy_of
from hlvid.scoring.answers import parse_answer
from hlvid.tasks import docs, ledger

Doc = Mapping[str, Any]
Row = Mapping[str, Any]


def __getattr__(name: str) -> str:
    """`HLVID` and `HLVID_MINI` are computed when lmms-eval loads the task, not when it lists its tasks."""
    if name == "HLVID":
        return str(docs.prepare("hlvid", docs.hlvid_folder()))
    if name == "HLVID_MINI":
        return str(docs.prepare("hlvid_mini", docs.mini_folder()))
    raise AttributeError(name)


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, str] | None = None) -> str:
    """The published prompt, between a model's own `pre_prompt` and `post_prompt` where it has them."""
    around = lmms_eval_specific_kwargs or {}
    prompt = docs.question_of(doc).prompt()
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
    """The right letter."""
    return str(doc["answer"])


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, Any]:
    """One sample: what was asked and said, what it was taken for, whether it is right, and what it took.

    The four metrics share `scored`; lmms-eval hands each metric's values to its aggregation.
    """
    question = docs.question_of(doc)
    raw = str(results[0]) if results else ""
    parsed = parse_answer(raw, question.options)
    scored = {
        "question_id": question.id,
        "correct": parsed.letter == question.answer,
        "parsed": parsed.letter,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
    }
    return {
        **scored,
        "video": question.video,
        "raw_output": raw,
        "how": parsed.how,
        "details": ledger.lookup(question.id),
        "accuracy": scored,
        "accuracy_low": [scored],
        "accuracy_high": [scored],
        "unparsed": [scored],
    }


def accuracy(rows: Sequence[Row]) -> float:
    """Share of right answers, 0 to 1; unparsed ones are wrong."""
    return accuracy_of(rows).value


def accuracy_low(rows: Sequence[Sequence[Row]]) -> float:
    """Lower end of the 95 % interval, recordings resampled."""
    return _interval(rows)[0]


def accuracy_high(rows: Sequence[Sequence[Row]]) -> float:
    """Upper end of the 95 % interval, recordings resampled."""
    return _interval(rows)[1]


def unparsed(rows: Sequence[Sequence[Row]]) -> int:
    """How many answers named no option."""
    return sum(row["parsed"] is None for row in _plain(rows))


def _interval(rows: Sequence[Sequence[Row]]) -> tuple[float, float]:
    interval = accuracy_of(_plain(rows)).clustered
    return interval.low, interval.high


def _plain(rows: Sequence[Sequence[Row]]) -> list[Row]:
    """Values in lists are skipped by lmms-eval's own standard errors, which mean nothing for these."""
    return [row for (row,) in rows]
