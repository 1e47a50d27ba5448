"""`JournalledModel`: what our lmms-eval models share, so that each of them only has to answer one question.

Requests of simple and of chat tasks both work. `question.prompt()` is the text really sent: with few-shot examples, a
system text, a task's own words around the question. Each answer is journalled before the next one is computed;
after a kill, the same command computes only the missing ones, and several processes share the work. Requests of one
video come one after another, so that a model may keep its decoded frames. What an answer cost (frames, pixels, tokens,
seconds) goes to `hlvid.tasks.costs`, from where the task writes it into the samples.
"""

import abc
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms
from tqdm import tqdm

from evaluators.core.arguments import arguments_of
from evaluators.core.generation import check
from evaluators.core.identity import Identity, of_model
from evaluators.core.journal import Journal, open_journal
from evaluators.core.memory import is_out_of_memory, release
from evaluators.core.outcomes import MEMORY
from evaluators.core.question_video import damage_read
from evaluators.core.requests import Asked, by_video, read_request, repetitions
from evaluators.core.share import Share
from hlvid.dataset.question import Question
from hlvid.errors import HlvidError, RunError, first_line
from hlvid.tasks import costs


@dataclass(frozen=True)
class Answer:
    """What a model says to one question, and what it took.

    `details` holds JSON values only; known names are `frames` (count), `pixels` (height and width seen),
    `tokens_selected` (visual tokens after gazing) and `seconds` ({stage: seconds}).
    """

    text: str
    details: dict[str, Any] = field(default_factory=dict)


Model = TypeVar("Model", bound="JournalledModel")
Done = TypeVar("Done")


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
    #: Distributions whose versions decide the answers.
    libraries: ClassVar[tuple[str, ...]] = ()
    #: Generation settings that the model obeys, beside those that ask for no sampling.
    obeys: ClassVar[frozenset[str]] = frozenset()
    #: Whether it reads the question's text, or its options alone.
    reads_text: ClassVar[bool] = True

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
            allowed = ", ".join(arguments_of(type(self), JournalledModel))
            raise RunError(f"model {self.name}: unknown argument {next(iter(unknown))!r}; allowed: {allowed}")
        super().__init__()
        self.device = device or "cpu"
        self.runs = Path(runs).expanduser() if runs else None
        self._local = threading.local()
        self._seed = torch.initial_seed()

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

    def checkpoints(self) -> Mapping[str, tuple[str, str | None]]:
        """Argument -> (folder or hub id, revision) of every checkpoint that takes part.

        Settings whose values are folders, files or repositories in the hub's cache are found without it.
        """
        return {}

    def computing(self) -> dict[str, str]:
        """Kind of device and precision: {"device": "cuda", "dtype": "bfloat16"}; the card does not count."""
        return {"device": str(self.device).partition(":")[0]}

    def sources(self) -> list[str]:
        """Modules whose code, with all that they import, decides the answers."""
        return [one.__module__ for one in type(self).__mro__ if issubclass(one, JournalledModel)]

    def identity(self) -> Identity:
        """What names the journal: two runs with the same identity give the same answers."""
        return of_model(self)

    @property
    def generation(self) -> dict[str, Any]:
        """How to generate the answer that this thread is asked for: `max_new_tokens`, `temperature` …"""
        return dict(getattr(self._local, "generation", {}))

    @property
    def chat_template(self) -> str:
        """lmms-eval asks for it with --apply_chat_template alone."""
        raise RunError(
            f"model {self.name}: --apply_chat_template cannot be obeyed; leave it out: a system text goes before "
            "the question without it"
        )

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Answers in the order of `requests`; those found in the journal are not computed again.

        Raises:
            RunError: what this model cannot do was asked for, before the first question; or a question failed.
        """
        asked = self._read_all(requests)
        journal = self.journal(asked)
        results: dict[int, GenerationResult] = {}
        kept = sum(journal.get(one.key) is not None for one in asked)
        title = self.name + (f" ({kept} of {len(asked)} from the journal)" if kept else "")
        with tqdm(total=len(asked), desc=title, disable=self.rank != 0) as bar:
            for one, answer in self._answers(asked, journal):
                costs.record(one.question.id, answer.details, one.task, one.repeat)
                tokens = TokenCounts(answer.details.get("tokens_selected"))
                results[one.index] = GenerationResult(answer.text, tokens)
                bar.update()
        if Share.here():
            raise SystemExit(0)  # whoever started the shares scores them together
        return [results[index] for index in range(len(asked))]

    def journal(self, asked: Sequence[Asked]) -> Journal:
        """The journal of what answers now. Raises RunError as `open_journal`."""
        return open_journal(self, self.runs, self.rank, asked)

    def _answers(self, asked: Sequence[Asked], journal: Journal) -> Iterator[tuple[Asked, Answer]]:
        """Video by video; what another process is asking about comes last, when it has answered most of it."""
        waiting = deque(by_video(asked))
        late: list[Asked] = []
        while waiting:
            group = waiting.popleft()
            for place, one in enumerate(group):
                answer = self._answer(one, journal, wait=False)
                if answer is None:
                    late += group[place:]
                    break
                yield one, answer
        for one in late:
            answer = self._answer(one, journal)
            assert answer is not None
            yield one, answer

    def _answer(self, one: Asked, journal: Journal, wait: bool = True) -> Answer | None:
        """From the journal, or computed and journalled; None where another process is at it and `wait` is False."""
        known = journal.get(one.key)
        if known is None:
            with journal.turn(one.key, wait) as mine:
                if not mine:
                    return None
                known = journal.get(one.key)
                if known is None:
                    known = self._record(one, journal)
        return Answer(known["text"], known["details"])

    def _record(self, one: Asked, journal: Journal) -> dict[str, Any]:
        self._local.generation = one.generation
        try:
            with self._drawing(one):
                answer = guarded(lambda: self.answer(one.question))
            record = {"text": answer.text, "details": answer.details | damage_read(one.question)}
            journal.append(one.key, record, question_id=one.question.id, task=one.task, repeat=one.repeat)
        except Exception as error:
            what = str(error) if isinstance(error, HlvidError) else f"{type(error).__name__}: {error}"
            raise RunError(
                f"model {self.name}, question {one.question.id} ({one.question.video}): {what}; "
                f"{len(journal)} answers are kept in {journal.path}"
            ) from error
        return record

    @contextmanager
    def _drawing(self, one: Asked) -> Iterator[None]:
        """Each sampled answer has random numbers of its own: a start after a kill would draw the first's again."""
        if not one.generation.get("temperature"):
            yield
            return
        torch.manual_seed(int(one.key, 16))
        try:
            yield
        finally:
            torch.manual_seed(self._seed)

    def _read_all(self, requests: Sequence[Instance]) -> list[Asked]:
        """Every request, checked: what cannot be obeyed is told before anything is computed."""
        repeats = zip(requests, repetitions(requests), strict=True)
        asked = [self._read(index, request, repeat) for index, (request, repeat) in enumerate(repeats)]
        for one in asked:
            self.check(one)
        if share := Share.here():
            videos = share.videos(one.question.video for one in asked)
            asked = [one for one in asked if one.question.video in videos]
        return asked

    def check(self, one: Asked) -> None:
        """Raises RunError for what lmms-eval was told and this model cannot obey."""
        check(one.generation, self.name, self.obeys, self.reads_text)
        if not self.reads_text and one.question.prompt() != one.own:
            raise RunError(
                f"model {self.name}: reads the options alone; few-shot examples, a system text or words around the "
                f"question (question {one.question.id}) cannot reach it; leave them out"
            )

    def _read(self, index: int, request: Instance, repeat: int) -> Asked:
        return read_request(index, request, repeat, self.task_dict, self.name, self._seed)

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """Not offered: these models give answers, not probabilities."""
        raise RunError(f"model {self.name}: cannot give likelihoods; use a task that generates an answer")

    def generate_until_multi_round(self, requests: Sequence[Instance]) -> list[str]:
        """Not offered: each question is asked once."""
        raise RunError(f"model {self.name}: cannot hold a conversation; use a task with one round")


def guarded(work: Callable[[], Done], short: Callable[[Exception], Answer] | None = None) -> Done | Answer:
    """What `work` gives; where memory ran out, "" with its outcome, or what `short` makes of the error.

    The memory is freed, and the other questions go on.
    """
    try:
        return work()
    except Exception as error:
        if isinstance(error, HlvidError) or not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold what was too much
        answer = short(error) if short else Answer("", {"outcome": MEMORY, "message": first_line(error)})
    release()
    return answer


def for_chat(model: type[Model]) -> type[Model]:
    """The same for tasks built for chat models; lmms-eval asks for the flag to tell them apart."""
    return type(f"{model.__name__}Chat", (model,), {"is_simple": False, "__module__": model.__module__})
