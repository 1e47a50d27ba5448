"""`hlvid latency`: seconds of encoder, language model and selector on this machine, beside what gazing saves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evaluators.profiling.latency.request import Request


def latency(
    kind: Annotated[str, typer.Argument(help="vit, mllm, selector, stages or streaming.")],
    shape: Annotated[
        str,
        typer.Option(help="Model shape: tiny, mini, mini-video, base or 8b (SigLIP2-SO400M and Qwen2 7B)."),
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
    """Time one second of real video by frame rate and resolution, gazed and not (paper, section 4.2)."""
    given = locals()
    from evaluators.profiling.latency.request import Request

    del given["out"]
    _measure(Request.read(given | {"video": video or _mini()}), out)


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


def _mini() -> Path:
    from hlvid.mini import make

    return next(iter(sorted((make() / "videos").glob("*.mp4"))))
