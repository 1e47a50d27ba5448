"""scores.lock: a changed reader of answers or key shows what it moves."""

from pathlib import Path

from leaderboard import lock


def test_the_lock_is_current() -> None:
    assert lock.moved() == [], "scores moved: look at each, then 'hlvid board lock' and say why in the change"


def test_what_moved_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.lock"
    new = lock.write(path)
    assert new and all(line.startswith("+ ") for line in new) and lock.moved(path) == []
    line = next(line for line in path.read_text().splitlines() if line.startswith("hlvid_mini/blind  "))
    path.write_text(path.read_text().replace(line, line.replace("  0.", "  1.", 1)))
    assert [one[:20] for one in lock.moved(path)] == ["+ hlvid_mini/blind  ", "- hlvid_mini/blind  "]
