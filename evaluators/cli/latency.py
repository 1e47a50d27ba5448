"""`hlvid latency`: seconds of encoder, language model and selector on this machine, beside what gazing saves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from evaluators.profiling.latency.cells import Request

KINDS = ("vit", "mllm", "selector", "stages", "streaming")


def latency(
    kind: Annotated[str, typer.Argument(help="vit, mllm, selector, stages or streaming.")],
    shape: Annotated[
        str, typer.Option(help="Model shape: tiny, base or 8b (SigLIP2-SO400M and Qwen2 7B).")
    ] = "base",
    cells: Annotated[
        str | None, typer.Option(help="FPSxPX, ...; frames x px for stages. Default: the paper's columns.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Real video to decode; by default one of HLVid-Mini.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16.")] = "float32",
    attention: Annotated[
        str, typer.Option(help="math (no flash attention, as in the paper) or fastest.")
    ] = "math",
    selector: Annotated[str, typer.Option(help="Which patches.")] = "autogaze",
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights; random ones without.")] = None,
    ratios: Annotated[
        str, typer.Option(help="paper (Fig. 7's ratio for loss 0.7), measured, or a number.")
    ] = "paper",
    rounds: Annotated[int, typer.Option(help="Timed rounds of a cell, after one to warm up.", min=1)] = 3,
    cell_seconds: Annotated[
        float, typer.Option(help="Leave out cells that would last longer.", min=0)
    ] = 600.0,
    batch: Annotated[int, typer.Option(help="Tiles at a time.", min=1)] = 16,
    out: Annotated[Path, typer.Option(help="Folder for the JSON.")] = Path("runs/latency"),
) -> None:
    """Time one second of real video by frame rate and resolution, gazed and not (paper Sec. 4.2)."""
    from evaluators.profiling.latency.cells import COLUMNS, Request
    from evaluators.profiling.latency.ratios import parse_ratios

    _check(shape, dtype, device, selector)
    chosen = _cells(cells) if cells else ((64, 896), (128, 1792)) if kind == "stages" else COLUMNS
    request = Request(
        _kind(kind), video or _mini(), shape, chosen, device, dtype, _attention(attention), selector, checkpoint,
        parse_ratios(ratios), rounds, cell_seconds, batch,
    )  # fmt: skip
    _measure(request, out)


def _measure(request: "Request", out: Path) -> None:
    from rich.console import Console
    from tqdm import tqdm

    from evaluators.profiling.latency import cells, stages, streaming
    from evaluators.profiling.latency.schema import facts, save

    out.mkdir(parents=True, exist_ok=True)  # what cannot be written is told before minutes are spent
    run = {"stages": stages.run, "streaming": streaming.run}.get(request.kind, cells.run)
    modes = 1 if request.kind == "selector" else 2
    about = facts(request.kind, request.shape, request.settings())
    rows = []
    for row in tqdm(run(request), total=modes * len(request.cells), desc=request.kind, unit="cell"):
        rows.append(row)
        path = save(rows, about, out)  # after each cell: what is measured is kept
    Console().print(cells.table(rows))
    typer.echo(f"{path} ({about['hardware']}; {about['weights']})")


def _check(shape: str, dtype: str, device: str, selector: str) -> None:
    """What is refused without a progress bar before it. Raises RunError naming the option and what is allowed."""
    from autogaze import selectors
    from autogaze.nvila.presets import SHAPES
    from evaluators.core.device import check_device
    from hlvid.errors import RunError

    for name, value, allowed in (
        ("shape", shape, tuple(SHAPES)),
        ("dtype", dtype, ("float32", "bfloat16", "float16")),
        ("selector", selector, tuple(selectors.names())),
    ):
        if value not in allowed:
            raise RunError(f"latency: {name} is {value!r}; allowed: {', '.join(allowed)}")
    check_device(device)


def _kind(text: str) -> "Literal['vit', 'mllm', 'selector', 'stages', 'streaming']":
    from hlvid.errors import RunError

    if text not in KINDS:
        raise RunError(f"latency: kind is {text!r}; allowed: {', '.join(KINDS)}")
    return text  # type: ignore[return-value]


def _attention(text: str) -> "Literal['math', 'fastest']":
    from hlvid.errors import RunError

    if text not in ("math", "fastest"):
        raise RunError(f"latency: attention is {text!r}; allowed: math, fastest")
    return text  # type: ignore[return-value]


def _cells(text: str) -> tuple[tuple[int, int], ...]:
    from hlvid.errors import RunError

    try:
        cells = tuple(
            (int(fps), int(px)) for fps, px in (part.lower().split("x") for part in text.split(","))
        )
    except ValueError:
        cells = ()
    if not cells or min(min(cell) for cell in cells) < 1:
        raise RunError(f"latency: cells is {text!r}; write FPSxPX, for example 1x224,30x448")
    return cells


def _mini() -> Path:
    from hlvid.mini import make

    return next(iter(sorted((make() / "videos").glob("*.mp4"))))
