"""The authors' labels become label shards: frames and lists are theirs, faults are named, a second call does nothing.

Run: pytest tests/autogaze/training/test_published_labels.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from autogaze.training.cli import app
from autogaze.training.labels import LabelError, LabelSet
from autogaze.training.published_labels import make_published, read
from hlvid.video import Video

FRAMES = 4


def entry(first: int = 0) -> dict[str, Any]:
    """Two tokens in the first frame, one in the others."""
    lists = [[first, 264], *([first + t] for t in range(1, FRAMES))]
    return {"gazing_pos": lists, "task_losses": [[0.9, 0.8], *([0.5] for _ in range(1, FRAMES))]}


def film(path: Path, frames: int) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 448, 448, "yuv420p"
        for t in range(frames):
            picture = np.full((448, 448, 3), 40 * t, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two data sets: a whole video and a short one to train on, one to validate, one that is broken, one absent."""
    for key, frames in (("Ego/train/a.mp4", 6), ("Ego/train/short.mp4", 2), ("Doh/val/b.mp4", 6)):
        film(tmp_path / key, frames)
    (tmp_path / "Ego/train/broken.mp4").write_bytes(b"nothing")
    keys = (
        "Ego/train/a.mp4",
        "Ego/train/short.mp4",
        "Doh/val/b.mp4",
        "Ego/train/broken.mp4",
        "Ego/train/gone.mp4",
    )
    labels = {f"/lustre/somewhere/{key}": entry(n) for n, key in enumerate(keys)}
    (tmp_path / "gazing_labels.json").write_text(json.dumps(labels))
    return tmp_path


def test_lists_and_frames_are_theirs(data: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"Ego/train/broken\.mp4 left out"):
        folder = make_published(tmp_path / "out", data / "gazing_labels.json", data, progress=False)
    whole, short = LabelSet(folder)
    assert whole.order == ((0, 264), (1,), (2,), (3,)) and short.order == ((1, 264), (2,), (3,), (4,))
    assert whole.losses[0] == pytest.approx((0.9, 0.8)) and whole.frames.shape == (FRAMES, 3, 224, 224)
    with Video.open(data / "Ego/train/a.mp4") as video:
        third = torch.from_numpy(video.frames([2], (224, 224))[0]).permute(2, 0, 1)
    assert torch.equal(whole.frames[2], third)
    assert torch.equal(short.frames[1], short.frames[3]) and not torch.equal(short.frames[0], short.frames[1])


def test_the_split_is_theirs_and_a_second_call_makes_nothing(data: Path, tmp_path: Path) -> None:
    command = [
        "labels",
        "--out",
        str(tmp_path / "val"),
        "--published",
        str(data / "gazing_labels.json"),
        "--part",
        "val",
    ]
    assert "give --videos" in CliRunner().invoke(app, command).output
    for _ in range(2):
        done = CliRunner().invoke(app, [*command, "--videos", str(data)])
        assert done.exit_code == 0, done.output
    (shard,) = (tmp_path / "val").glob("*.safetensors")
    assert shard.name == "Doh-0000.safetensors" and len(LabelSet(tmp_path / "val")) == 1
    with pytest.raises(LabelError, match="made with other settings"):
        make_published(tmp_path / "val", data / "gazing_labels.json", data, part="all", progress=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gazing_pos": [[0, 265], [1], [2], [3]]}, "Doh/val/b.mp4: gazing_pos of frame 0 holds other"),
        (
            {"task_losses": [[0.1], [0.1], [0.1], [0.1]]},
            "b.mp4: .*one list of tokens and one of as many losses",
        ),
        ({"gazing_pos": [[0, 1], []]}, "Doh/val/b.mp4: gazing_pos is missing or no list"),
        ({"task_losses": None}, "Doh/val/b.mp4: task_losses is missing"),
    ],
)
def test_a_fault_is_named(data: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = data / "gazing_labels.json"
    path.write_text(json.dumps({"Doh/val/b.mp4": entry() | change}))
    with pytest.raises(LabelError, match=said):
        make_published(tmp_path / "out", path, data, "val", progress=False)


def test_a_wrong_file_or_folder_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"none of its 5 videos is under .*Doh/val/b\.mp4"):
        make_published(tmp_path / "out", data / "gazing_labels.json", tmp_path / "elsewhere", progress=False)
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(LabelError, match=r"x\.json: a list, expected an object"):
        read(tmp_path / "x.json")
    with pytest.raises(LabelError, match="no such file"):
        read(tmp_path / "y.json")
