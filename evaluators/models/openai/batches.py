"""Questions through the endpoint's batches (half the price, within a day), each submitted once, whatever is killed.

Beside the journal lies `….batches`: a line before a batch is made ("planned", with a word of its own that goes
into the batch's metadata), one with its id, one when its answers are journalled. After a kill the same command finds
the batch by its id or, where it died between making and noting it, by that word, and waits for it.
"""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evaluators.core.base import Answer, guarded
from evaluators.core.journal import Journal
from evaluators.core.question_video import damage_read
from evaluators.core.requests import Asked
from evaluators.models.openai.budget import BudgetError
from evaluators.models.openai.replies import GaveUpError, Reply
from hlvid.errors import RunError
from hlvid.files import Lines, append_line, locked

if TYPE_CHECKING:
    from evaluators.models.openai.model import OpenAIFrames

ENDED = ("completed", "failed", "expired", "cancelled")
MOST = 50_000
"""Requests that one batch may have."""


@dataclass
class Batch:
    """One batch: its word, what it asks, and its id, once there is one.

    asks: {journal key: {"of": question, task and repetition, "details": what is known of the request}}.
    """

    word: str
    asks: dict[str, dict[str, Any]]
    id: str | None = None
    told: str = field(default="", compare=False)


def ask_all(model: "OpenAIFrames", asked: Sequence[Asked], journal: Journal) -> list[str]:
    """Journal an answer for each; returns why some found none.

    Raises:
        RunError: another process waits for these batches, or one cannot be made.
    """
    state = journal.path.with_suffix(".batches")
    busy = RunError(f"{state}: another process waits for these batches; wait for it, or end it")
    with locked(state.with_name(f"{state.name}.lock"), busy), ExitStack() as turns:
        work = _Work(model, journal, state)
        waiting = work.found()
        under_way = {key for batch in waiting for key in batch.asks}
        turns.enter_context(model.budget.turn(len(under_way), sent=True))
        stopped: BudgetError | None = None
        try:
            for batch in work.submitted([one for one in asked if one.key not in under_way], turns):
                waiting.append(batch)
        except BudgetError as error:
            stopped = error
        lost = work.fetched(waiting, {one.key for one in asked})
        if stopped:
            raise stopped
        return lost


class _Work:
    def __init__(self, model: "OpenAIFrames", journal: Journal, state: Path) -> None:
        self.model, self.journal, self.state = model, journal, state
        self.caller, self.client = model.caller, model.caller.client

    def note(self, **line: Any) -> None:
        append_line(self.state, line)

    def found(self) -> list[Batch]:
        """Batches of earlier starts that are not fetched yet."""
        batches: dict[str, Batch] = {}
        for _, line in Lines(self.state).read(final=True):
            word = str((line or {}).get("word"))
            if line is None:
                continue
            if "asks" in line:
                batches[word] = Batch(word, line["asks"])
            elif "id" in line and word in batches:
                batches[word].id = line["id"]
            elif line.get("fetched"):
                batches.pop(word, None)
        lost = {word for word, batch in batches.items() if batch.id is None}
        if lost:
            seen = set[str]()
            with self.caller.errors():
                for made in self.client.batches.list(limit=100):
                    if not lost or made.id in seen:  # old clients go round where a service has no pages
                        break
                    seen.add(made.id)
                    word = str((made.metadata or {}).get("hlvid"))
                    if word in lost:
                        lost.remove(word)
                        batches[word].id = made.id
                        self.note(word=word, id=made.id)
            for word in lost:
                self.note(word=word, fetched=True)  # it died before the batch was made
        return [batch for batch in batches.values() if batch.id is not None]

    def submitted(self, todo: Iterable[Asked], turns: ExitStack) -> Iterator[Batch]:
        """Files of at most `batch_mb`, each a batch, written a question at a time.

        What is larger than a request may be, or than the memory, is journalled at once.
        """
        lines = self._lines(todo)
        line = next(lines, None)
        while line is not None:
            with tempfile.TemporaryFile(dir=self.state.parent) as file:
                batch, size = Batch(uuid.uuid4().hex, {}), 0
                while line is not None and len(batch.asks) < MOST:
                    key, asks, data = line
                    if batch.asks and size + len(data) > self.model.api.batch_mb * 1e6:
                        break
                    batch.asks[key] = asks
                    size += file.write(data)
                    line = next(lines, None)
                turns.enter_context(self.model.budget.turn(len(batch.asks)))
                yield self._made(batch, file)

    def _lines(self, todo: Iterable[Asked]) -> Iterator[tuple[str, dict[str, Any], bytes]]:
        for one in todo:
            ready = guarded(partial(self._line, one))
            self.model.leave(one.question)
            about = ready.details if isinstance(ready, Answer) else ready[1]
            about |= damage_read(one.question)
            of = {"question_id": one.question.id, "task": one.task, "repeat": one.repeat}
            if isinstance(ready, Answer):
                self._journal(one.key, of, "", about)
            else:
                yield one.key, {"of": of, "details": about}, ready[0]

    def _line(self, one: Asked) -> Answer | tuple[bytes, dict[str, Any]]:
        """A question's line of the file, and what is known of it; an answer where it is not to be asked."""
        body, about = self.model.prepared(one.question, one.generation)
        if body is None:
            return Answer("", about)
        data = {"custom_id": one.key, "method": "POST", "url": "/v1/chat/completions", "body": body}
        return json.dumps(data).encode() + b"\n", about

    def _made(self, batch: Batch, file: IO[bytes]) -> Batch:
        file.seek(0)
        self.note(word=batch.word, asks=batch.asks)
        with self.caller.errors():
            sent = self.client.files.create(file=("hlvid.jsonl", file), purpose="batch")
            made = self.client.batches.create(
                input_file_id=sent.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={"hlvid": batch.word},
            )
        batch.id = made.id
        self.note(word=batch.word, id=made.id)
        return batch

    def fetched(self, waiting: Sequence[Batch], asked: Collection[str]) -> list[str]:
        """Wait for all; journal each batch's answers when it has ended."""
        lost: list[str] = []
        left = list(waiting)
        while left:
            for batch in tuple(left):
                with self.caller.errors():
                    seen = self.client.batches.retrieve(batch.id)
                self._tell(batch, seen)
                if seen.status in ENDED:
                    lost += self._answers(batch, seen, asked)
                    self.note(word=batch.word, fetched=True)
                    left.remove(batch)
            if left:
                time.sleep(self.model.api.poll)
        return lost

    def _answers(self, batch: Batch, seen: Any, asked: Collection[str]) -> list[str]:
        lost, missing = [], dict.fromkeys(batch.asks)
        fatal: RunError | None = None
        for line in self._results(seen):
            key = str(line.get("custom_id"))
            missing.pop(key, None)
            if key not in batch.asks:
                continue
            of = batch.asks[key]["of"]
            try:
                reply = self._reply(line)
            except GaveUpError as error:
                lost += [f"question {of['question_id']}: {error}"] * (key in asked)
                continue
            except RunError as error:  # the others' answers are paid for and kept
                fatal = fatal or RunError(f"question {of['question_id']}: {error}")
                continue
            answer = self.model.answered(reply, {**batch.asks[key]["details"], "batch": batch.id})
            self._journal(key, of, answer.text, answer.details)
        if fatal:
            self.note(word=batch.word, fetched=True)
            raise fatal
        why = self.caller.clean(_why(seen))
        return lost + [
            f"question {batch.asks[key]['of']['question_id']}: {why}" for key in missing if key in asked
        ]

    def _results(self, seen: Any) -> Iterator[dict[str, Any]]:
        for name in filter(None, (seen.output_file_id, seen.error_file_id)):
            with self.caller.errors():
                text = self.client.files.content(name).text
            yield from (json.loads(line) for line in text.splitlines() if line.strip())

    def _reply(self, line: Mapping[str, Any]) -> Reply:
        response = line.get("response")
        if not isinstance(response, Mapping):
            raise GaveUpError(
                self.caller.clean(str((line.get("error") or {}).get("message") or "no response"))
            )
        return self.caller.judged(int(response.get("status_code") or 500), response.get("body"))

    def _journal(self, key: str, of: Mapping[str, Any], text: str, details: Mapping[str, Any]) -> None:
        with self.journal.turn(key):
            if self.journal.get(key) is None:
                self.journal.append(key, {"text": text, "details": details}, **of)

    def _tell(self, batch: Batch, seen: Any) -> None:
        counts = seen.request_counts
        done = f"{counts.completed + counts.failed} of {counts.total}" if counts else f"{len(batch.asks)}"
        told = f"{self.model.name}: batch {batch.id}: {seen.status}, {done} questions"
        if told != batch.told:
            print(told, file=sys.stderr)
            batch.told = told


def _why(seen: Any) -> str:
    """Why a batch has no answer to a question: its own words, where it has any."""
    errors = getattr(seen.errors, "data", None) or []
    words = "; ".join(str(one.message) for one in errors[:3])
    return f"batch {seen.id} {seen.status}" + (f": {words}" if words else " without an answer to it")
