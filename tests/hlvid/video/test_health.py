"""Broken videos are found, whole ones looked at once; one notion of health in three depths.

Run: pytest tests/hlvid/video/test_health.py
"""

from pathlib import Path
from typing import Any

import pytest

from hlvid.video import health, index

X264 = {"preset": "veryfast", "g": "12", "bf": "2"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own; nothing is known of any video."""
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    index._known.clear()
    return tmp_path


@pytest.fixture
def whole(home: Path, encode: Any) -> Path:
    """A sound video of 48 frames."""
    path = home / "whole.mp4"
    path.write_bytes(encode("healthy.mp4", frames=48, options=X264).read_bytes())
    return path


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The videos that are opened from now on."""
    opened: list[Path] = []
    real = health.examine

    def noting(path: Path, depth: health.Depth = "quick") -> health.Health:
        opened.append(path)
        return real(path, depth)

    monkeypatch.setattr(health, "examine", noting)
    return opened


def test_what_was_whole_is_not_opened_again_unless_it_changed(whole: Path, looks: list[Path]) -> None:
    assert health.unsound([whole, whole]) == {}
    assert health.unsound([whole]) == {}
    assert looks == [whole]
    health.unsound([whole], again=True)
    assert looks == [whole, whole]
    whole.write_bytes(whole.read_bytes()[:500])
    assert set(health.unsound([whole])) == {whole}
    assert set(health.unsound([whole])) == {whole}  # what is broken is not remembered
    assert len(looks) == 4


@pytest.mark.parametrize("note", ["", "{", "[]", '{"x": 1}'])
def test_a_damaged_note_costs_time_only(note: str, whole: Path, home: Path) -> None:
    (home / "state").mkdir()
    (home / "state" / health.MEMORY).write_text(note)
    assert health.unsound([whole]) == {}


@pytest.mark.parametrize("missing", [1, 100, 400])
def test_a_file_that_ends_early_is_found_wherever_it_ends(missing: int, whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-missing])
    assert health.examine(whole).fault is not None


def test_bytes_after_the_end_are_no_fault(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes() + b"\0" * 40)
    assert health.examine(whole).fault is None


def test_sound_is_no_video(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(b"\0\0" * 800)
    assert "has no video stream (only 0: audio, pcm_s16le)" in (
        health.examine(tmp_path / "a.wav").fault or ""
    )


def test_real_files_of_many_kinds_are_whole(shared: Path, home: Path) -> None:
    paths = sorted((shared / "clips" / "natural").glob("*.mp4"))
    assert paths
    assert health.unsound(paths) == {}


CONTAINERS = {
    "mp4": "libx264",
    "mov": "libx264",
    "mkv": "libx264",
    "ts": "libx264",
    "avi": "mpeg4",
    "webm": "libvpx-vp9",
    "flv": "libx264",
    "wmv": "wmv2",
    "m2ts": "libx264",
}


def film(encode: Any, kind: str) -> Path:
    """60 frames in a container of that kind."""
    codec = CONTAINERS[kind]
    options = {"deadline": "realtime", "cpu-used": "8", "g": "12"} if codec == "libvpx-vp9" else {"g": "12"}
    options |= {"preset": "veryfast", "bf": "2"} if codec == "libx264" else {}
    faststart = {"movflags": "faststart"} if kind in ("mp4", "mov") else {}
    return encode(f"film.{kind}", codec, 60, options=options, container=faststart)


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_cut_file_is_cut_short_in_every_container(
    kind: str, large: bool, encode: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a file is so large that only its ends and its middle are looked at."""
    if large:
        monkeypatch.setattr(health, "SMALL", 0)
    source, path = film(encode, kind), home / f"cut.{kind}"
    assert health.unsound([source]) == {}
    path.write_bytes(source.read_bytes()[: source.stat().st_size * 7 // 10])
    assert "cut short" in str(health.unsound([path])[path].fault)
    assert "cut short" in str(health.unsound([path], "full")[path].fault)


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "ts", "avi"])
def test_a_deep_look_finds_what_others_cannot(kind: str, encode: Any, home: Path) -> None:
    """Bytes of a picture, not of its frame in the container: only decoding tells, and then all know."""
    import av

    source, path = film(encode, kind), home / f"rot.{kind}"
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(source.read_bytes())
    for packet in packets[20:26]:
        begin = (packet.pos or 0) + (
            80 if kind == "ts" else packet.size // 2
        )  # there pos is that of 188 bytes
        data[begin : begin + 40] = bytes(40)
    path.write_bytes(data)
    deep = health.examine(path, "deep")
    assert deep.fault and "is damaged from" in deep.fault and deep.readable
    assert health.examine(path, "full").fault == deep.fault, "what was found is known from now on"
    assert health.examine(source, "deep").damage == ()


def test_a_large_file_with_a_hole_in_its_middle(
    encode: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SMALL", 0)
    data = bytearray(film(encode, "mp4").read_bytes())
    data[len(data) * 4 // 10 : len(data) * 6 // 10] = bytes(len(data) * 6 // 10 - len(data) * 4 // 10)
    path = home / "hole.mp4"
    path.write_bytes(data)
    assert "middle group of pictures" in str(health.unsound([path])[path].fault)
