"""The pull-request check: changed submissions only, scored, and nobody else's folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leaderboard import ci
from leaderboard.benchmarks import answer_key
from leaderboard.submit.packing import percent

Git = Callable[..., str]
PLACE = Path("leaderboard") / "submissions" / "hlvid_mini"
YAML = "benchmark: hlvid_mini\ndataset_revision: mini-tiny-0\nmodel:\n  name: {name}\n  openness: closed\n"


@pytest.fixture
def repo(tmp_path: Path, git_repo: Git) -> Path:
    """Ann's repository with her submission "ann" and a broken old one; a branch "pr" is checked out."""
    root = tmp_path / "repo"
    add(root, "ann")
    add(root, "old", lines=3)
    commit(git_repo, "Ann")
    git_repo("switch", "-q", "-c", "pr")
    return root


def add(root: Path, name: str, letter: str = "A", lines: int = 8, model: str = "m") -> Path:
    folder = root / PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "submission.yaml").write_text(YAML.format(name=json.dumps(model)))
    records = [json.dumps({"question_id": str(number), "answer": letter}) for number in range(lines)]
    (folder / "predictions.jsonl").write_text("\n".join(records) + "\n")
    return folder


def commit(git: Git, name: str) -> None:
    git("add", "-A")
    git("-c", f"user.name={name}", "-c", f"user.email={name}@Example.org", "commit", "-q", "-m", "change")


def all_a() -> str:
    """What answering A throughout scores."""
    questions = answer_key("hlvid_mini", "mini-tiny-0").questions
    return f" {percent(sum(one.answer == 'A' for one in questions) / 8)} "


def run(repo: Path, *more: str) -> tuple[int, str]:
    path = repo.parent / "summary.md"
    path.unlink(missing_ok=True)
    code = ci.main(["--base", "main", "--repo", str(repo), "--summary", str(path), *more])
    return code, path.read_text() if path.is_file() else ""


def test_nothing_changed(repo: Path) -> None:
    assert run(repo) == (0, "No submission was changed.\n")


def test_a_new_submission_is_scored_and_old_faults_are_not_its_business(repo: Path, git_repo: Git) -> None:
    add(repo, "bob", model="<b>Bob</b>|@all")
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 0
    assert "hlvid\\_mini/bob" in text and "rescored" in text and all_a() in text
    assert "<b>" not in text and "@all" not in text and "old" not in text


def test_faults_fail_with_line_and_field(repo: Path, git_repo: Git) -> None:
    add(repo, "bob", letter="F")
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1
    assert "predictions.jsonl: line 8: answer" in text


@pytest.mark.parametrize(("who", "code"), [("Bob", 1), ("ANN", 0)])
def test_only_its_authors_change_a_folder(who: str, code: int, repo: Path, git_repo: Git) -> None:
    add(repo, "ann", letter="B")
    commit(git_repo, who)
    found, text = run(repo)
    assert found == code
    assert ("is another submitter's folder, changed by bob&#64;example.org" in text) == bool(code)


def test_the_account_outranks_author_lines(repo: Path, git_repo: Git) -> None:
    add(repo, "ann", letter="B")
    commit(git_repo, "Ann")
    assert run(repo, "--author", "mallory@example.org")[0] == 1
    assert run(repo, "--author", "Ann@example.org")[0] == 0


def test_maintainers_may(repo: Path, git_repo: Git) -> None:
    add(repo, "ann", letter="B")
    commit(git_repo, "Bob")
    assert run(repo, "--maintainer", "bob@example.org")[0] == 0


@pytest.mark.parametrize(("who", "code"), [("Bob", 1), ("Ann", 0)])
def test_removing_and_renaming(who: str, code: int, repo: Path, git_repo: Git) -> None:
    git_repo("mv", str(PLACE / "ann"), str(PLACE / "taken"))
    commit(git_repo, who)
    found, text = run(repo)
    assert found == code
    assert all_a() in text  # the copy under the new name is sound
    if not code:
        assert "ann** is removed" in text


def test_strange_paths(repo: Path, git_repo: Git) -> None:
    folder = add(repo, "bob")
    (folder / "predictions.jsonl").unlink()
    (folder / "predictions.jsonl").symlink_to("/etc/passwd")
    (repo / PLACE / "stray.txt").write_text("x")
    (repo / PLACE.parent / "top.txt").write_text("x")
    (repo / PLACE / "ünï name").mkdir()
    (repo / PLACE / "ünï name" / "a\nb").write_text("x")
    (repo / "elsewhere.txt").write_text("not a submission")
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1
    assert text.startswith("4 submission(s) changed, 4 refused.")
    assert "root:" not in text


def test_commits_on_the_base_since_are_not_the_pull_requests(repo: Path, git_repo: Git) -> None:
    add(repo, "bob")
    commit(git_repo, "Bob")
    git_repo("switch", "-q", "main")
    add(repo, "ann", letter="C")
    commit(git_repo, "Ann")
    git_repo("switch", "-q", "pr")
    code, text = run(repo)
    assert code == 0 and text.startswith("1 submission(s)")


def test_the_check_itself_failing_is_2(
    repo: Path, git_repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ci.main(["--base", "no-such-branch", "--repo", str(repo)]) == 2
    assert ci.main(["--base", "main", "--repo", str(tmp_path)]) == 2
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "empty"))
    folder = add(repo, "bob")
    target = repo / "leaderboard" / "submissions" / "hlvid" / "bob"
    target.parent.mkdir()
    folder.rename(target)
    (target / "submission.yaml").write_text("benchmark: hlvid\nmodel: {name: m, openness: closed}\n")
    commit(git_repo, "Bob")
    assert run(repo)[0] == 2


def test_a_wrong_dataset_version_is_the_submitters(repo: Path, git_repo: Git) -> None:
    folder = add(repo, "bob")
    text = (folder / "submission.yaml").read_text().replace("mini-tiny-0", "mini-tiny-9")
    (folder / "submission.yaml").write_text(text)
    commit(git_repo, "Bob")
    assert run(repo)[0] == 1
