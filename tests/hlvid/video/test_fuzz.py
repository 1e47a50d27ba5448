"""Random damage in five containers: one clear line, or exactly the frames that a plain decode gives, loss told.

Run: pytest tests/hlvid/video/test_fuzz.py          (40 damages)
     pytest tests/hlvid/video/test_fuzz.py -m slow  (500)
"""

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video import Video, health

KINDS = {
    "mp4": ("libx264", {"preset": "veryfast", "g": "15", "bf": "2"}),
    "mkv": ("libx264", {"preset": "veryfast", "g": "15", "bf": "2"}),
    "ts": ("libx264", {"preset": "veryfast", "g": "15", "bf": "2"}),
    "avi": ("mpeg4", {"g": "15"}),
    "webm": ("libvpx-vp9", {"g": "15", "deadline": "realtime", "cpu-used": "8"}),
}
FRAMES, SIZE = 45, (36, 64)


def damaged(data: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Bytes zeroed, flipped or cut off at a random place."""
    at, length = rng.randrange(len(data)), rng.choice([1, 4, 40, 400, 2000])
    how = rng.choice(["zeroed", "flipped", "cut"])
    if how == "cut":
        return data[: max(at, 1)], f"cut at {at}"
    changed = bytearray(data)
    for i in range(at, min(at + length, len(data))):
        if how == "zeroed":
            changed[i] = 0
        elif rng.random() < 0.3:
            changed[i] ^= 1 << rng.randrange(8)
    return bytes(changed), f"{length} bytes {how} at {at}"


def open_and_read(path: Path, rng: random.Random) -> tuple[Video, dict[int, np.ndarray]]:
    """A few frames first, as models ask for them, then all: found again if reading shows that there are fewer."""
    video = Video.open(path)
    for _ in range(3):
        try:
            few = sorted(rng.sample(range(video.frame_count), min(5, video.frame_count)))
            found = dict(video.stream(few, SIZE))
            found = {**dict(video.stream(range(video.frame_count), SIZE)), **found}
            return video, found
        except VideoError:
            continue
    pytest.fail("reading does not settle")


def trial(source: Path, path: Path, seed: int, decode_rgb: Any) -> None:
    """One damage. Fails by an exception of another kind, a frame that differs, or a loss that nobody is told."""
    rng = random.Random(f"{source.name} {seed}")
    data, told = damaged(source.read_bytes(), rng)
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            video, found = open_and_read(path, rng)
    except VideoError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error), told
        assert health.examine(path).fault, told
        return
    truth = decode_rgb(path, set(range(10**6)), SIZE, video.stream_number, 1)
    assert video.frame_count == len(truth), f"{told}: {len(truth)} frames decode"
    for index, picture in found.items():
        assert np.array_equal(picture, truth[index]), f"{told}: frame {index}"
    assert video.frame_count >= FRAMES or video.notes, f"{told}: {video.frame_count} frames, and not a word"


def source_of(kind: str, encode: Any) -> Path:
    """45 frames; mp4 with the index in front, so that a cut leaves something to read."""
    codec, options = KINDS[kind]
    container = {"movflags": "faststart"} if kind == "mp4" else {}
    return encode(f"fuzz.{kind}", codec, FRAMES, (128, 72), options, container=container)


@pytest.mark.parametrize("kind", KINDS)
def test_some_damage(kind: str, encode: Any, decode_rgb: Any, tmp_path: Path) -> None:
    for seed in range(8):
        trial(source_of(kind, encode), tmp_path / f"{seed}.{kind}", seed, decode_rgb)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_much_damage(kind: str, encode: Any, decode_rgb: Any, tmp_path: Path) -> None:
    failed = []
    for seed in range(100, 200):
        try:
            trial(source_of(kind, encode), tmp_path / f"{seed}.{kind}", seed, decode_rgb)
        except Exception as error:
            failed.append(f"{seed}: {type(error).__name__} {str(error).splitlines()[0]}")
    assert not failed, "\n".join(failed)
