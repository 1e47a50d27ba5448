"""A sweep's grid: a YAML file of axes, models and tasks, and the cells it stands for.

>>> load_grid("mini").cells()[0].spec().model_args_text()        # a bundled grid, or the path of a YAML file
'ratio=0.1,frames=2,resolution=448,selector=detail'

A file of one's own::

    tasks: [hlvid_mini]
    models:
      - model: gaze_reader
        args: {ratio: 0.1}
    axes:
      frames: [4, 8, 16]
      resolution: [448, 3584]
    only: resolution == 448 or frames <= 8
    list:                               # further cells, one by one
      - {model: blind}

Where a model calls an axis by another name, `names` says so: {frames: num_video_frames}. Where a value is another for
it, or several arguments, `values` does: {resolution: {448: {max_tiles_video: 2}, 3584: {max_tiles_video: 144}}}.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluators.sweeps.cells import Cell
from evaluators.sweeps.conditions import holds
from hlvid.errors import RunError

BUNDLED = Path(__file__).parent / "grids"
Scalar = str | int | float | bool
MOST = 100_000
"""Cells; more is a typing error."""


class ModelEntry(BaseModel):
    """A model with arguments that are the same in all of its cells."""

    model_config = ConfigDict(extra="forbid")

    model: str
    args: dict[str, Scalar] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[Scalar, dict[str, Scalar]]] = Field(default_factory=dict)
    axes: list[str] | None = None
    """Axes that vary it; all where it is left out, none for []."""

    def arguments(self, labels: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """What the model is told where these are the values of the axes."""
        told = dict(self.args)
        for name, value in labels.items():
            told |= self.values.get(name, {}).get(value, {self.names.get(name, name): value})
        return told


class Grid(BaseModel):
    """See the module. limit: questions a cell. retry: smaller values to try when memory runs out."""

    model_config = ConfigDict(extra="forbid")

    tasks: list[str] = Field(min_length=1)
    models: list[ModelEntry] = Field(default_factory=list)
    axes: dict[str, list[Scalar]] = Field(default_factory=dict)
    only: str | None = None
    list_: list[dict[str, Scalar]] = Field(default_factory=list, alias="list")
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0
    timeout: float | None = Field(default=None, gt=0)
    retry: dict[str, list[Scalar]] = Field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """Every cell once, in the order of the file: by task, by model, the last axis fastest.

        Raises RunError where the conditions leave none, or there are absurdly many.
        """
        unique = {cell.key(): cell for cell in self._all()}
        if not unique:
            raise RunError("grid: no cell is left; look at 'only', 'models' and 'axes'")
        return list(unique.values())

    def _all(self) -> Iterator[Cell]:
        count = 0
        for task in self.tasks:
            for entry in self.models:
                axes = {name: self.axes[name] for name in (self.axes if entry.axes is None else entry.axes)}
                for values in product(*axes.values()):
                    count += 1
                    if count > MOST:
                        raise RunError(f"grid: more than {MOST:,} cells; shorten an axis")
                    labels = dict(zip(axes, values, strict=True))
                    named = {**entry.args, **labels, "task": task, "model": entry.model}
                    if not self.only or not axes or holds(self.only, named):
                        yield self._cell(task, entry, labels)
            for one in self.list_:
                labels = {name: value for name, value in one.items() if name not in ("model", "task")}
                entry = ModelEntry(model=str(one.get("model", "")))
                yield self._cell(str(one.get("task", task)), entry, labels)

    def _cell(self, task: str, entry: ModelEntry, labels: dict[str, Any]) -> Cell:
        return Cell(
            task, entry.model, entry.arguments(labels), {**entry.args, **labels}, self.limit, self.seed
        )


def load_grid(source: str | Path) -> Grid:
    """A YAML file, or the name of a bundled grid.

    Raises RunError naming the file, the entry and what is wrong with it.
    """
    path = Path(source)
    if not path.is_file() and (BUNDLED / f"{source}.yaml").is_file():
        path = BUNDLED / f"{source}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        names = ", ".join(sorted(file.stem for file in BUNDLED.glob("*.yaml")))
        raise RunError(f"grid {source}: no such file, and none of the bundled grids ({names})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"grid {path}: is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(data, dict):
        what = "is empty" if data is None else f"holds a {type(data).__name__}"
        raise RunError(
            f"grid {path}: {what}; a grid is a mapping with tasks and models, as in docs/sweeps.md"
        )
    try:
        grid = Grid.model_validate(data)
    except ValidationError as error:
        faults = dict.fromkeys(_fault(one) for one in error.errors())  # a list of scalars has one a kind
        raise RunError(f"grid {path}: {'; '.join(faults)}") from error
    for entry in grid.models:
        for axis in entry.axes or ():
            if axis not in grid.axes:
                raise RunError(
                    f"grid {path}: models: {entry.model}: axis {axis!r} is not among {list(grid.axes)}"
                )
        for axis, told in entry.values.items():
            if odd := [value for value in told if value not in grid.axes.get(axis, ())]:
                raise RunError(
                    f"grid {path}: models: {entry.model}: values: {axis} {odd[0]!r} is on no axis; "
                    f"axes are {grid.axes}"
                )
    return grid


def _fault(found: Any) -> str:
    """One fault of pydantic's, with the field and what to write there."""
    where, kind, value = ".".join(map(str, found["loc"])), found["type"], found["input"]
    if kind == "extra_forbidden":
        model = ModelEntry if found["loc"][0] == "models" else Grid
        names = [field.alias or name for name, field in model.model_fields.items()]
        return f"{where}: unknown; allowed: {', '.join(names)}"
    if kind == "missing":
        return f"{where}: missing"
    if kind == "list_type":
        return f"{where}: is {value!r}, no list; write [{value}]"
    if kind == "too_short":
        return f"{where}: is empty; name at least one"
    if kind in ("dict_type", "model_type"):
        return f"{where}: is {value!r}; write key: value"
    return f"{where}: is {value!r}: {found['msg'][:1].lower()}{found['msg'][1:]}"
