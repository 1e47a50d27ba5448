"""`hlvid gaze`: the film, the sheet and the numbers.

pytest tests/evaluators/test_gaze.py
"""

import json
import math
from pathlib import Path

import av
import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from evaluators.cli import mount
from evaluators.gaze import gaze_video
from hlvid.errors import HlvidError, RunError


@pytest.fixture(scope="module")
def moving_square(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 320 x 180: a textured square moves over a flat ground."""
    path = tmp_path_factory.mktemp("video") / "a.square.mp4"
    texture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for t in range(20):
            picture = np.full((180, 320, 3), 90, np.uint8)
            picture[60:108, 10 * t : 10 * t + 48] = texture
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sink.mux(stream.encode())
    return path


def test_it_writes_film_sheet_and_numbers(moving_square: Path, tmp_path: Path) -> None:
    report = gaze_video(moving_square, "detail", ratio=0.1, out=tmp_path, frames=18, resolution=320)
    assert json.loads((tmp_path / "a.square.detail.json").read_text()) == report
    assert report["ratio"] == pytest.approx(0.1, abs=0.01)
    assert len(report["ratio_per_frame"]) == 18
    assert sum(report["tokens_by_scale"].values()) > 0
    assert set(report["seconds"]) == {"decode", "gaze", "rebuild", "draw", "encode"}
    assert all(spent >= 0 for spent in report["seconds"].values())
    with av.open(report["overlay"]) as film:
        assert sum(1 for _ in film.decode(video=0)) == 18
    with Image.open(report["sheet"]) as sheet:
        assert sheet.height > 6 * 300 and np.asarray(sheet).std() > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.square.detail.json",
        "a.square.detail.mp4",
        "a.square.detail.png",
    ], "nothing half-written is left"


def test_selectors_that_need_more_than_pixels_are_told(moving_square: Path, tmp_path: Path) -> None:
    where = {"out": tmp_path, "frames": 18, "resolution": 320, "ratio": 0.05}
    with pytest.raises(RunError, match="--selector question looks by a question; give one with --question"):
        gaze_video(moving_square, "question", **where)
    for name, question in (("question", "What does the red text say?"), ("codec", None)):
        report = gaze_video(moving_square, name, question=question, **where)
        assert report["selector"]["name"] == name and len(report["ratio_per_frame"]) == 18


def test_the_gaze_is_drawn_where_it_is(moving_square: Path, tmp_path: Path) -> None:
    """At full ratio nothing is dimmed to grey; at a small one most of the picture is."""

    def colour(ratio: float) -> float:
        report = gaze_video(moving_square, "centre", ratio=ratio, out=tmp_path, frames=1, resolution=320)
        with Image.open(report["sheet"]) as sheet:
            pixels = np.asarray(sheet).astype(int)
        third = pixels[:, pixels.shape[1] // 3 : 2 * pixels.shape[1] // 3]
        return float((third.max(2) - third.min(2)).mean())

    assert colour(1.0) > 2 * colour(0.01)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"selector": "nobody", "ratio": 0.1}, "nobody"),
        *(({"selector": "detail", "ratio": ratio}, "--ratio.*up to 1") for ratio in (0, 2.0, math.nan)),
        ({"selector": "detail", "ratio": 0.1, "device": "tpu"}, "device tpu.*allowed here: cpu"),
        (
            {"selector": "detail", "ratio": 0.1, "video": Path("/nowhere.mp4")},
            "no such file; check the path$",
        ),
        ({"selector": "detail", "ratio": 0.1, "video": Path("/tmp")}, "is a folder"),
        ({"selector": "detail", "ratio": 0.1, "frames": 0}, "frames=0"),
    ],
)
def test_settings_that_do_not_go_together(
    moving_square: Path, tmp_path: Path, arguments: dict[str, object], named: str
) -> None:
    with pytest.raises(HlvidError, match=named):
        gaze_video(**{"video": moving_square, "out": tmp_path / "out", **arguments})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists(), "nothing is left of what was refused"


def test_the_command_says_where_the_files_are(moving_square: Path, tmp_path: Path) -> None:
    """Without a ratio it is 0.1."""
    app = typer.Typer()
    mount(app)
    run = CliRunner().invoke(app, ["gaze", str(moving_square), "--frames", "2", "--out", str(tmp_path)])
    assert run.exit_code == 0, run.output
    first, *files = run.stdout.splitlines()
    assert 0.08 < float(first.split()[1]) <= 0.1
    assert sorted(Path(line.strip()) for line in files) == sorted(tmp_path.iterdir())
