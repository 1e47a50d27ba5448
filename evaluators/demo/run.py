"""Running the demo: make HLVid-Mini, one lmms-eval run a cell of its grid, then the table, the figure and the report.

Killed and started again, it goes on where it was: videos are cached and every answer is journalled. All cells run in
this process: as the processes of `hlvid sweep` they would load torch, lmms-eval and the reader anew, some 14 s each.
"""

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from tqdm import tqdm

from evaluators.core.arguments import one_of
from evaluators.demo.figure import draw
from evaluators.demo.report import write_report
from evaluators.demo.rows import Row, demo_cells, make_row, name_of
from evaluators.demo.table import build_table
from evaluators.models.gaze_reader.frames import keep
from evaluators.models.gaze_reader.settings import ReaderSettings
from evaluators.runs.scoring import samples_of
from evaluators.sweeps.cells import Cell
from hlvid.dataset import Question, load
from hlvid.files import write_json

TASK = "hlvid_mini"
PRESETS = ("default", "tiny")
"""Of HLVid-Mini; all 77 videos of "full" are no demonstration."""


def run_demo(out: Path, preset: str = "default", cells: Sequence[Cell] | None = None) -> list[Row]:
    """Run every cell and write all outputs to `out`.

    Args:
        out: folder, made if missing.
        preset: HLVid-Mini preset ("default" or "tiny").
        cells: what to run; default `demo_cells()`.

    Raises:
        HlvidError: a run failed; what was answered is journalled.
    """
    from hlvid.mini import make

    one_of("demo", "preset", preset, PRESETS)
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    os.environ["HLVID_MINI_PRESET"] = preset  # the lmms-eval task reads it
    started = time.monotonic()
    console.print("[bold]1. HLVid-Mini[/bold]: generated 4K H.264 videos with questions (kept for next time)")
    dataset = make(preset=preset)
    made = time.monotonic()
    console.print("[bold]2. lmms_eval[/bold]: one run a setting; a setting answered before is not run again")
    chosen = list(cells or demo_cells())
    _decode_once(chosen, load(dataset))
    rows = _run_all(chosen, out / "runs", console)
    console.print("[bold]3. Results[/bold]")
    seconds = {"making videos": made - started, "evaluation": time.monotonic() - made}
    _write(rows, out, dataset, seconds)
    console.print(build_table(rows))
    console.print(
        f"{out}/results.json, {out}/demo.png, {out}/report.html; took {sum(seconds.values()):.0f} s"
    )
    return rows


def _decode_once(cells: Sequence[Cell], questions: Sequence[Question]) -> None:
    """Keep each video's frames at all resolutions: decoding 4K anew for each of them would take four times as long."""
    readers = [ReaderSettings.read(cell.model_args) for cell in cells if cell.model == "gaze_reader"]
    sizes: dict[tuple[int, str], set[int]] = defaultdict(set)
    for reader in readers:
        sizes[reader.frames, reader.sampling].add(reader.resolution)
    videos = dict.fromkeys(question.video_path for question in questions if question.video_path)

    def decode(video: Path) -> None:
        for (frames, sampling), resolutions in sizes.items():
            keep(video, sorted(resolutions), frames, sampling)

    with ThreadPoolExecutor(2) as pool:  # resizing is work for one core
        for _ in tqdm(pool.map(decode, videos), desc="frames", unit="video", total=len(videos)):
            pass


def _run_all(cells: Sequence[Cell], folder: Path, console: Console) -> list[Row]:
    """The rows in the order of the cells, run by rising resolution: a first table stands after a minute."""
    sizes = sorted({_size(cell) for cell in cells})
    rows: dict[str, Row] = {}
    for size in sizes:
        for cell in cells:
            if _size(cell) == size:
                rows[cell.key()] = _run(cell, folder / name_of(cell), console)
        if size and len(sizes) > 2 and size == sizes[1]:  # blind and the smallest frames
            console.print(build_table([rows[cell.key()] for cell in cells if cell.key() in rows]))
    return [rows[cell.key()] for cell in cells]


def _size(cell: Cell) -> float:
    """Width of the frames; a network of its own comes last, the blind floor first."""
    own: float = cell.labels.get("resolution", 0 if cell.model == "blind" else float("inf"))
    return own


def _run(cell: Cell, out: Path, console: Console) -> Row:
    from hlvid.tasks.command import run

    argv = cell.spec().argv(out)
    console.print(f"   lmms_eval {' '.join(argv[:-5])}", highlight=False, soft_wrap=True)
    with redirect_stdout(StringIO()):  # lmms-eval's banner and table; the demo's own has more
        return make_row(cell, samples_of(run(argv)))


def _write(rows: Sequence[Row], out: Path, dataset: Path, seconds: dict[str, float]) -> None:
    from hlvid.tasks.record import environment

    facts: dict[str, Any] = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": dataset.name,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        **environment(),
    }
    record = {"task": TASK, "environment": facts, "rows": [row.to_json() for row in rows]}
    write_json(out / "results.json", record)
    draw(rows, out / "demo.png")
    write_report(rows, load(dataset), dataset, facts, out)
