"""Run: pytest tests/evaluators/runs/test_pictures.py"""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from autogaze.palette import COLOURS
from evaluators.core.gaze_file import GazeFile, Recorder, load
from evaluators.runs.pictures import UNSEEN, VEILS, Album, gaze_layer, spread
from evaluators.runs.report import flat, for_script, verdict
from hlvid.errors import RunError
from hlvid.video import Video


def test_gazes_come_back_as_they_were_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HLVID_GAZE", raising=False)
    assert Recorder.for_video(Path("a.mp4")) is None
    monkeypatch.setenv("HLVID_GAZE", str(tmp_path))
    recorder, other = Recorder.for_video(Path("a/x.mp4")), Recorder.for_video(Path("b/x.mp4"))
    assert recorder and other and recorder.path != other.path
    masks = {index: np.random.default_rng(index).random((6, 265)) < 0.3 for index in (40, 7)}
    for index, mask in masks.items():
        recorder.add(index, mask)
    name = recorder.save(rows=2, columns=3, size=(400, 600), scales=(32, 64, 112, 224), patch=16)
    found = load(tmp_path / name)
    assert list(found.masks) == [7, 40] and all((found.masks[one] == masks[one]).all() for one in masks)
    assert (found.rows, found.columns, found.size, found.tile, found.sides) == (
        2,
        3,
        (400, 600),
        224,
        (2, 4, 7, 14),
    )
    (tmp_path / "cut.npz").write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(RunError, match=r"cut\.npz"):
        load(tmp_path / "cut.npz")


def test_cells_are_the_tiles_side_by_side() -> None:
    masks = np.zeros((6, 265), bool)
    masks[4, 4 + 16 + 49 + 3 * 14 + 5] = True  # finest scale, row 3, column 5 of the tile in row 1, column 1
    *coarse, finest = GazeFile({0: masks}, 2, 3, (448, 672), 224, (2, 4, 7, 14)).cells(0)
    assert not any(grid.any() for grid in coarse)
    assert [tuple(place) for place in np.argwhere(finest)] == [(14 + 3, 14 + 5)]


def test_a_layer_draws_the_finest_patch_over_each_pixel() -> None:
    """Against a loop over patches, at the size of the frame, where no pixel is halved."""
    rng = np.random.default_rng(3)
    mask = rng.random((2, 265)) < 0.2
    gazes = GazeFile({0: mask}, 1, 2, (200, 400), 224, (2, 4, 7, 14))  # 24 and 48 px of padding
    layer = gaze_layer(gazes, 0, (200, 400))
    expected = np.full((224, 448), -1)
    for tile in range(2):
        token = 0
        for scale, side in enumerate((2, 4, 7, 14)):
            cell = 224 // side
            for row in range(side):
                for column in range(side):
                    if mask[tile, token]:
                        left = 224 * tile + column * cell
                        expected[row * cell : (row + 1) * cell, left : left + cell] = scale
                    token += 1
    expected = expected[:200, :400]
    assert (layer[expected == -1] == (0, 0, 0, UNSEEN)).all()
    for scale, colour in enumerate(COLOURS):
        here = layer[expected == scale]
        inside = here[here[:, 3] == VEILS[scale]][:, :3]
        line = here[here[:, 3] != VEILS[scale]][:, :3]
        assert len(inside) and (inside == [round(0.22 * part) for part in colour]).all()
        assert len(line) and (line == colour).all()


def test_shots_are_the_frames_of_the_record(finished: Path) -> None:
    rows = [json.loads(line) for line in (finished / "samples.jsonl").read_text().splitlines()]
    video = Path(rows[0]["video_path"])
    shots = Album(finished).shots(video, rows[0]["details"])
    assert [shot["frame"] for shot in shots] == [0, 3, 6, 9]
    assert [round(shot["seconds"], 3) for shot in shots] == [0.0, 0.3, 0.6, 0.9]
    with Video.open(video) as opened:
        real = opened.frames([6], size=(540, 960))[0]
    read = cv2.imread(str(finished / shots[2]["file"]))
    assert read is not None
    shown = read[..., ::-1]
    assert shown.shape == real.shape and np.abs(shown.astype(int) - real).mean() < 3
    assert all(
        re.fullmatch(r"pictures/[\w-]+\.(jpg|png)", shot[key]) for shot in shots for key in ("file", "gaze")
    )
    assert Album(finished).shots(Path("/nowhere/x.mp4"), rows[0]["details"]) == []
    assert Album(finished).shots(video, {}) == []
    other = Album(finished).shots(video, {"indices": [6, 6, 0]})  # as hlvid_frames has it
    assert [shot["frame"] for shot in other] == [0, 6] and other[1]["gaze"] is None


def test_many_frames_are_thinned_evenly() -> None:
    assert spread(range(5), 12) == [0, 1, 2, 3, 4]
    assert spread([10 * i for i in range(101)], 5) == [0, 250, 500, 750, 1000]


def test_texts_for_the_page() -> None:
    hostile = {"a": "</script><!-- & \u2028"}
    text = for_script(hostile)
    assert json.loads(text) == hostile and not set("<>&") & set(text)
    assert flat({"a": [1, 0.25], "b": {"c": None}}) == "a: 1, 0.25; b: c: None"
    sample = {"parsed": "A", "correct": True}
    assert verdict(sample) == "right" and verdict({**sample, "correct": False}) == "wrong"
    assert verdict({"parsed": None, "correct": False}) == "none"
    assert verdict({"parsed": None, "correct": None, "how": "no letter"}) == "none"
    assert verdict({"parsed": None, "correct": None, "how": None}) == "hidden", "lmms-eval's own task"
    assert verdict({"parsed": "A", "correct": None}) == "hidden"
