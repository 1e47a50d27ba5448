"""A finished run's folder with hostile texts, made without running anything; a child to run in a model's stead."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.core.gaze_file import Recorder
from evaluators.runs import run
from evaluators.runs.files import RECORD, RESULTS, write_samples
from evaluators.runs.scoring import results_of
from evaluators.runs.spec import RunSpec
from hlvid.files import write_json

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }} & \"'"
SPEC = RunSpec("hlvid", "blind", {"strategy": "hash", "note": "<b>bold</b>"})


def write_video(path: Path, frames: int = 10) -> None:
    """A second of H.264 at 320 x 180: a white bar that moves to the right."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(frames):
            picture = np.full((180, 320, 3), 90, dtype=np.uint8)
            picture[:, 30 * index : 30 * index + 20] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def sample(number: int, parsed: str | None, answer: str = "B", **fields: Any) -> dict[str, Any]:
    """A row of samples.jsonl."""
    row = {
        "task": "hlvid",
        "question_id": str(number),
        "video": f"clip_{number % 2}.mp4",
        "source": f"recording_{number % 2}",
        "category": "av" if number % 2 else "household",
        "tier": "07px" if number < 3 else "54px",
        "correct": parsed == answer,
        "parsed": parsed,
        "how": "bare letter",
        "raw_output": parsed or "I cannot tell",
        "stem": f"What does sign {number} say?",
        "options": {"A": "DL3", "B": "EXIT 12", "C": "Ångström", "D": "DL6"},
        "answer": answer,
        "details": {},
    }
    return {**row, **fields}


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Six answers: three right, two wrong, one that could not be parsed."""
    return [sample(number, parsed) for number, parsed in enumerate(["B", "A", None, "B", "B", "C"])]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder, its report not written yet; question 0 is hostile, question 5's video is gone."""
    folder = tmp_path_factory.mktemp("finished")
    video = tmp_path_factory.mktemp("videos") / "odd name %41 #1 <i>.mp4"
    write_video(video)
    indices = [0, 3, 6, 9]
    recorder = Recorder(folder / "gaze" / "a.npz")
    for index in indices:
        mask = np.zeros((2, 265), bool)
        mask[0, [0, 4 + 5, 4 + 16 + 49 + index]] = True
        recorder.add(index, mask)
    recorder.save(rows=1, columns=2, size=(180, 320), scales=(32, 64, 112, 224), patch=16)
    seen = {"frame_indices": indices, "gaze_file": "a.npz", "seconds": {"decode": 0.25}}
    rows = [
        sample(number, parsed, video_path=str(video), details=seen)
        for number, parsed in enumerate(["B", "A", None, "B", "B"])
    ]
    rows.append(sample(5, "C", video_path="/nowhere/x.mp4", details=seen))
    rows[0] |= {"stem": HOSTILE, "raw_output": HOSTILE, "video": HOSTILE, "category": HOSTILE}
    rows[0]["options"] = {"A": HOSTILE, "B": "EXIT 12"}
    rows[0]["details"] = {**seen, HOSTILE: HOSTILE}
    write_samples(folder, rows)
    metrics = {"hlvid": {"accuracy": 0.5, "average": 0.45, "average_low": 0.2, "average_high": 0.7}}
    write_json(folder / RESULTS, {**results_of(SPEC, rows), "metrics": metrics})
    write_json(folder / RECORD, {"spec": SPEC.to_json(), "environment": {"python": HOSTILE}})
    return folder


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`child(code)`: what `execute` runs instead of the model; `folder` is the run's folder there."""

    def use(code: str) -> Path:
        path = tmp_path / "child.py"
        start = "import json, os, signal, sys, time\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n"
        path.write_text(start + code)
        monkeypatch.setattr(run, "CHILD", (str(path),))
        monkeypatch.setattr(run, "POLL", 0.05)
        return path

    return use


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The benchmark `hlvid` in a data folder of this test's own: two videos, two questions each."""
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    root = tmp_path / "data" / "hlvid"
    (root / "data").mkdir(parents=True)
    lines = []
    for number in range(4):
        video = f"clip_av_video_{number // 2}_000.mp4"
        text = f"What does sign {number} say?\nA. DL3\nB. EXIT 12\nC. DL8\nD. DL6"
        row = {"question_id": str(number), "category": "av", "question": text, "answer": "B"}
        lines.append(json.dumps({**row, "video_path": video}))
        if number % 2 == 0:
            write_video(root / "videos" / video)
    (root / "data" / "test.jsonl").write_text("\n".join(lines) + "\n")
    return root
