"""What a user may choose about our tasks: the wording, who reads the letters, subtitles, the order of the options.

Either of::

    lmms_eval --tasks hlvid --task_args prompt=normalised,shuffle=3 --model …
    HLVID_PROMPT=normalised HLVID_SHUFFLE=3 lmms-eval --tasks hlvid --model …

lmms-eval hands no arguments to tasks, so they travel in the environment, whichever way a run was started. A task
refuses what it does not take: nothing is recorded that did nothing. What it takes goes into `hlvid_task.json`, from
there into the record of the run, and, by the texts that are asked, into the identity of every answer.

- `prompt`: `published` (the benchmark's own text), `normalised` (one wording for all benchmarks), `lmms_eval` (that of
  lmms-eval's own task, with its generation settings).
- `parser`: who reads letters and computes the score: `hlvid` or `lmms_eval`. Does not change what a model is asked.
- `subtitle_frames`: at how many evenly spaced frames subtitles are read, or `all`; by default at the model's own.
- `shuffle`: a seed: options in a random order, other for each question. `circular`: in every rotation.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from hlvid.benchmarks import registry
from hlvid.dataset.order import relabelled, rotations, shuffled
from hlvid.dataset.question import Question
from hlvid.errors import RunError

OURS = ("hlvid", "hlvid_mini")
THEIRS = "lmms_eval"
SUBTITLE_FRAMES = 32  # lmms-eval's; for models that do not say how many frames they look at


@dataclass(frozen=True)
class TaskArguments:
    """The choices for one task; `subtitle_frames` is None for all subtitles of a video."""

    prompt: str = "published"
    parser: str = "hlvid"
    subtitle_frames: int | None = SUBTITLE_FRAMES
    shuffle: int | None = None
    circular: bool = False

    def variant(self) -> str:
        """What the prepared folder's name carries: "" by default, else "-normalised_prompt" and the like."""
        default = TaskArguments()
        changed = [name for name in VARIABLES if getattr(self, name) != getattr(default, name)]
        return "".join(f"-{getattr(self, name)}_{name}" for name in changed if name != "subtitle_frames")

    def as_json(self, task: str) -> dict[str, Any]:
        """For the record of a run: those that the task takes."""
        theirs = ("subtitle_frames",) if self.prompt == THEIRS else ()
        return {name: getattr(self, name) for name in taken(task) if name not in theirs}

    def arranged(self, questions: Sequence[Question]) -> list[tuple[Question, dict[str, str | None]]]:
        """Each question as it is asked, in the chosen order or orders of its options, with what a row says of it:
        `order` (the published letters as shown) and `circle` (the question that a rotation belongs to)."""
        found = []
        for question in questions:
            for order in self._orders(question):
                asked = relabelled(question, order)
                name = f"{question.id}~{order}" if self.circular else question.id
                told = {"order": order, "circle": question.id if self.circular else None}
                found.append((replace(asked, id=name), told))
        return found

    def _orders(self, question: Question) -> list[str]:
        if self.circular:
            return rotations(question)
        return ["".join(question.options) if self.shuffle is None else shuffled(question, self.shuffle)]


VARIABLES = {one.name: f"HLVID_{one.name.upper()}" for one in fields(TaskArguments)}
"""Argument -> variable of the environment."""
RECORDED = ("HLVID_DAMAGED", "HLVID_MINI_PRESET", "HLVID_PARTIAL", *VARIABLES.values())
"""All variables that shape what a task asks or how it reads answers; never the whole environment, which holds keys."""


def switched_on(variable: str) -> bool:
    """Whether `HLVID_PARTIAL` or `HLVID_DAMAGED` is set; raises RunError for a value that would do nothing."""
    return _truth(variable, os.environ.get(variable) or "0")


def taken(task: str) -> tuple[str, ...]:
    """The arguments that a task of ours takes."""
    if task in OURS:
        return ("prompt", "shuffle", "circular")
    reads = ("subtitle_frames",) if task.endswith("_w_subtitle") else ()
    moves = () if registry.task(task).hidden else ("shuffle", "circular")
    return ("prompt", "parser", *reads, *moves)


def arguments_of(task: str) -> TaskArguments:
    """The environment's choices for a task.

    Raises:
        RunError: an argument that the task does not take, a value that is none of the allowed ones, or two that
            exclude each other; names the variable.
    """
    given = {name: os.environ[variable] for name, variable in VARIABLES.items() if os.environ.get(variable)}
    _no_slip_of_the_pen()
    for name in given:
        if name not in taken(task):
            raise RunError(
                f"task {task}: takes no {name} ({VARIABLES[name]}); it takes {', '.join(taken(task))}"
            )
    found = TaskArguments(**{name: _READERS[name](VARIABLES[name], value) for name, value in given.items()})
    if found.prompt == THEIRS and task in OURS:
        raise RunError(f"task {task}: lmms-eval has no such task; prompt is one of published, normalised")
    moved = found.circular or found.shuffle is not None
    if moved and found.parser == THEIRS:
        raise RunError(
            f"task {task}: parser=lmms_eval reads options in their published order; leave out shuffle and circular"
        )
    if found.circular and found.shuffle is not None:
        raise RunError(f"task {task}: circular asks in every rotation; leave out shuffle")
    return _placed_subtitles(task, found) if "subtitle_frames" in taken(task) else found


def _no_slip_of_the_pen() -> None:
    """Raises RunError for a variable whose name is nearly one of `RECORDED`: it would do nothing."""
    for name in (one for one in os.environ if one.startswith("HLVID_") and one not in RECORDED):
        if close := get_close_matches(name, RECORDED, n=1, cutoff=0.85):
            raise RunError(
                f"{name}: no such variable, and it would do nothing; {close[0]} is meant? Unset it"
            )


@dataclass
class _Model:
    """What is known of the model that is going to be asked."""

    name: str | None = None
    frames: int | None = None


_model = _Model()


def a_run_begins(model: str | None) -> None:
    """Forget the last run's model; called when lmms-eval looks for its tasks, with its `--model`."""
    _model.name, _model.frames = model, None


def model_looks_at(frames: int | None, like: str | None = None) -> None:
    """A model says how many frames of a video it is shown, before the tasks' data are made.

    `like` is the lmms-eval model whose prompts it should get, for one that wraps another.
    """
    _model.frames, _model.name = frames, like or _model.name


def model_name() -> str | None:
    """The `--model` of this run, or the one that it wraps."""
    return _model.name


def given_arguments() -> dict[str, str]:
    """Variables of `VARIABLES` that are set, with their values."""
    return {name: os.environ[name] for name in VARIABLES.values() if os.environ.get(name)}


@contextmanager
def in_environment(text: str | None) -> Iterator[None]:
    """Within: the environment holds `--task_args` ("prompt=normalised,shuffle=3").

    Raises:
        RunError: an unknown argument, or one that the environment sets to another value.
    """
    chosen = _read(text or "")
    for variable, value in chosen.items():
        if os.environ.get(variable, value) != value:
            raise RunError(
                f"--task_args: {variable} is {os.environ[variable]!r} in the environment; unset it"
            )
    before = {variable: os.environ.get(variable) for variable in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for variable, old in before.items():
            if old is None:
                os.environ.pop(variable, None)


def _read(text: str) -> dict[str, str]:
    """ "prompt=normalised,shuffle=3" -> {"HLVID_PROMPT": "normalised", "HLVID_SHUFFLE": "3"}"""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = (side.strip() for side in part.partition("="))
        if not sign or name not in VARIABLES:
            raise RunError(f"--task_args: {part!r} is none of {', '.join(f'{name}=…' for name in VARIABLES)}")
        found[VARIABLES[name]] = value
    return found


def _placed_subtitles(task: str, found: TaskArguments) -> TaskArguments:
    """Subtitles at the frames that the model is shown: other ones would be another measurement."""
    variable, seen = VARIABLES["subtitle_frames"], _model.frames
    if not os.environ.get(variable):
        return replace(found, subtitle_frames=seen or SUBTITLE_FRAMES)
    if found.prompt == THEIRS:
        raise RunError(
            f"task {task}: with prompt=lmms_eval its own number of frames places subtitles; unset {variable}"
        )
    if seen not in (None, found.subtitle_frames) and found.subtitle_frames is not None:
        raise RunError(
            f"task {task}: {variable} is {found.subtitle_frames}, but the model is shown {seen} frames; unset it"
        )
    return found


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(variable: str, value: str) -> str:
        if value not in allowed:
            raise RunError(f"{variable} is {value!r}; allowed: {', '.join(allowed)}")
        return value

    return read


def _frames(variable: str, value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdecimal() or int(value) < 1:
        raise RunError(f"{variable} is {value!r}; allowed: a number from 1, or all")
    return int(value)


def _seed(variable: str, value: str) -> int:
    if not value.isdecimal():
        raise RunError(f"{variable} is {value!r}; allowed: a whole number from 0, the seed of the order")
    return int(value)


def _truth(variable: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise RunError(f"{variable} is {value!r}; allowed: true, false")
    return value.lower() in ("true", "1")


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "prompt": _one_of("published", "normalised", THEIRS),
    "parser": _one_of("hlvid", THEIRS),
    "subtitle_frames": _frames,
    "shuffle": _seed,
    "circular": _truth,
}
