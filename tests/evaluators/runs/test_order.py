"""Each video is decoded once, in whatever order its questions come: by every model of ours that sees pixels.

Run: pytest -m slow tests/evaluators/runs/test_order.py     (77 videos and 268 questions, 1 and 2 processes, kill -9)
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evaluators.core.base import JournalledModel
from evaluators.core.share import VARIABLE
from evaluators.models.frames.model import HlvidFramesChat
from evaluators.models.gaze_reader.model import GazeReader
from evaluators.models.nvila.model import NvilaHD
from evaluators.runs import run, shares
from evaluators.runs.files import JOURNAL
from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec
from hlvid.dataset.question import Question
from hlvid.video.pyav import PyavReader
from tests.evaluators.models.frames.conftest import qwen2_5  # noqa: F401
from tests.evaluators.runs.conftest import write_video

VIDEOS, QUESTIONS = 77, 268
MODELS = {"nvila_hd": NvilaHD, "gaze_reader": GazeReader, "hlvid_frames": HlvidFramesChat}
OPTIONS = {"A": "DL3", "B": "EXIT 12", "C": "DL8", "D": "DL6"}
WATCHED = """
import os, signal
from pathlib import Path
from evaluators.core.base import JournalledModel
from evaluators.runs import worker
from hlvid.video.pyav import PyavReader

log, deadly, asked = Path(LOG), DEADLY, [0]
views, record = PyavReader.views, JournalledModel._record

def note(what, which):
    with log.open("a") as file:
        file.write(f"{what} {which}\\n")

def decode(self, indices):
    note("decode", self._path.name)
    return views(self, indices)

def ask(self, one, journal):
    note("ask", one.question.id)
    asked[0] += 1
    if asked[0] == deadly:
        self.answer(one.question)
        os.kill(os.getpid(), signal.SIGKILL)
    return record(self, one, journal)

PyavReader.views, JournalledModel._record = decode, ask
worker.main()
"""
"""The run's process, which notes what it decodes and asks; `deadly`: the question in which it is killed, 0 for none."""


@dataclass
class Watch:
    """The processes of runs, watched: how often each video was decoded and each question asked."""

    log: Path
    program: Path
    monkeypatch: pytest.MonkeyPatch

    def use(self, deadly: Mapping[str, int]) -> None:
        """From now on; `deadly`: at which of its questions a "share" or the "run" itself is killed, 0 for never."""
        for module, which in ((shares, "share"), (run, "run")):
            path = self.program.with_name(f"{which}.py")
            text = WATCHED.replace("LOG", repr(str(self.log))).replace("DEADLY", str(deadly.get(which, 0)))
            path.write_text(text)
            self.monkeypatch.setattr(module, "CHILD", (str(path),))

    def counts(self, what: str) -> Counter[str]:
        """Of "decode" by video, of "ask" by question."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return Counter(which for kind, which in lines if kind == what)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(tmp_path / "log", tmp_path / "program", monkeypatch)


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`hlvid` of the real one's size: 77 videos, 268 questions, those of a video 77 apart."""
    for name in ("DATA", "STATE"):
        monkeypatch.setenv(f"HLVID_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    root = tmp_path / "data" / "hlvid"
    rows = [
        {
            "question_id": one.id,
            "category": "av",
            "question": one.prompt(),
            "answer": "B",
            "video_path": one.video,
        }
        for one in interleaved(root, VIDEOS, QUESTIONS)
    ]
    (root / "data").mkdir()
    (root / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def arguments(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], dict[str, Any]]:
    """arguments(model): small and real, on CPU; no frame is kept on disk, which would hide a second decoding."""

    def build(model: str) -> dict[str, Any]:
        if model == "gaze_reader":
            return {"selector": "detail", "resolution": 224, "ratio": 0.1, "frames": 2, "cache": False}
        if model == "hlvid_frames":
            folder = request.getfixturevalue("qwen2_5")
            frames = {"frames": 2, "resolution": 112}
            return {"inner": "qwen2_5_vl", "pretrained": str(folder), "device_map": "cpu", **frames}
        from autogaze.nvila.answering import make_checkpoint

        small = {"num_video_frames": 16, "num_video_frames_thumbnail": 1, "max_tiles_video": 1}
        return {"pretrained": str(make_checkpoint(tmp_path / "checkpoint")), "selector": "detail", **small}

    return build


@pytest.mark.parametrize("name", MODELS)
def test_questions_that_jump_between_videos_decode_each_once(
    name: str, arguments: Any, requests_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[str] = Counter()
    views = PyavReader.views

    def counting(self: PyavReader, indices: Any) -> Any:
        decoded[self._path.name] += 1
        return views(self, indices)

    monkeypatch.setattr(PyavReader, "views", counting)
    questions = interleaved(tmp_path, videos=4, questions=10)
    kind = MODELS[name]
    answers: list[int] = []
    for share in ("0/2", "1/2", ""):  # two processes' shares, then the run itself
        monkeypatch.setenv(VARIABLE, share)
        model: JournalledModel = kind(**arguments(name), device="cpu", runs=str(tmp_path / "runs"))
        try:
            answers.append(len(model.generate_until(requests_for(model, questions, chat=not kind.is_simple))))
        except SystemExit:
            answers.append(-1)
    assert answers == [-1, -1, 10]
    assert sorted(decoded.values()) == [1, 1, 1, 1], decoded


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_the_whole_benchmark_decodes_each_video_once(
    name: str, processes: int, arguments: Any, benchmark: None, watch: Watch, tmp_path: Path
) -> None:
    watch.use({})
    found = execute(RunSpec("hlvid", name, arguments(name)), tmp_path / "run", processes=processes)
    assert found["status"] == "ok" and found["n"] == QUESTIONS, found["message"]
    assert Counter(watch.counts("decode").values()) == {1: VIDEOS}
    assert Counter(watch.counts("ask").values()) == {1: QUESTIONS}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_kill_9_asks_nothing_twice_and_decodes_what_it_interrupted_alone(
    name: str, processes: int, arguments: Any, benchmark: None, watch: Watch, tmp_path: Path
) -> None:
    """Each process dies in its 60th question, with that question's video decoded and its answer not written."""
    spec, folder = RunSpec("hlvid", name, arguments(name)), tmp_path / "run"
    watch.use({"share": 60, "run": 60})
    assert execute(spec, folder, processes=processes)["status"] == "error"
    kills = processes + 1 if processes > 1 else 1
    known = answered(folder)
    assert len(known) == 59 * kills
    before = watch.counts("ask")
    watch.use({})
    found = execute(spec, folder, processes=processes)
    assert found["status"] == "ok" and found["n"] == QUESTIONS, found["message"]
    anew = watch.counts("ask") - before
    assert not known & set(anew) and len(answered(folder)) == QUESTIONS
    assert sum(before.values()) + sum(anew.values()) == QUESTIONS + kills
    decodes = watch.counts("decode")
    assert len(decodes) == VIDEOS and max(decodes.values()) <= 2 and sum(decodes.values()) <= VIDEOS + kills


def answered(folder: Path) -> set[str]:
    """The questions in a run's journals; each is there once."""
    lines = [json.loads(line) for path in (folder / JOURNAL).glob("*.jsonl") for line in path.open()]
    found = [line["question_id"] for line in lines if "question_id" in line]
    assert len(found) == len(set(found))
    return set(found)


def interleaved(folder: Path, videos: int, questions: int) -> list[Question]:
    """Questions of one video lie as far apart as they can."""
    for number in range(videos):
        write_video(folder / "videos" / f"clip_av_video_{number}_000.mp4")
    return [
        Question(
            id=str(number),
            video=(name := f"clip_av_video_{number % videos}_000.mp4"),
            source=f"av_video_{number % videos}",
            category="av",
            stem=f"What does sign {number} say?",
            options=OPTIONS,
            answer="B",
            video_path=folder / "videos" / name,
        )
        for number in range(questions)
    ]
