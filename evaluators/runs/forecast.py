"""`hlvid eval --dry-run`: questions, missing videos, frames, tokens and gigabytes, with no model loaded.

Sizes are worked out for the largest video that is here, which asks for most. Where a model is not ours, its
arguments are shown, and what it makes of them is known only when it runs.
"""

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evaluators.core.memory import GB
from evaluators.runs.checks import check_model_args, own_arguments
from evaluators.runs.data import TaskData, data_of
from evaluators.runs.spec import RunSpec
from hlvid.errors import HlvidError


@dataclass(frozen=True)
class Load:
    """Of one question about the largest video; None where nobody can tell beforehand.

    pixels: height and width of a frame as the model gets it. tokens: visual tokens at most; llm_tokens: at most for
    the language model. host_bytes: decoded pictures held at once. device_bytes: weights and the worst stage.
    """

    frames: int | None = None
    pixels: tuple[int, int] | None = None
    tokens: int | None = None
    llm_tokens: int | None = None
    host_bytes: int | None = None
    device_bytes: int | None = None
    notes: tuple[str, ...] = ()
    fits: bool = True


@dataclass(frozen=True)
class Forecast:
    """What a run would be. fault: why the model's arguments would be refused, or ""."""

    spec: RunSpec
    data: list[TaskData]
    load: Load = field(default_factory=Load)
    largest: str = ""
    fault: str = ""

    @property
    def ready(self) -> bool:
        """Whether it could start and would fit."""
        return not self.fault and self.load.fits and all(one.ready for one in self.data)


def forecast(spec: RunSpec) -> Forecast:
    """Look at the data and work out the load; opens one video, loads no model."""
    data = data_of(spec.task)
    videos = [path for one in data for path in one.videos]
    largest = max(videos, key=lambda path: path.stat().st_size, default=None)
    size = (3840, 2160) if largest is None else _size(largest)
    name = "a 3840 x 2160 video, none being here" if largest is None else largest.name
    try:
        check_model_args(spec.model, spec.model_args)
        return Forecast(spec, data, LOADS.get(spec.model, _by_arguments)(spec, *size), name)
    except HlvidError as error:
        return Forecast(spec, data, largest=name, fault=str(error))


def show(found: Forecast, console: Console) -> None:
    """Print it: the data, then what one question takes."""
    table = Table(title=f"{found.spec.task}: data", title_justify="left")
    for column in ("task", "questions", "videos", "missing", "size"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for one in found.data:
        asked = one.questions and min(one.questions, found.spec.limit or one.questions)
        table.add_row(
            one.task,
            "?" if asked is None else f"{asked:,}",
            f"{len(one.videos):,}",
            f"{len(one.missing):,}",
            f"{one.bytes / GB:.2f} GB",
        )
    console.print(table)
    notes = [f"{one.task}: {one.note.removeprefix(f'task {one.task}: ')}" for one in found.data if one.note]
    for line in [*_missing(found), *notes, *_lines(found)]:
        console.print(line, highlight=False, soft_wrap=True)


def _missing(found: Forecast, shown: int = 20) -> list[str]:
    names = [f"missing: {name}" for one in found.data for name in one.missing]
    more = [f"and {len(names) - shown} more"] if len(names) > shown else []
    return [*names[:shown], *more]


def _lines(found: Forecast) -> list[str]:
    spec, load = found.spec, found.load
    lines = [f"model: {spec.model} {spec.model_args_text()}"]
    if found.fault:
        return [*lines, f"refused: {found.fault}"]
    facts = {
        "frames": load.frames,
        "visual tokens at most": load.tokens,
        "tokens for the language model at most": load.llm_tokens,
    }
    parts = [f"{value:,} {name}" for name, value in facts.items() if value is not None]
    if load.pixels:
        parts.insert(1, f"{load.pixels[1]} x {load.pixels[0]} px")
    sizes = {"host, decoded pictures": load.host_bytes, "device": load.device_bytes}
    parts += [f"{name} {value / GB:.2f} GB" for name, value in sizes.items() if value is not None]
    if parts:
        lines.append(f"a question ({found.largest}): {', '.join(parts)}")
    else:
        lines.append("what a question takes is known only to the model")
    return [*lines, *load.notes]


def _size(path: Path) -> tuple[int, int]:
    from hlvid.video import Video

    with Video.open(path) as video:
        return video.width, video.height


def _blind(spec: RunSpec, width: int, height: int) -> Load:
    return Load(frames=0, tokens=0)


def _gaze_reader(spec: RunSpec, width: int, height: int) -> Load:
    from autogaze.tiling import Tiling
    from evaluators.models.gaze_reader.gazing import at_once
    from evaluators.models.gaze_reader.settings import ReaderSettings
    from hlvid.video.tiles import fit_long_side

    settings = ReaderSettings.read(own_arguments(spec.model_args, "cache"))
    size = fit_long_side(width, height, settings.resolution)
    valid = int(Tiling.of(*size).valid.sum())
    tokens = round(settings.frames * valid * (settings.ratio or 1))
    # A picture as bytes, and as floats when cut in tiles and when rebuilt.
    host = at_once(*size) * size[0] * size[1] * 3 * (1 + 4 + 4)
    return Load(settings.frames, size, tokens, host_bytes=host)


def _nvila(spec: RunSpec, width: int, height: int) -> Load:
    import torch

    from evaluators.core.memory import device_bytes
    from evaluators.models.nvila.arguments import NvilaArguments
    from evaluators.models.nvila.checkpoint import describe
    from evaluators.models.nvila.setup import Setup
    from evaluators.profiling.plan import make_plan

    arguments = NvilaArguments.read(own_arguments(spec.model_args), spec.model)
    kind, config = describe(
        arguments.pretrained, arguments.revision, spec.model, arguments.path, arguments.autogaze_model_id
    )
    if kind != "native":
        note = "a checkpoint with its own code: 'hlvid plan' has the numbers of the published shape"
        return Load(arguments.num_video_frames, notes=(note,))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    setup = Setup(arguments, config, str(device), spec.model, spec.model == "nvila_video")
    plan = make_plan(setup.config, setup.video, width, height, setup.dtype)
    there = device_bytes(device)
    notes = []
    if not plan.fits(there):
        peak = f"{plan.peak.name} takes {plan.peak.total / GB:.1f} of {there / GB:.1f} GB"
        notes = [f"does not fit: {plan.wanted:,} tokens of {plan.context:,}; {peak}"]
    return Load(
        setup.video.num_video_frames,
        plan.grid.size,
        plan.load.gazed,
        plan.load.language,
        plan.host,
        plan.peak.total,
        tuple(notes),
        plan.fits(there),
    )


def _by_arguments(spec: RunSpec, width: int, height: int) -> Load:
    """Frames and resolution by the names that models of ours use; of others only what can be read off."""
    from hlvid.video.tiles import fit_long_side

    frames, resolution = spec.model_args.get("frames"), spec.model_args.get("resolution")
    size = fit_long_side(width, height, resolution) if isinstance(resolution, int) else None
    if not isinstance(frames, int):
        return Load(pixels=size)
    host = frames * size[0] * size[1] * 3 if size else None
    return Load(frames, size, host_bytes=host, notes=("its visual tokens depend on its own processor",))


LOADS = {"blind": _blind, "gaze_reader": _gaze_reader, "nvila_hd": _nvila, "nvila_video": _nvila}
"""What a question takes, of the models that can tell it by more than the names of their arguments."""
