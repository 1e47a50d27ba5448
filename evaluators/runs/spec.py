"""`RunSpec`: what is evaluated on what, and nothing about where or how; two equal ones are the same run.

>>> spec = RunSpec("hlvid_mini", "gaze_reader", parse_model_args("selector=detail,ratio=0.1"))
>>> " ".join(spec.argv(Path("out")))       # arguments of `lmms_eval`
'--tasks hlvid_mini --model gaze_reader --model_args selector=detail,ratio=0.1 --seed 0 ... --output_path out ...'
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from hlvid.errors import RunError

OPTIONAL = ("limit", "task_args", "gen_kwargs", "repeats")
Value = str | int | float | bool


@dataclass(frozen=True)
class RunSpec:
    """One evaluation.

    Attributes:
        task: an lmms-eval task or group.
        model, model_args: as `--model` and `--model_args`, the latter read.
        limit: only so many questions of each task; None for all.
        seed: of Python, numpy and torch in the process that runs the model.
        task_args: of our tasks, as `lmms_eval --task_args` takes them: "prompt=normalised,shuffle=3".
        gen_kwargs: how to generate, as `lmms_eval --gen_kwargs` takes it: "temperature=1,do_sample=True".
        repeats: how often each question is asked.

    Raises:
        RunError: a value that lmms-eval's command line cannot carry, named.
    """

    task: str
    model: str
    model_args: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    seed: int = 0
    task_args: str = ""
    gen_kwargs: str = ""
    repeats: int = 1

    def __post_init__(self) -> None:
        for name in ("task", "model"):
            if not getattr(self, name):
                raise RunError(f"run: {name} is missing; give --{name}, or a recipe that names it")
        for name in ("limit", "repeats"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise RunError(f"run: {name} is {value}; allowed: whole numbers from 1")
        for name, value in self.model_args.items():
            if not re.fullmatch(r"\w+", name):
                raise RunError(f"run: model argument {name!r}: allowed are letters, digits and _")
            if not isinstance(value, str | int | float | bool | None):
                raise RunError(
                    f"run: model argument {name} is {value!r}; allowed: text, a number, true, false"
                )
            if isinstance(value, str) and "," in value and not value.startswith(("{", "[")):
                raise RunError(f"run: model argument {name} is {value!r}; lmms-eval cuts arguments at commas")

    @property
    def name(self) -> str:
        """A folder's name: task, model and 8 hex digits of everything else."""
        text = json.dumps(self.to_json(), sort_keys=True)
        digits = hashlib.sha256(text.encode()).hexdigest()[:8]
        return re.sub(r"[^\w.-]+", "_", f"{self.task}-{self.model}") + f"-{digits}"

    def model_args_text(self) -> str:
        """As lmms-eval's `--model_args` takes them: "selector=detail,ratio=0.1"."""
        return ",".join(f"{name}={value}" for name, value in self.model_args.items())

    def argv(self, out: Path) -> list[str]:
        """Arguments of `lmms_eval` that run it and write to the folder `out`."""
        argv = ["--tasks", self.task, "--model", self.model]
        if self.model_args:
            argv += ["--model_args", self.model_args_text()]
        for name, value in self.options().items():
            argv += [f"--{name}", str(value)]
        argv += ["--seed", str(self.seed), "--batch_size", "1"]
        return [*argv, "--output_path", str(out), "--log_samples", "--verbosity", "ERROR"]

    def command(self) -> list[str]:
        """Arguments of `hlvid eval` that run it."""
        asked = {
            "task": self.task,
            "model": self.model,
            "model_args": self.model_args_text(),
            "seed": self.seed,
        }
        flags = {**asked, **self.options()}.items()
        return [part for name, value in flags for part in (f"--{name.replace('_', '-')}", str(value))]

    def options(self) -> dict[str, Any]:
        """What is asked beside task, model and seed, by the names of lmms-eval's flags."""
        own = {one.name: one.default for one in fields(self)}
        return {name: getattr(self, name) for name in OPTIONAL if getattr(self, name) != own[name]}

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values; without those that ask for nothing, as runs before there were any."""
        left_out = set(OPTIONAL) - {"limit"} - set(self.options())
        return {name: value for name, value in asdict(self).items() if name not in left_out}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Raises RunError for fields that do not exist."""
        names = {one.name for one in fields(cls)}
        if set(data) - names:
            raise RunError(f"run: unknown fields {', '.join(sorted(set(data) - names))}")
        return cls(**data)


def parse_model_args(text: str) -> dict[str, Value]:
    """`key=value,…` as lmms-eval reads it: true or false, whole and other numbers, else text.

    Raises:
        RunError: a part without "=", or a name given twice.
    """
    arguments: dict[str, Value] = {}
    for part in filter(None, (part.strip() for part in _parts(text))):
        name, sign, value = part.partition("=")
        if not sign or not name.strip():
            raise RunError(f"--model-args: {part!r} is not key=value")
        if name.strip() in arguments:
            raise RunError(f"--model-args: {name.strip()} is given twice")
        arguments[name.strip()] = _value(value.strip())
    return arguments


def _parts(text: str) -> list[str]:
    """Cut at commas, but for those inside of braces and brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "{[") - (letter in "}]")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.isdecimal():
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text
