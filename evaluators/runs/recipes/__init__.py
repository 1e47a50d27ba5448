"""Recipes: the models of the paper's Table 1, and our own small ones, as settings with their origin.

>>> load("qwen2_5_vl_7b").arguments("hlvid")
{'inner': 'qwen2_5_vl', 'pretrained': 'Qwen/Qwen2.5-VL-7B-Instruct', 'frames': 48, 'resolution': 896}

A recipe is a YAML file of this folder, read and checked by `Recipe`. One that cannot be run says why in
`unavailable`, in words; `hlvid recipes` lists them all, `hlvid eval --recipe NAME` runs one.
"""

from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hlvid.errors import RunError

if TYPE_CHECKING:
    from rich.table import Table

Value = str | int | float | bool

FRAMES = ("frames", "num_video_frames", "max_num_frames", "max_frames_num", "num_frames")
"""What models call the number of frames."""


class Recipe(BaseModel):
    """One model with the settings of its row.

    name: the file's stem. title: how Table 1 (or we) call it. table1: whether it is a row of Table 1.
    model, model_args: lmms-eval's `--model` and `--model_args`; model is None where there is nothing to run.
    frames, resolution: the columns "Max #Frames" (a count, or "2 FPS") and "Max Res." (px); None where the
    paper leaves them empty. source: where the settings are from. per_task: arguments that replace
    `model_args` for a task. server: the command that starts the server it asks, with the limits lifted that would
    change its frames. note: what differs from the paper. unavailable: why it cannot be run here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    name: str
    title: str
    table1: bool = False
    model: str | None = None
    model_args: Mapping[str, Value] = Field(default_factory=dict)
    frames: int | str | None
    resolution: int | None
    source: str = Field(min_length=1)
    per_task: Mapping[str, Mapping[str, Value]] = Field(default_factory=dict)
    server: str = ""
    note: str = ""
    unavailable: str | None = None

    @model_validator(mode="after")
    def _runs_or_says_why(self) -> Self:
        if self.model is None and not self.unavailable:
            raise ValueError("model is missing; name one, or say in 'unavailable' why there is none")
        return self

    def arguments(self, task: str | None = None) -> dict[str, Value]:
        """`--model_args` for a task: those of the recipe, replaced by the task's own."""
        return {**self.model_args, **self.per_task.get(task or "", {})}

    def asked_frames(self) -> int | None:
        """Frames that a run of this recipe asks for; None where its arguments do not say."""
        found = (self.model_args.get(name) for name in FRAMES)
        return next((value for value in found if isinstance(value, int)), None)

    def runnable(self) -> str:
        """The model to run.

        Raises:
            RunError: the recipe is unavailable; the message says why.
        """
        if self.unavailable or self.model is None:
            raise RunError(f"recipe {self.name}: cannot be run: {self.unavailable}")
        return self.model


def names() -> list[str]:
    """All recipes, sorted."""
    found = [entry.name for entry in resources.files(__name__).iterdir()]
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def load(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RunError: no such recipe (the message lists them), or a file that is not one.
    """
    if name not in names():
        raise RunError(f"no recipe {name!r}; allowed: {', '.join(names())}")
    text = (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    return parse(name, text)


def parse(name: str, text: str) -> Recipe:
    """A recipe from its YAML. Raises RunError naming the recipe, the field and what is wrong with it."""
    try:
        given: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RunError(f"recipe {name}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise RunError(f"recipe {name}: a mapping of fields is needed, not {type(given).__name__}")
    try:
        return Recipe(name=name, **given)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc'])) or 'recipe'}: {one['msg']}" for one in error.errors()]
        raise RunError(f"recipe {name}: {'; '.join(faults)}") from error
    except TypeError as error:
        raise RunError(f"recipe {name}: {error}; the file's name is the recipe's name") from error


def describe(recipe: Recipe) -> str:
    """A recipe as YAML, with the command that runs it or the reason why none does."""
    fields = {key: value for key, value in recipe.model_dump().items() if value not in (None, {}, "")}
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)
    if recipe.unavailable:
        return text
    first = f"# {recipe.server}\n" if recipe.server else ""
    return f"{text}{first}# hlvid eval --recipe {recipe.name} --task hlvid"


def table() -> "Table":
    """All recipes, those of Table 1 first; `describe` has the reasons of those that cannot be run."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(
        title="Recipes",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        pad_edge=False,
        caption="frames, px: of the paper's recipes as Table 1 prints them, the most a model takes; "
        "asks: frames that the recipe itself asks for, where they differ",
    )
    for column in ("recipe", "frames", "asks", "px", "runs"):
        made.add_column(column, no_wrap=True)
    for recipe in sorted(map(load, names()), key=lambda one: not one.table1):
        runs = f"no: hlvid recipes {recipe.name}" if recipe.unavailable else f"--model {recipe.model}"
        asks = recipe.asked_frames()
        cells = (recipe.frames, "" if asks in (None, recipe.frames) else asks, recipe.resolution)
        made.add_row(recipe.name, *("-" if value is None else str(value) for value in cells), runs)
    return made
