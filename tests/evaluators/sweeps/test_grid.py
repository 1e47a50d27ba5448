"""Grids: the cells they stand for, the conditions they may have, and one clear line for what they may not.

Run: pytest tests/evaluators/sweeps
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluators.runs import identity
from evaluators.sweeps import cells
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.conditions import holds
from evaluators.sweeps.estimate import refused
from evaluators.sweeps.grid import BUNDLED, load_grid
from hlvid.errors import RunError

Make = Callable[..., Path]


def test_axes_are_multiplied_and_the_last_is_fastest(grid_file: Make) -> None:
    found = load_grid(grid_file()).cells()
    assert [cell.labels for cell in found] == [
        {"frames": frames, "resolution": px} for frames in (2, 4, 8) for px in (448, 896)
    ]
    assert found[1].spec().model_args_text() == "frames=2,resolution=896"


def test_conditions_lists_names_and_fixed_arguments(grid_file: Make) -> None:
    model = {"model": "nvila_hd", "args": {"pretrained": "ckpt"}, "names": {"frames": "num_video_frames"}}
    path = grid_file(
        models=[model],
        only="resolution == 448 or frames < 4",
        list=[{"model": "blind"}, {"model": "blind"}],
        limit=5,
    )
    found = load_grid(path).cells()
    assert [str(cell) for cell in found] == [
        "hlvid_mini nvila_hd pretrained=ckpt num_video_frames=2 resolution=448",
        "hlvid_mini nvila_hd pretrained=ckpt num_video_frames=2 resolution=896",
        "hlvid_mini nvila_hd pretrained=ckpt num_video_frames=4 resolution=448",
        "hlvid_mini nvila_hd pretrained=ckpt num_video_frames=8 resolution=448",
        "hlvid_mini blind",
    ], "a cell named twice is one cell"
    assert found[0].labels["frames"] == 2 and all(cell.limit == 5 for cell in found)


def test_bundled_grids_can_be_read() -> None:
    assert len(load_grid("mini").cells()) == 3 * 4 * 3 + 1
    paper = load_grid("paper").cells()
    assert {cell.model_args["max_tiles_video"] for cell in paper} == {1, 2, 6, 15, 28, 48}
    assert all(cell.labels["resolution"] == 448 or cell.labels["frames"] == 256 for cell in paper)
    assert "resolution" not in paper[0].model_args, "NVILA-HD is told tiles"
    own = load_grid("nvila_mini").cells()
    assert {cell.labels["resolution"] for cell in own if cell.model == "nvila_video"} == {448}
    gazed = [cell.model_args for cell in own if cell.labels.get("selector") == "reads"]
    tokens = [round(4 * 265 * one["max_tiles_video"] * one["gazing_ratio_tile"]) for one in gazed]
    assert len(gazed) == 6 and set(tokens) <= {303, 304, 305, 306}, tokens


def test_no_cell_of_a_bundled_grid_is_refused() -> None:
    cells = [cell for path in BUNDLED.glob("*.yaml") for cell in load_grid(path.stem).cells()]
    assert len(cells) > 100 and refused(cells) == []
    few = load_grid("nvila_mini").cells()[0].with_argument("num_video_frames", 8)
    assert refused([few]) == ["1 cell: nvila_hd: num_video_frames=8: expected a positive multiple of 16"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axis": {}}, "axis: unknown; allowed: tasks, models, axes, only, list, limit"),
        ({"tasks": []}, "tasks: is empty; name at least one"),
        ({"tasks": "hlvid"}, "tasks: is 'hlvid', no list; write .hlvid."),
        (
            {"models": [{"model": "x", "values": {"frames": {3: {"n": 1}}}}], "axes": {"frames": [2, 4]}},
            "models: x: values: frames 3 is on no axis; axes are .*frames",
        ),
        (
            {"models": [{"modle": "x"}]},
            "models.0.model: missing; models.0.modle: unknown; allowed: model, args",
        ),
        ({"limit": 0}, "limit: is 0: .*greater than or equal to 1"),
        ({"tasks": "hlvid", "axis": {}}, "tasks: is 'hlvid'.*; axis: unknown"),
        ({"axes": {"frames": 4}}, "axes.frames: is 4, no list; write .4."),
        ({"models": [{"model": "m", "axes": ["px"]}]}, "models: m: axis 'px' is not among"),
    ],
)
def test_bad_grids_are_named(grid_file: Make, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        load_grid(grid_file(**changes))


def test_files_that_are_no_grid(tmp_path: Path, grid_file: Make) -> None:
    with pytest.raises(
        RunError,
        match=r"no such file, and none of the bundled grids \(demo, demo_full, gaze, mini, nvila_mini, paper",
    ):
        load_grid("nothing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("tasks: [a\n")
    with pytest.raises(RunError, match="is no YAML"):
        load_grid(broken)
    for text, said in (
        ("", "broken.yaml: is empty; a grid is a mapping with tasks"),
        ("- a\n", "holds a list"),
    ):
        broken.write_text(text)
        with pytest.raises(RunError, match=said):
            load_grid(broken)
    with pytest.raises(RunError, match="no cell is left"):
        load_grid(grid_file(only="frames > 100")).cells()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("frames <= 8", True),
        ("2 < frames < 5 and not resolution > 448", True),
        ("selector in ['random', 'centre']", False),
        ("selector not in ['random'] and frames != -4", True),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert holds(condition, {"frames": 4, "resolution": 448, "selector": "detail"}) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("__import__('os').system('true')", "is not understood"),
        ("frames.__class__", "is not understood"),
        ("(lambda: 1)()", "is not understood"),
        ("frames + 1 > 2", "is not understood"),
        ("pixels > 1", "names 'pixels'; a cell has frames"),
        ("frames >", "cannot be read"),
        ("frames < 'many'", "not supported"),
    ],
)
def test_conditions_are_read_and_never_run(condition: str, message: str) -> None:
    with pytest.raises(RunError, match=message):
        holds(condition, {"frames": 4})


def test_identity_is_everything_that_changes_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("t", "blind", {"frames": 4, "resolution": 448}, {"frames": 4})
    same = Cell("t", "blind", {"resolution": 448, "frames": 4}, {"other": "labels"})
    assert cell.identity() == same.identity(), "neither order nor labels matter"
    others = [
        Cell("t2", "blind", cell.model_args),
        Cell("t", "gaze_reader", cell.model_args),
        Cell("t", "blind", {"frames": 5, "resolution": 448}),
        Cell("t", "blind", cell.model_args, limit=3),
        Cell("t", "blind", cell.model_args, seed=1),
    ]
    before = {one.identity() for one in (cell, *others)}
    assert len(before) == 6
    cells._remembered.cache_clear()
    monkeypatch.setattr(identity, "code_of", lambda *_, **__: {"evaluators.models.blind": "another"})
    assert cell.identity() not in before, "other code is another cell"
    assert cell.folder() == same.folder() and cell.place() == same.place(), "in the same folder and row"
    cells._remembered.cache_clear()


def test_a_checkpoint_is_part_of_the_identity_by_its_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"0123456789")
    one, copy = (Cell("t", "m", {"pretrained": str(tmp_path / name)}) for name in ("a", "b"))
    before = one.identity()
    assert before == copy.identity(), "a copy is the same checkpoint"
    (tmp_path / "a" / "model.safetensors").write_bytes(b"01234x6789")
    assert one.identity() != before


def test_the_tasks_files_are_part_of_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluators.runs import data

    before = identity.code_of_run("hlvid", "blind")
    (tmp_path / "hlvid.yaml").write_text("generation_kwargs: {max_new_tokens: 7}")
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    assert identity.code_of_run("hlvid", "blind")["hlvid.yaml"] != before["hlvid.yaml"]
    assert {"mmmu_val.yaml", "utils.py"} <= {path.name for path in data.task_files(["mmmu_val"])}, (
        "lmms-eval's own"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks": ["hlvid_mni"]}, "6 cells: task 'hlvid_mni' not found"),
        ({"models": [{"model": "blnd"}]}, "did you mean blind"),
        ({"models": [{"model": "gaze_reader", "args": {"ratio": 2}}]}, "6 cells: gaze_reader: ratio is 2"),
    ],
)
def test_cells_that_would_be_refused_are_told_beforehand(
    grid_file: Make, changes: dict[str, Any], said: str
) -> None:
    assert refused(load_grid(grid_file()).cells()) == []
    (fault,) = refused(load_grid(grid_file(**changes)).cells())
    assert said in fault


@pytest.mark.parametrize(("option", "value"), [("--launch", "nope"), ("--timeout", "-5")])
def test_a_dry_sweep_refuses_options_that_mean_nothing(
    grid_file: Make, option: str, value: str, console: Callable[..., tuple[int, str]]
) -> None:
    code, told = console("sweep", str(grid_file()), "--dry-run", option, value)
    assert code != 0 and "Traceback" not in told
    assert option.strip("-") in told
