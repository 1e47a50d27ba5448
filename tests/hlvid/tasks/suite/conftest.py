"""Small repositories with the hub's exact columns and folders, and two-second videos, for each benchmark."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks.registry import ABILITIES

Rows = list[dict[str, Any]]

VIDEOMME = [
    {
        "video_id": f"{video:03d}",
        "duration": ("short", "long")[video - 1],
        "domain": "Knowledge",
        "sub_category": "Humanity & History",
        "url": "https://www.youtube.com/watch?v=x",
        "videoID": f"vid{video}",
        "question_id": f"{video:03d}-{number}",
        "task_type": ("Counting Problem", "OCR Problems")[number - 1],
        "question": "When demonstrating the Germany modern Christmas tree, which of these are on it?",
        "options": ["A. Apples.", "B. Candles and berries.", "C. A man.", "D. None."],
        "answer": "BC"[number - 1],
    }
    for video in (1, 2)
    for number in (1, 2)
]
SRT = """1
00:00:00,000 --> 00:00:00,900
<font color="white" size=".72c">Hi, I'm John Green</font>

2
00:00:00,900 --> 00:00:01,100
plain words, no tags

3
00:00:01,100 --> 00:00:09,000
<font color="white" size=".72c">and this is the end</font>
"""
MVBENCH = {
    "moving_count": [
        {
            "video": "video_1.mp4",
            "question": "How many metal objects exit?",
            "candidates": ["2", "3", "1", "0"],
        },
        {"video": "video_2.mp4", "question": "How many objects enter?", "candidates": ["2", "3", "1", "0"]},
    ],
    "action_sequence": [
        {
            "video": "ZS9XR.mp4",
            "question": "What happened after the person took the food?",
            "candidates": [
                "Ate the medicine.",
                "Tidied up the blanket.",
                "Put down the cup.",
                "Took the box.",
            ],
            "start": 11.1,
            "end": 19.6,
            "accurate_start": None,
            "accurate_end": None,
        }
    ],
}
MVBENCH_ANSWERS = {"moving_count": ["1", "2"], "action_sequence": ["Put down the cup."]}
NEXTQA = [
    {
        "video": video,
        "frame_count": 60,
        "width": 64,
        "height": 48,
        "question": question,
        "answer": answer,
        "qid": qid,
        "type": kind,
        "a0": "roll the handle",
        "a1": "tap their feet",
        "a2": "strum the string",
        "a3": "hit with sticks",
        "a4": "pat animal",
    }
    for video, question, answer, qid, kind in [
        (4010069381, "how do the two man play the instrument", 0, 6, "CH"),
        (4010069381, "why did they stop", 4, 7, "CW"),
        (4136485862, "what does the boy do after", 2, 0, "TN"),
    ]
]
LONGVIDEOBENCH = [
    {
        "video_id": name,
        "id": f"{name}_{number}",
        "video_path": f"{name}.mp4",
        "subtitle_path": f"{name}_en.json",
        "correct_choice": choice,
        "question": "At the beginning, a woman with a braid is talking. What is she doing?",
        "option0": "Reading",
        "option1": "A dance",
        "option2": "Cooking" if number == 0 else "N/A",
        "option3": "Driving" if number == 0 else "N/A",
        "option4": "Singing" if number == 0 else "N/A",
        "duration": 12.0,
        "duration_group": 15,
        "question_category": "T2E",
        "topic_category": "Life-Vlogs",
        "starting_timestamp_for_subtitles": 0.0,
    }
    for name, number, choice in [("86CxyhFV9MI", 0, 4), ("86CxyhFV9MI", 1, 1), ("@chef-7310", 0, 2)]
]
EGOSCHEMA = [
    {
        "question_idx": str(number),
        "question": "Taking into account all the actions performed by c, what can you deduce?",
        "video_idx": name,
        "option": [f"{letter}. C is {what}." for letter, what in zip("ABCDE", WHAT, strict=True)],
        "answer": answer,
    }
    for WHAT in [("cooking", "doing laundry", "cleaning the kitchen", "cleaning dishes", "cleaning the bath")]
    for number, (name, answer) in enumerate([("0074f737-11cb", "3"), ("00b9a0de-c59e", "4")])
]
MLVU = {
    "dev": [
        ("movie101_66.mp4", "What colour is the shirt?", ["Yellow", "Red", "Green", "Blue"], "D", "plotQA"),
        ("movie101_66.mp4", "Who comes in?", ["A man", "A dog", "A cat", "Nobody"], "A", "plotQA"),
        ("count_1.mp4", "How often?", ["1", "2", "3", "4"], "B", "count"),
    ],
    "test": [
        (
            "test_1.mp4",
            "Which team scores?",
            ["Red", "Blue", "Pink", "Grey", "Lime", "None"],
            "E",
            "sportsQA",
        ),
        ("test_2.mp4", "What is done first?", ["Cut", "Boil", "Fry", "Bake", "Grill", "Cool"], "F", "order"),
    ],
}


def mlvu_rows(split: str) -> Rows:
    """Question and options in one text, as the file has it, and the columns around it."""
    return [
        {
            "video_name": video,
            "duration": 2.0,
            "question": "\n".join(
                [question, *(f"({key}) {text}" for key, text in zip("ABCDEF", texts, strict=False))]
            ),
            "candidates": texts,
            "answer": answer,
            "task_type": kind,
        }
        for video, question, texts, answer, kind in MLVU[split]
    ]


@dataclass(frozen=True)
class Bench:
    """`root` is laid out like the repository with its archives unpacked; `write` replaces a question file."""

    root: Path

    def write(self, table: str, rows: Rows) -> None:
        """As parquet or JSON, by the table's suffix."""
        import pyarrow
        import pyarrow.parquet

        path = self.root / table
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_text(json.dumps(rows))
        else:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    def rows(self, table: str) -> Rows:
        """What `write` wrote."""
        import pyarrow.parquet

        path = self.root / table
        return (
            json.loads(path.read_text())
            if path.suffix == ".json"
            else pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
        )


def fill(name: str, bench: Bench, video: bytes) -> None:
    """Questions and videos of one benchmark."""
    tables, files = CONTENT[name]()
    for table, rows in tables.items():
        bench.write(table, rows)
    for file in files:
        path = bench.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SRT.encode() if path.suffix == ".srt" else video)


def _mvbench() -> tuple[dict[str, Rows], list[str]]:
    """Three questions of two abilities, one of each other."""
    tables, files = {}, []
    for ability, folder in ABILITIES.items():
        rows = [
            {**row, "answer": answer}
            for row, answer in zip(MVBENCH.get(ability, []), MVBENCH_ANSWERS.get(ability, []), strict=True)
        ] or [
            {
                "video": f"{ability}.mp4",
                "question": "What does he hold?",
                "candidates": ["a cup", "a book", "a bag", "a long rope"],
                "answer": "a long rope",
            }
        ]
        tables[f"json/{ability}.json"] = rows
        files += [f"{folder}/{row['video']}" for row in rows]
    return tables, files


def _egoschema() -> tuple[dict[str, Rows], list[str]]:
    hidden = [{**row, "answer": None} for row in EGOSCHEMA]
    tables = {
        "GENERATION/test-00000-of-00001.parquet": hidden,
        "Subset/test-00000-of-00001.parquet": EGOSCHEMA[:1],
    }
    return tables, [f"videos/{row['video_idx']}.mp4" for row in EGOSCHEMA]


CONTENT: dict[str, Callable[[], tuple[dict[str, Rows], list[str]]]] = {
    "videomme": lambda: (
        {"videomme/test-00000-of-00001.parquet": VIDEOMME},
        ["data/vid1.mp4", "data/vid2.mp4", "subtitle/vid1.srt"],
    ),
    "mvbench": _mvbench,
    "nextqa": lambda: (
        {"MC/test-00000-of-00001.parquet": NEXTQA},
        ["NExTVideo/4010069381.mp4", "NExTVideo/4136485862.mp4"],
    ),
    "longvideobench": lambda: (
        {"validation-00000-of-00001.parquet": LONGVIDEOBENCH},
        ["videos/86CxyhFV9MI.mp4", "videos/@chef-7310.mp4"],
    ),
    "egoschema": _egoschema,
    "mlvu_dev": lambda: (
        {"mlvu/test-00000-of-00001.parquet": mlvu_rows("dev")},
        ["movie101_66.mp4", "count_1.mp4"],
    ),
    "mlvu_test": lambda: (
        {"mlvu_test/test-00000-of-00001.parquet": mlvu_rows("test")},
        ["test_1.mp4", "test_2.mp4"],
    ),
}


@pytest.fixture(scope="session")
def two_seconds(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An H.264 MP4 of 64 x 48, twenty frames at ten a second."""
    import av
    import numpy as np

    path = tmp_path_factory.mktemp("video") / "tiny.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(20):
            picture = np.full((48, 64, 3), 10 * index, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and a hub cache of this test's own, and an empty folder to work in."""
    data, work = tmp_path / "data", tmp_path / "work"
    data.mkdir(exist_ok=True)
    work.mkdir()
    monkeypatch.setenv("HLVID_DATA", str(data))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HLVID_RUNS", str(tmp_path / "runs"))
    for name in ("HF_HUB_CACHE", "HLVID_PARSER", "HLVID_PROMPT", "HLVID_SUBTITLE_FRAMES", "HLVID_PARTIAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(work)
    return data


@pytest.fixture
def make_bench(clean_home: Path, two_seconds: bytes) -> Callable[..., Bench]:
    """make_bench("videomme"): the benchmark in the data folder; `root` puts it elsewhere."""

    def make(name: str, root: Path | None = None) -> Bench:
        bench = Bench(root or clean_home / name)
        fill(name, bench, two_seconds)
        return bench

    return make
