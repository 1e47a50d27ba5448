"""Two roots: data in several places, perhaps read-only; state apart.

Run: pytest tests/hlvid/test_paths.py
"""

from pathlib import Path

import pytest

from hlvid import paths


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A shared place that may not be written (root may write anywhere, so `writable` says so) and one's own."""
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    monkeypatch.setenv("HLVID_DATA", f"{shared}:{own}:{shared}")
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    real = paths.writable
    monkeypatch.setattr(
        paths, "writable", lambda folder: shared not in (folder, *folder.parents) and real(folder)
    )
    return shared, own


def test_data_are_looked_for_everywhere_and_put_where_they_can_be(two: tuple[Path, Path]) -> None:
    shared, own = two
    assert paths.data_roots() == [shared, own]
    assert paths.data_home() == own


def test_mini_is_made_where_it_can_be(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, own = two
    assert paths.mini_root() == own / "mini-default-0"
    monkeypatch.setenv("HLVID_DATA", str(shared))
    assert paths.mini_root() == tmp_path / "state" / "mini-default-0"
    (shared / "mini-default-0").mkdir()
    assert paths.mini_root() == shared / "mini-default-0"


def test_state_is_apart_from_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HLVID_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x/state")
    assert paths.state_root() == Path("/x/state/hlvid")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert paths.state_root() == Path("~/.local/state/hlvid").expanduser()


def test_a_folder_below_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert paths.writable(tmp_path / "a" / "b") and not paths.writable(tmp_path / "file" / "x")
