"""The frames are those of the decoder of record, from disk or not."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from evaluators.models.gaze_reader import frames
from evaluators.models.gaze_reader.frames import FrameSource
from hlvid.paths import state_root
from hlvid.video import Video, sampling


def read(path: Path, count: int = 3, cache: bool = True) -> tuple[FrameSource, list[tuple[int, np.ndarray]]]:
    with FrameSource(path, 448, count, "uniform_linspace", cache) as source:
        return source, list(source)


def test_pixels_are_the_videos_own_and_survive_the_cache(clip: Path) -> None:
    with Video.open(clip) as video:
        wanted = sampling.uniform_linspace(video.frame_count, 3)
        truth = video.frames(wanted, size=(252, 448))
    _, first = read(clip)
    source, second = read(clip)
    assert source.from_cache and source.size == (252, 448) and source.native == (540, 960)
    for got in (first, second):
        assert [index for index, _ in got] == wanted
        assert np.array_equal(np.stack([picture for _, picture in got]), truth)


def test_seconds_are_those_of_decoding_from_the_cache_too(
    clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Or else the second of two settings would look faster than the first."""
    monkeypatch.setenv("HLVID_STATE", str(tmp_path))
    first, _ = read(clip)
    (note,) = (tmp_path / "frames").glob("*.json")
    assert 0 < json.loads(note.read_text()) <= first.seconds
    note.write_text("12.5")
    again, _ = read(clip)
    assert again.from_cache and again.seconds == 12.5
    note.write_text("torn")
    anew, _ = read(clip)
    assert not anew.from_cache and anew.seconds < 12.5 and read(clip)[0].from_cache


def test_another_file_of_the_same_name_is_not_taken_from_the_cache(
    clip: Path, tmp_path: Path, encode, ground
) -> None:  # type: ignore[no-untyped-def]
    read(clip)
    other = encode(tmp_path / clip.name, [ground] * 8)
    source, pictures = read(other)
    assert not source.from_cache
    assert not np.array_equal(pictures[0][1], read(clip)[1][0][1])


def test_an_interrupted_reading_leaves_nothing_behind(clip: Path) -> None:
    with FrameSource(clip, 224, 5, "uniform_midpoint") as source:
        next(iter(source))
    with FrameSource(clip, 224, 5, "uniform_midpoint") as source:
        assert len(list(source)) == 5 and not source.from_cache
    assert not list((state_root() / "frames").glob(".*"))


def test_cache_can_be_off_and_is_bounded(clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HLVID_STATE", str(tmp_path))
    read(clip, cache=False)
    assert not (tmp_path / "frames").exists()
    monkeypatch.setattr(frames, "CACHE_BYTES", 5 * 252 * 448 * 3)
    for count in (1, 2):  # one frame fits a quarter of the limit, two do not
        read(clip, count)
    assert len(list((tmp_path / "frames").glob("*.npy"))) == 1


def test_oldest_entries_go_first(tmp_path: Path) -> None:
    for age, name in enumerate(
        [".c-half", "a", "b", "c"]
    ):  # the first is still being written, by another thread
        (tmp_path / f"{name}.npy").write_bytes(bytes(100))
        os.utime(tmp_path / f"{name}.npy", (age, age))
    frames._trim(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".c-half.npy", "b.npy", "c.npy"]


def test_an_entry_that_goes_while_another_is_trimmed_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [tmp_path / "gone.npy", tmp_path / ".part-1.npy"]
    (tmp_path / "here.npy").write_bytes(bytes(100))
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter([*gone, tmp_path / "here.npy"]))
    frames._trim(tmp_path, 50)
    assert not (tmp_path / "here.npy").exists()


def test_more_frames_than_there_are(clip: Path) -> None:
    assert [index for index, _ in read(clip, 9)[1]] == list(range(8))


def test_several_resolutions_are_decoded_once(
    clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apart = {
        px: list(FrameSource(clip, px, 3, "uniform_linspace", cache=False).__enter__()) for px in (224, 448)
    }
    monkeypatch.setenv("HLVID_STATE", str(tmp_path))
    opened: list[list[int]] = []
    views = Video.views
    monkeypatch.setattr(
        Video, "views", lambda self, indices: opened.append(list(indices)) or views(self, indices)
    )
    frames.keep(clip, [224, 448], 3, "uniform_linspace")
    frames.keep(clip, [224, 448], 3, "uniform_linspace")
    assert len(opened) == 1
    for px, expected in apart.items():
        with FrameSource(clip, px, 3, "uniform_linspace") as source:
            for (index, picture), (i, plain) in zip(source, expected, strict=True):
                assert index == i and np.array_equal(picture, plain)
        assert source.from_cache and source.seconds > 0
    assert len(opened) == 1
