"""A sweep loses nothing and counts nothing twice: kills, torn lines, two sweeps at once, cells that fail.

The cells run a stand-in for `hlvid eval` (conftest.py); `test_real.py` runs the real one.

Run: pytest tests/evaluators/sweeps
"""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from evaluators.cli import mount
from evaluators.sweeps import records
from evaluators.sweeps.estimate import forecast
from evaluators.sweeps.grid import load_grid
from evaluators.sweeps.launch import local
from evaluators.sweeps.runner import Options, run_cell, sweep
from evaluators.sweeps.table import build_table
from hlvid import files
from hlvid.errors import RunError, of_path

Make = Callable[..., Path]
Calls = Callable[[], list[str]]


def test_every_cell_once_and_never_again(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path
) -> None:
    grid, folder = load_grid(grid_file()), tmp_path / "sweep"
    assert sweep(grid, folder, options, local(2), progress=False) == {"ok": 6}
    assert sorted(calls()) == sorted(cell.spec().model_args_text() for cell in grid.cells())
    assert sweep(grid, folder, options, local(2), progress=False) == {"ok": 6}
    more = load_grid(grid_file(axes={"frames": [2, 4, 8, 16], "resolution": [448, 896]}))
    assert sweep(more, folder, options, local(2), progress=False) == {"ok": 8}
    assert len(calls()) == 8, "only what is new ran"


def test_the_table(grid_file: Make, options: Options, tmp_path: Path) -> None:
    sweep(load_grid(grid_file()), tmp_path / "sweep", options, local(1), progress=False)
    table = records.load(tmp_path / "sweep")
    assert tuple(table.columns) == records.COLUMNS and len(table) == 6
    first = table[(table.frames == 2) & (table.resolution == 448)].iloc[0]
    assert (first.accuracy, first.wilson_low, first.tokens, first.seconds) == (0.75, 0.3, 100, 2)
    assert first.seconds_select == 1 and first.status == "ok"
    assert build_table(table).row_count == 6


def test_the_printed_table_fits_80_columns_and_cuts_no_number(
    grid_file: Make, options: Options, tmp_path: Path
) -> None:
    """With a column of words that differ, and a cell that ended otherwise."""
    sweep(load_grid(grid_file()), tmp_path / "sweep", options, local(1), progress=False)
    table = records.load(tmp_path / "sweep").assign(
        selector=["optical_flow", *["detail"] * 5], tokens=1_030_528.0
    )
    table.loc[1, ["status", "accuracy"]] = ["context_overflow", None]
    console = Console(file=io.StringIO(), width=80)
    console.print(build_table(table))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in text and text.count("1,030,528") == 5 and "context_overflow" in text
    assert f"task {table.task[0]}" in text and "status" in text


def test_the_printed_table_says_how_many_questions(grid_file: Make, options: Options, tmp_path: Path) -> None:
    """A sweep of the first few questions is not to look like one of all."""
    sweep(load_grid(grid_file(limit=4)), tmp_path / "sweep", options, local(1), progress=False)
    table = records.load(tmp_path / "sweep")

    def printed(table: Any) -> str:
        console = Console(file=io.StringIO(), width=80)
        console.print(build_table(table))
        return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]

    assert "4 questions a cell (--limit 4)" in printed(table)
    whole = printed(table.assign(limit=None))
    assert "4 questions a cell" in whole and "--limit" not in whole
    table.loc[1, "n"] = 3
    assert "questions a cell" not in printed(table) and " n " in printed(table)


def test_results_are_shown_and_written_to_a_new_folder(
    grid_file: Make, options: Options, tmp_path: Path
) -> None:
    sweep(load_grid(grid_file()), tmp_path / "sweep", options, local(1), progress=False)
    app = typer.Typer()
    mount(app)
    (tmp_path / "file").write_text("no folder")
    csv, parquet = tmp_path / "a" / "b" / "x.csv", tmp_path / "file" / "x.parquet"
    argv = ["results", str(tmp_path / "sweep"), "--csv", str(csv), "--parquet", str(parquet)]
    run = CliRunner().invoke(app, argv)
    assert "75.0" in run.stdout and len(csv.read_text().splitlines()) == 7
    assert isinstance(run.exception, OSError) and "in the way" in (of_path(run.exception) or "")


def test_a_record_counts_only_while_what_its_run_used_is_the_same(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint taken by default, a user's selector: known to the run alone, and no part of what was asked."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"one")
    used = {"checkpoints": {"autogaze_model_id": [str(tmp_path / "weights"), None]}, "sources": []}
    monkeypatch.setenv("SHAPED_BY", json.dumps(used))
    grid, folder = load_grid(grid_file(axes={"resolution": [448]})), tmp_path / "sweep"
    for times, held in ((1, b"one"), (1, b"one"), (2, b"two"), (2, b"two")):
        (tmp_path / "weights" / "model.safetensors").write_bytes(held)
        assert sweep(grid, folder, options, local(1), progress=False) == {"ok": 1}
        assert len(calls()) == times
    assert len(records.latest(folder)) == 1 and len(records.read(folder)[0]) == 2


def test_failures_are_results_and_take_nobody_with_them(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path
) -> None:
    grid = load_grid(grid_file(axes={"frames": [2], "resolution": [13, 448, 3584]}))
    folder = tmp_path / "sweep"
    assert sweep(grid, folder, options, local(1), progress=False) == {"error": 1, "ok": 1, "out_of_memory": 1}
    (error,) = [one for one in records.latest(folder) if one["status"] == "error"]
    assert error["message"] == "exit code 1: no such resolution: 13"
    sweep(grid, folder, options, local(1), progress=False)
    assert [text.split("=")[-1] for text in calls()] == ["13", "448", "3584", "13"], "an error is tried again"


def test_out_of_memory_tries_smaller_batches_and_says_so(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path
) -> None:
    path = grid_file(
        models=[{"model": "m", "args": {"batch": 8}}], axes={"resolution": [1792]}, retry={"batch": [4, 1]}
    )
    grid, folder = load_grid(path), tmp_path / "sweep"
    assert sweep(grid, folder, replace(options, retry=grid.retry), local(1), progress=False) == {"ok": 1}
    (record,) = records.latest(folder)
    assert record["retried"] == {"batch": 1} and record["model_args"]["batch"] == 8
    assert record["results"]["accuracy"] == 0.75 and record["status"] == "ok"
    assert [text.split(",")[0] for text in calls()] == ["batch=8", "batch=4", "batch=1"]


def test_an_impossible_cell_is_an_error_of_its_own(grid_file: Make, options: Options, tmp_path: Path) -> None:
    path = grid_file(axes={"resolution": [448], "prompt": ["a,b", "c"]})
    assert sweep(load_grid(path), tmp_path / "sweep", options, local(1), progress=False) == {
        "error": 1,
        "ok": 1,
    }
    message = next(one["message"] for one in records.latest(tmp_path / "sweep") if one["status"] == "error")
    assert "prompt is 'a,b'; lmms-eval cuts arguments at commas" in message


def test_kill_9_again_and_again(
    grid_file: Make, stand_in: Path, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep is killed at arbitrary moments; its cells live on, are waited for and recorded once."""
    monkeypatch.setenv("LASTS", "0.4")
    folder, path = tmp_path / "sweep", grid_file()
    code = (
        "import sys; from pathlib import Path\n"
        "from evaluators.sweeps.launch import local; from evaluators.sweeps.grid import load_grid\n"
        "from evaluators.sweeps import runner; from evaluators.sweeps.runner import Options, sweep\n"
        "runner.make_ready = lambda tasks: None\n"
        f"print(sweep(load_grid({str(path)!r}), Path({str(folder)!r}),"
        f" Options(command=(sys.executable, {str(stand_in)!r})), local(2), progress=False))"
    )
    for pause in (0.9, 1.3, 1.7):
        process = subprocess.Popen([sys.executable, "-c", code])
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert finished.stdout.strip() == "{'ok': 6}", finished.stderr
    kept, faults = records.read(folder)
    assert not faults and len(kept) == 6 == len({record["identity"] for record in kept})
    assert len(calls()) == 6, "no cell ran twice: an orphan is waited for"


def test_two_sweeps_on_one_folder(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTS", "0.1")
    cells, folder = load_grid(grid_file()).cells(), tmp_path / "sweep"
    ended = list(local(6)(folder, [*cells, *cells], options))
    assert len(ended) == 12 and {status for _, status in ended} == {"ok"}
    assert len(calls()) == 6 and len(records.read(folder)[0]) == 6


def test_torn_and_corrupt_lines_are_named_and_run_again(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path
) -> None:
    grid, folder = load_grid(grid_file()), tmp_path / "sweep"
    sweep(grid, folder, options, local(1), progress=False)
    path = folder / records.FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"\x00garbage\n", *lines[2:5], lines[5][:40]]))
    _, faults = records.read(folder)
    assert [fault.split(":")[0] for fault in faults] == [f"{path}, line 2", f"{path}, line 6"]
    assert sweep(grid, folder, options, local(1), progress=False) == {"ok": 6}
    assert len(calls()) == 6, "their results were on disk: recorded, not computed"
    assert len(records.latest(folder)) == 6


def test_a_full_disk_is_one_line(
    grid_file: Make, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_write", full)
    cell = load_grid(grid_file()).cells()[0]
    with pytest.raises(RunError, match=r"cannot keep a record \(No space left on device\); free space"):
        run_cell(tmp_path / "sweep", cell, options)
    monkeypatch.undo()


def test_a_disk_that_fills_up_in_mid_line_leaves_no_half_record(tmp_path: Path) -> None:
    """A real limit on the file's size: the kernel takes part of the line and says so, then refuses the rest."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from evaluators.sweeps import records\n"
        "folder = Path(sys.argv[1]); records.append(folder, {'identity': 'a', 'status': 'ok'})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "records.append(folder, {'identity': 'b', 'status': 'ok', 'message': 'x' * 500})"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "RunError: sweep" in ran.stderr and "cannot keep a record" in ran.stderr
    kept, faults = records.read(tmp_path)
    assert [record["identity"] for record in kept] == ["a"] and not faults


def test_a_folder_that_cannot_be_written(grid_file: Make, options: Options, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(RunError, match="taken: cannot be written"):
        sweep(load_grid(grid_file()), tmp_path / "taken", options, local(1), progress=False)


def test_the_forecast_scales_the_nearest_cell(grid_file: Make, options: Options, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    cells = load_grid(grid_file()).cells()
    assert forecast(cells, []).unknown == 6
    run_cell(folder, cells[0], options)  # 2 frames of 448 px took 8 s
    found = forecast(cells, records.latest(folder))
    assert (found.cells, found.done, found.unknown) == (5, 1, 0)
    assert found.hours * 3600 == pytest.approx(8 * (4 + 2 + 8 + 4 + 16))
    elsewhere = forecast(cells, [], records.latest(folder))
    assert (elsewhere.cells, elsewhere.done, elsewhere.unknown) == (6, 0, 0)
    assert elsewhere.hours > found.hours


def test_a_timeout_is_final_for_its_own_limit_alone(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS", "timeout")
    grid, folder = load_grid(grid_file(axes={"resolution": [448]})), tmp_path / "sweep"
    short, long = replace(options, timeout=60.0), replace(options, timeout=3600.0)
    assert sweep(grid, folder, short, local(1), progress=False) == {"timeout": 1}
    assert sweep(grid, folder, short, local(1), progress=False) == {"timeout": 1}
    assert len(calls()) == 1
    monkeypatch.delenv("STATUS")
    assert sweep(grid, folder, long, local(1), progress=False) == {"ok": 1}
    assert len(calls()) == 2 and len(records.latest(folder)) == 1
    assert sweep(grid, folder, short, local(1), progress=False) == {"ok": 1}


def test_statuses_are_had_anew_on_request(
    grid_file: Make, options: Options, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, folder = load_grid(grid_file(axes={"resolution": [448, 3584]})), tmp_path / "sweep"
    assert sweep(grid, folder, options, local(1), progress=False) == {"ok": 1, "out_of_memory": 1}
    assert sweep(grid, folder, replace(options, again=("timeout",)), local(1), progress=False)["ok"] == 1
    assert len(calls()) == 2
    monkeypatch.setenv("MEMORY", "9999")  # a card that is free now
    again = replace(options, again=("out_of_memory",), since=datetime.now(UTC).isoformat())
    time.sleep(1.1)  # records state whole seconds
    assert sweep(
        grid, folder, replace(again, since=datetime.now(UTC).isoformat()), local(1), progress=False
    ) == {"ok": 2}
    assert sweep(grid, folder, again, local(1), progress=False) == {"ok": 2}
    assert len(calls()) == 3


def test_records_hold_what_ran(grid_file: Make, options: Options, tmp_path: Path) -> None:
    run_cell(tmp_path / "sweep", load_grid(grid_file(limit=3)).cells()[0], options)
    record = json.loads((tmp_path / "sweep" / records.FILE).read_text())
    assert record["model_args"] == {"frames": 2, "resolution": 448} and record["limit"] == 3
    assert record["results"]["n"] == 4 and record["finished"]
