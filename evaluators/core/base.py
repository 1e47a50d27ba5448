"""`JournalledModel`: what our lmms-eval models share, so that each of them only has to answer one question.

Example::

    class AlwaysB(JournalledModel):
        name = "always_b"

        def settings(self) -> dict[str, Any]:
            return {}

        def answer(self, question: Question) -> Answer:
            return Answer("B", {"frames": 0})

Requests of simple and of chat tasks both work. Each answer is journalled before the next one is computed;
after a kill, the same command computes only the missing ones. Requests of one video come one after another,
so that a model may keep its decoded frames. What an answer cost (frames, pixels, tokens, seconds) goes to
`hlvid.tasks.costs`, from where the task writes it into the samples.
"""

import abc
import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms
from tqdm import tqdm

from evaluators.core.environment import code_version, library_versions
from evaluators.core.journal import Journal, run_path
from evaluators.core.share import Share
from hlvid.dataset.question import Question
from hlvid.errors import HlvidError, RunError
from hlvid.tasks import costs as ledger
from hlvid.tasks.folder import question_of


@dataclass(frozen=True)
class Answer:
    """What a model says to one question, and what it took.

    `details` holds JSON values only; known names are `frames` (count), `pixels` (height and width seen),
    `tokens_selected` (visual tokens after gazing) and `seconds` ({stage: seconds}).
    """

    text: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One lmms-eval request, read: the question, its place in the batch and what else shapes the answer."""

    index: int
    question: Question
    task: str
    dataset: str
    template: str
    generation: dict[str, Any]


class JournalledModel(lmms, abc.ABC):  # type: ignore[misc]  # lmms-eval is untyped
    """An lmms-eval model that answers question by question and never twice.

    Args:
        batch_size, max_batch_size, device: given by lmms-eval to every model; a subclass may use `device`.
        runs: folder of the journals; default `$HLVID_RUNS`, else `runs/` in the state folder.
        unknown: what is none of these, nor of the subclass.

    Raises:
        RunError: an unknown argument, with those that are allowed.
    """

    name: ClassVar[str]
    #: Modules whose sources decide the answers; a change in them starts a new journal.
    code: ClassVar[tuple[str, ...]] = ("evaluators.core.base",)
    #: Distributions whose versions decide the answers.
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
        runs: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            allowed = ", ".join(_arguments(type(self)))
            raise RunError(f"model {self.name}: unknown argument {next(iter(unknown))!r}; allowed: {allowed}")
        super().__init__()
        self.device = device or "cpu"
        self.runs = Path(runs).expanduser() if runs else None

    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """Every argument that can change an answer, defaults filled in, as JSON values."""

    @abc.abstractmethod
    def answer(self, question: Question) -> Answer:
        """Answer one question; `question.answer` is for nobody's eyes here.

        Raises:
            HlvidError: what the user has to mend (a video that does not decode); the run stops and names
            the question.
        """

    def identity(self, asked: Asked) -> dict[str, Any]:
        """What keys the journal: two runs with the same identity give the same answers."""
        return {
            "model": self.name,
            "settings": self.settings(),
            "task": asked.task,
            "dataset": asked.dataset,
            "prompt": asked.template,
            "generation": asked.generation,
            "code": code_version((type(self).__module__, *self.code)),
            "libraries": library_versions(self.libraries),
        }

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Answers in the order of `requests`; those found in the journal are not computed again."""
        asked = [self._read(index, request) for index, request in enumerate(requests)]
        results: list[GenerationResult | None] = [None] * len(asked)
        if share := Share.here():
            videos = share.videos(one.question.video for one in asked)
            asked = [one for one in asked if one.question.video in videos]
        journals = {one.task: self._journal(one) for one in asked}
        for task, journal in journals.items():
            mine = _by_video([one for one in asked if one.task == task])
            kept = sum(journal.get(one.question.id) is not None for one in mine)
            title = f"{self.name} {task}" + (f" ({kept} of {len(mine)} from the journal)" if kept else "")
            for one in tqdm(mine, desc=title, disable=self.rank != 0):
                answer = self._answer(one.question, journal)
                ledger.record(one.question.id, answer.details, one.task)
                results[one.index] = GenerationResult(
                    answer.text, TokenCounts(answer.details.get("tokens_selected"))
                )
        if share:
            raise SystemExit(0)  # whoever started the shares scores them together
        return [result for result in results if result is not None]

    def _answer(self, question: Question, journal: Journal) -> Answer:
        """From the journal, or computed and journalled."""
        known = journal.get(question.id)
        if known is not None:
            return Answer(known["text"], known["details"])
        try:
            answer = self.answer(question)
            journal.append(question.id, {"text": answer.text, "details": answer.details})
        except Exception as error:
            what = str(error) if isinstance(error, HlvidError) else f"{type(error).__name__}: {error}"
            raise RunError(
                f"model {self.name}, question {question.id} ({question.video}): {what}; "
                f"{len(journal)} answers are kept in {journal.path}"
            ) from error
        return answer

    def _journal(self, asked: Asked) -> Journal:
        identity = self.identity(asked)
        return Journal(run_path(self.name, identity, self.runs), identity)

    def _read(self, index: int, request: Instance) -> Asked:
        """Simple: (ctx, gen_kwargs, doc_to_visual, id, task, split); chat: messages before gen_kwargs."""
        context, *middle, doc_id, task, split = request.args
        doc = self.task_dict[task][split][doc_id]
        question = question_of(doc)
        generation = next((dict(item) for item in middle if isinstance(item, dict)), {})
        template = str(context).replace(question.prompt(), "{prompt}")
        return Asked(
            index, question, task, doc["dataset"], template, json.loads(json.dumps(generation, default=str))
        )

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """Not offered: these models give answers, not probabilities."""
        raise RunError(f"model {self.name}: cannot give likelihoods; use a task that generates an answer")

    def generate_until_multi_round(self, requests: Sequence[Instance]) -> list[str]:
        """Not offered: each question is asked once."""
        raise RunError(f"model {self.name}: cannot hold a conversation; use a task with one round")


def _arguments(model: type[JournalledModel]) -> list[str]:
    """The names that a model's constructors take, its own first; lmms-eval gives the batch size itself."""
    names: dict[str, None] = {}
    for owner in model.__mro__:
        if issubclass(owner, JournalledModel) and "__init__" in vars(owner):
            for one in inspect.signature(owner.__init__).parameters.values():
                if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL):
                    names[one.name] = None
    return [name for name in names if name not in ("self", "batch_size", "max_batch_size")]


def _by_video(asked: Sequence[Asked]) -> list[Asked]:
    """Those of one video together, videos in the order of their first question."""
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(str(one.question.video_path or one.question.video), []).append(one)
    return [one for group in groups.values() for one in group]
