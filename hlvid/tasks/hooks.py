"""The functions that the YAML files of all our tasks name: prompt, video, score.

Example (suite/_suite_common.yaml)::

    doc_to_text: !function hlvid.tasks.hooks.doc_to_text
    dataset_path: !function hlvid.tasks.hooks.HLVID_VIDEOMME   # prepares that task's data, gives the folder

A doc is a row that `hlvid.tasks.folder` or `hlvid.tasks.suite.prepare` wrote. `process_results` must not raise:
lmms-eval would try five times and then report a RetryError without a cause. Whatever can be wrong with the
data was found when the folder was made.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hlvid.benchmarks import registry
from hlvid.benchmarks import submission as submissions
from hlvid.dataset.question import Question
from hlvid.scoring import averages
from hlvid.scoring.accuracy import accuracy_of, repeats_of
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.collapse import collapse, over_repeats
from hlvid.tasks import costs, parity
from hlvid.tasks.arguments import arguments_of
from hlvid.tasks.doc import question_of

Doc = Mapping[str, Any]
Row = Mapping[str, Any]

GENERATION = {"max_new_tokens": 64, "temperature": 0, "top_p": 1.0, "num_beams": 1, "do_sample": False}
"""64 tokens: a short reason in front of the letter is not cut off."""
SPREAD = "accuracy_sd"  # with --repeats


def __getattr__(name: str) -> Any:
    """`HLVID`, `HLVID_VIDEOMME` (data) and `HLVID_VIDEOMME_GENERATION` (settings) are computed when lmms-eval loads a
    task, not when it lists its tasks."""
    from hlvid.tasks import folder
    from hlvid.tasks.suite.prepare import TASKS, prepare

    own = {"HLVID": folder.hlvid_folder, "HLVID_MINI": folder.mini_folder}
    if name in own:
        return str(folder.prepare(name.lower(), own[name]()))
    if name.isupper() and name.lower() in TASKS:
        return str(prepare(name.lower()))
    if name.isupper() and (task := name.lower().removesuffix("_generation")) in TASKS:
        return parity.generation(task) if arguments_of(task).prompt == parity.NAME else dict(GENERATION)
    raise AttributeError(name)


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, str] | None = None) -> str:
    """The benchmark's prompt, between a model's own `pre_prompt` and `post_prompt` where it has them."""
    around = lmms_eval_specific_kwargs or {}
    prompt = question_of(doc).prompt()
    return f"{around.get('pre_prompt', '')}{prompt}{around.get('post_prompt', '')}"


def doc_to_visual(doc: Doc) -> list[str]:
    """The video's absolute path, alone in a list."""
    costs.note_asked(doc["question_id"])
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


class EveryAnswer:
    """lmms-eval's filter of answers: its own default keeps the first of `--repeats` and drops the others."""

    def apply(self, resps: Iterable[Sequence[str]], docs: object) -> list[list[str]]:
        """All answers of each question."""
        return [list(answers) for answers in resps]


def process_results(doc: Doc, results: Sequence[str | Sequence[str]]) -> dict[str, Any]:
    """One sample: what was asked and said, what it was taken for, whether it is right, and what it took.

    All metrics share `scored`; lmms-eval hands each metric's values to its aggregation. `correct` is None
    where the answer is hidden. Of a question asked several times (`--repeats`) it is the share of right answers, what
    was said is the first answer, and `repeats` holds them all.
    """
    question = question_of(doc)
    texts = [text for one in results for text in (one if isinstance(one, list) else [one])] or [""]
    judged = [_judged(doc, question, str(text), repeat) for repeat, text in enumerate(texts)]
    answers, (first, foreign) = [answer for answer, _ in judged], judged[0]
    scored = {
        "question_id": question.id,
        "correct": first["correct"],
        "parsed": first["parsed"],
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
        **({"circle": doc["circle"]} if doc.get("circle") else {}),
    }
    metrics = registry.task(doc.get("task") or "hlvid").metrics
    if len(answers) > 1:
        scored = over_repeats([{**scored, **one} for one in answers])
        metrics = (*metrics, *([SPREAD] if "accuracy" in metrics else []))
    return {
        **first,
        **scored,
        "video": question.video,
        **({"order": doc["order"]} if doc.get("order") else {}),
        **({"labels": json.loads(doc["labels"])} if doc.get("labels") else {}),
        **{name: scored if name == "accuracy" else [scored] for name in metrics},
        **(
            {parity.METRIC: [[doc["task"], foreign.result]]} if foreign else {}
        ),  # as theirs: of the first answer
        **({"repeats": answers} if len(answers) > 1 else {}),
    }


def _judged(
    doc: Doc, question: Question, raw: str, repeat: int
) -> tuple[dict[str, Any], parity.Judgement | None]:
    """One of the answers to a question, and what lmms-eval's own task makes of it where that is to read letters."""
    foreign = parity.judge(doc, raw) if doc.get("parser") == parity.NAME else None
    parsed = foreign.parsed if foreign else parse_answer(raw, question.options)
    return {
        "correct": None if question.answer is None else parsed.letter == question.answer,
        "parsed": parsed.letter,
        "raw_output": raw,
        "how": parsed.how,
        "details": costs.lookup(question.id, doc.get("task") or "", repeat),
    }, foreign


def accuracy(rows: Sequence[Row]) -> float:
    """Share of right answers, 0 to 1; unparsed ones are wrong."""
    return accuracy_of(collapse(rows)).value


def accuracy_low(rows: Sequence[Sequence[Row]]) -> float:
    """Lower end of the 95 % interval, clustered by recording."""
    return accuracy_of(collapse(_plain(rows))).clustered.low


def accuracy_high(rows: Sequence[Sequence[Row]]) -> float:
    """Upper end of the 95 % interval, clustered by recording."""
    return accuracy_of(collapse(_plain(rows))).clustered.high


def unparsed(rows: Sequence[Sequence[Row]]) -> float:
    """How many answers named no option; of several to a question the mean."""
    return sum((row.get("unparsed_share", row["parsed"] is None) for row in collapse(_plain(rows))), 0.0)


def accuracy_sd(rows: Sequence[Sequence[Row]]) -> float:
    """Standard deviation of the accuracy between repetitions (`--repeats`); NaN where there are none."""
    spread = repeats_of(collapse(_plain(rows)))
    return math.nan if spread is None else spread.deviation


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
    return parity.aggregate(_plain(rows))


def _plain(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Values in lists are skipped by lmms-eval's own standard errors, which mean nothing for these."""
    return [row for (row,) in rows]
