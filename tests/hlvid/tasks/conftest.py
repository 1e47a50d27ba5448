"""A small dataset as the task `hlvid`: two one-second videos with three questions each."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

QUESTIONS = [
    ("0", "clip_av_video_3_000.mp4", "av", "B"),
    ("1", "clip_av_video_3_000.mp4", "av", "A"),
    ("2", "clip_av_video_3_000.mp4", "av", "D"),
    ("3", "clip_household_video_1_000.mp4", "household", "C"),
    ("4", "clip_household_video_1_000.mp4", "household", "B"),
    ("5", "clip_household_video_1_000.mp4", "household", "A"),
]
TEXT = "What does sign {} say?\nA. DL3\nB. DL5 EXIT\nC. DL8\nD. DL6\nPlease answer directly with the letter."


def write_video(path: Path, frames: int = 10) -> None:
    """A second of grey H.264 at 320 x 180, ten frames a second."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(frames):
            picture = np.full((180, 320, 3), 20 * index, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_dataset(root: Path) -> Path:
    """The questions as jsonl and their videos, as `hlvid download` would leave them."""
    (root / "data").mkdir(parents=True)
    (root / "videos").mkdir()
    rows = [
        {
            "question_id": name,
            "category": category,
            "question": TEXT.format(name),
            "answer": answer,
            "video_path": video,
        }
        for name, video, category, answer in QUESTIONS
    ]
    lines = [json.dumps(row) for row in rows]
    (root / "data" / "test.jsonl").write_text("\n".join(lines) + "\n")
    for video in dict.fromkeys(row["video_path"] for row in rows):
        write_video(root / "videos" / str(video))
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own, with the small dataset as the downloaded benchmark."""
    data = tmp_path / "data"
    monkeypatch.setenv("HLVID_DATA", str(data))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HLVID_RUNS", str(tmp_path / "runs"))
    write_dataset(data / "hlvid")
    return data


@pytest.fixture
def shell(home: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """shell("lmms_eval", "--tasks", …): run a script of this environment, by default in an empty folder."""

    def call(program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        path = Path(sys.executable).with_name(program)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        return subprocess.run(
            [str(path), *arguments],
            cwd=cwd or tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return call
