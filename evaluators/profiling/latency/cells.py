"""`hlvid latency vit | mllm | selector`: the cells of the paper's Figure 8 on this machine, gazed and not.

A cell that runs out of memory is a row that says so. One that would last longer than `cell_seconds`, judged by the
cell before it, is left out with a row that says that.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from evaluators.profiling.latency.footage import Footage
from evaluators.profiling.latency.pipeline import Pipeline
from evaluators.profiling.latency.request import Request
from evaluators.profiling.latency.schema import Row
from evaluators.profiling.latency.timing import Timing


def run(request: Request) -> Iterator[Row]:
    """Row after row, as they are measured: all cells ungazed, then all gazed."""
    pipeline = Pipeline.build(request, language=request.kind == "mllm")
    modes = [True] if request.kind == "selector" else request.gazed
    for gazed in modes:
        yield from _series(request, pipeline, gazed)


def _series(request: Request, pipeline: Pipeline, gazed: bool) -> Iterator[Row]:
    """One row of the figure, cell by cell, in the order of growing work."""
    seconds_a_pixel = 0.0
    for fps, resolution in request.cells:
        ratio, loss = request.asked(fps, resolution) if gazed else (None, None)
        expected = seconds_a_pixel * fps * resolution**2 * (request.rounds + 1)
        if expected > request.cell_seconds:
            timing = Timing("skipped", note=f"would last about {expected:.0f} s, judged by the cell before")
        else:
            footage = Footage.decode(request.video, fps, resolution, pipeline.config.tile)
            work = partial(pipeline.look, footage, ratio=ratio, loss=loss, encode=request.kind != "selector")
            timing = pipeline.timed(work, request.rounds)
            if timing.median is not None:
                seconds_a_pixel = timing.median / (fps * resolution**2)
        yield request.row(fps, resolution, gazed, ratio, timing)


def table(rows: Iterable[Row]) -> Any:
    """A rich table, one line a cell, the ungazed time beside the gazed one."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    by_cell: dict[tuple[int, int], dict[bool, Row]] = {}
    for row in rows:
        by_cell.setdefault((row.fps, row.resolution), {})[row.gazed] = row
    out = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for heading in ("FPS", "px", "ungazed", "gazed", "", "selector", "ratio", "peak"):
        out.add_column(heading, justify="right", no_wrap=True)
    for (fps, resolution), found in by_cell.items():
        plain, gazed = found.get(False), found.get(True)
        both = plain and gazed and plain.median_s and gazed.median_s
        out.add_row(
            str(fps),
            str(resolution),
            _seconds(plain),
            _seconds(gazed),
            f"{plain.median_s / gazed.median_s:.1f}x" if both else "",  # type: ignore[union-attr,operator]
            f"{gazed.stages.get('selector', 0):.3g} s" if gazed and gazed.stages else "",
            f"{gazed.reached:.3f}" if gazed and gazed.reached is not None else "",
            f"{gazed.peak_bytes / 1e9:.1f} GB" if gazed and gazed.peak_bytes else "",
        )
    return out


def _seconds(row: Row | None) -> str:
    if row is None:
        return "-"
    if row.median_s is None:
        return {"out_of_memory": "OOM", "skipped": "left out"}[row.status]
    if row.max_fps is not None:
        return f"{row.max_fps:.3g} FPS"
    return f"{row.median_s:.3g} s"
