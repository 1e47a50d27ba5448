"""lmms-eval's requests, read: what is asked, how to generate, and the key under which the journal keeps the answer."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lmms_eval.api.instance import Instance

from evaluators.core.identity import key_of
from hlvid.dataset.question import Question
from hlvid.tasks.doc import question_of
from hlvid.tasks.failures import not_ours


@dataclass(frozen=True)
class Asked:
    """One lmms-eval request, read.

    index: its place in the batch. question: with the text that is really sent. own: the benchmark's text. repeat:
    from 0, of the same request. key: of its line in the journal.
    """

    index: int
    question: Question
    own: str
    task: str
    generation: dict[str, Any]
    repeat: int
    key: str


def read_request(
    index: int, request: Instance, repeat: int, docs: Mapping[str, Any], model: str, seed: int
) -> Asked:
    """Simple: (ctx, gen_kwargs, doc_to_visual, id, task, split); chat: messages before gen_kwargs.

    docs: of lmms-eval, by task and split. seed: of the process, which counts where the answer is drawn.

    Raises:
        RunError: of a task of lmms-eval's own, whose documents are no questions.
    """
    context, *middle, doc_id, task, split = request.args
    try:
        own = question_of(docs[task][split][doc_id])
    except KeyError:
        raise not_ours(task, model) from None
    generation = next((dict(item) for item in middle if isinstance(item, dict)), {})
    plain = json.loads(json.dumps(generation, default=str))
    drawn = {}
    if plain.get("temperature"):  # tasks say do_sample=False, and a user's temperature says otherwise
        plain["do_sample"], drawn = True, {"seed": seed}
    key = key_of(own, str(context), {**plain, **drawn}, repeat)
    return Asked(index, replace(own, text=str(context)), own.prompt(), task, plain, repeat, key)


def repetitions(requests: Sequence[Instance]) -> Iterator[int]:
    """Of each request, how often it came before; a rank's last request, which it has for company, is the first's."""
    times: Counter[tuple[str, Any]] = Counter()
    for request in requests:
        *_, doc_id, task, _ = request.args
        padding = bool((request.metadata or {}).get("__padding_only__"))
        yield 0 if padding else times[task, doc_id]
        times[task, doc_id] += not padding


def by_video(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Those of one video together, videos in the order of their first question."""
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(str(one.question.video_path or one.question.video), []).append(one)
    return list(groups.values())
