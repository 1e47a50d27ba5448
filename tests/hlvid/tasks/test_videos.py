"""Run with: pytest tests/hlvid/tasks/test_videos.py. Broken videos are found, whole ones looked at once."""

from pathlib import Path

import pytest

from hlvid.tasks import videos


@pytest.fixture
def whole(home: Path) -> Path:
    """One of conftest.py's videos."""
    return home / "hlvid" / "videos" / "clip_av_video_3_000.mp4"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The videos that are opened from now on."""
    opened: list[Path] = []
    real = videos.fault

    def noting(path: Path) -> str | None:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(videos, "fault", noting)
    return opened


def test_what_was_whole_is_not_opened_again_unless_it_changed(whole: Path, looks: list[Path]) -> None:
    assert videos.faults([whole, whole]) == {}
    assert videos.faults([whole]) == {}
    assert looks == [whole]
    videos.faults([whole], again=True)
    assert looks == [whole, whole]
    whole.write_bytes(whole.read_bytes()[:500])
    assert set(videos.faults([whole])) == {whole}
    assert set(videos.faults([whole])) == {whole}  # what is broken is not remembered
    assert len(looks) == 4


@pytest.mark.parametrize("note", ["", "{", "[]", '{"x": 1}'])
def test_a_damaged_note_costs_time_only(note: str, whole: Path, home: Path) -> None:
    (home.parent / "state").mkdir()
    (home.parent / "state" / videos.MEMORY).write_text(note)
    assert videos.faults([whole]) == {}


@pytest.mark.parametrize("missing", [1, 100, 400])
def test_a_file_that_ends_early_is_found_wherever_it_ends(missing: int, whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-missing])
    assert videos.fault(whole) is not None


def test_bytes_after_the_end_are_no_fault(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes() + b"\0" * 40)
    assert videos.fault(whole) is None


def test_sound_is_no_video(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(b"\0\0" * 800)
    assert videos.fault(tmp_path / "a.wav") == "has no video stream"


def test_real_files_of_many_kinds_are_whole(shared: Path, home: Path) -> None:
    paths = sorted((shared / "clips" / "natural").glob("*.mp4"))
    assert paths
    assert videos.faults(paths) == {}
