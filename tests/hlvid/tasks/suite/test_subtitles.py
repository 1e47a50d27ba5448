"""Run with: pytest tests/hlvid/tasks/suite/test_subtitles.py. Odd .srt files, and frames of odd videos."""

from pathlib import Path

import pytest

from hlvid.benchmarks.subtitles import Line, frame_times, read, subtitles_of
from hlvid.errors import DatasetError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1\n00:00:01,500 --> 01:00:02,250\nHello <i>there</i>\nyou\n\n",
        "1\r\n00:00:01,500 --> 01:00:02,250\r\nHello there\r\nyou\r\n",
        "\ufeff1\n00:00:01.500 --> 01:00:02.250\n<font color='x'>Hello</font>   there you",
        "00:00:01,5 --> 01:00:02,25\nHello there you\n\n\n2\n00:00:05,000 --> 00:00:06,000\n\n",
    ],
    ids=["tags", "carriage returns", "mark and points", "no number, an empty cue"],
)
def test_one_cue_however_it_is_written(text: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.srt", text)) == (Line(1.5, 3602.25, "Hello there you"),)


@pytest.mark.parametrize("text", ["", "no cues at all", "1\nsoon --> later\nHello"])
def test_files_without_cues_are_empty(text: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.srt", text)) == ()


def test_other_encodings_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a.srt: not valid UTF-8"):
        read(write(tmp_path / "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nCafé", "latin-1"))


def test_a_cue_counts_once_and_in_order(tmp_path: Path, two_seconds: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(two_seconds)
    cues = [f"{n}\n00:00:0{n},000 --> 00:00:0{n},990\nline {n}" for n in range(4)]
    path = write(tmp_path / "a.srt", "\n\n".join(cues))
    video = tmp_path / "v.mp4"
    assert subtitles_of(path, video, 20) == ["line 0", "line 1"]  # the video ends after two seconds
    assert subtitles_of(path, video, None) == ["line 0", "line 1", "line 2", "line 3"]


def test_frames_are_the_first_the_last_and_evenly_between(tmp_path: Path, two_seconds: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(two_seconds)
    assert frame_times(tmp_path / "v.mp4", 3) == pytest.approx((0.0, 1.0, 1.9), abs=0.11)
