"""The pull-request check: changed submissions only, scored, and nobody else's folder."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hlvid.errors import DownloadError
from leaderboard import ci
from leaderboard.benchmarks import answer_key
from leaderboard.scores import percent

Git = Callable[..., str]
PLACE = Path("leaderboard") / "submissions" / "hlvid_mini"
REVISION = answer_key("hlvid_mini", "mini-tiny-0").revision
TOML = (
    f'benchmark = "hlvid_mini"\ndataset_revision = "{REVISION}"\n'
    + '[model]\nname = {name}\nopenness = "closed"\n'
)
MAINTAINERS = 'maintainers = ["Meg"]\n[owners]\n"hlvid_mini/ann" = ["Ann"]\n'


@pytest.fixture
def repo(tmp_path: Path, git_repo: Git) -> Path:
    """Ann's repository with her submission "ann" and a broken old one; a branch "pr" is checked out."""
    root = tmp_path / "repo"
    add(root, "ann")
    add(root, "old", lines=3)
    (root / "leaderboard" / "maintainers.toml").write_text(MAINTAINERS)
    commit(git_repo, "Ann")
    git_repo("switch", "-q", "-c", "pr")
    return root


def add(root: Path, name: str, letter: str = "A", lines: int = 8, model: str = "m") -> Path:
    folder = root / PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "submission.toml").write_text(TOML.format(name=json.dumps(model)))
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


def run(repo: Path, author: str = "bob", *more: str, base: str = "main") -> tuple[int, str]:
    path = repo.parent / "summary.md"
    path.unlink(missing_ok=True)
    app = typer.Typer()
    app.command()(ci.main)
    arguments = ["--base", base, "--author", author, "--repo", str(repo), "--summary", str(path), *more]
    code = CliRunner().invoke(app, arguments).exit_code
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


@pytest.mark.parametrize(("who", "code"), [("bob", 1), ("ANN", 0), ("meg", 0)])
def test_only_owners_and_maintainers_change_a_folder(who: str, code: int, repo: Path, git_repo: Git) -> None:
    add(repo, "ann", letter="B")
    commit(git_repo, "Ann")  # an author line, which anybody can write
    found, text = run(repo, who)
    assert found == code
    assert (f"is on the board already and not {who}'s" in text) == bool(code)


def test_an_entry_without_an_owner_is_the_maintainers(repo: Path, git_repo: Git) -> None:
    add(repo, "old")
    commit(git_repo, "Ann")
    assert (run(repo, "ann")[0], run(repo, "meg")[0], run(repo, "bob", "--maintainer")[0]) == (1, 0, 0)


def test_a_board_without_maintainers_says_how_the_first_gets_in(repo: Path, git_repo: Git) -> None:
    git_repo("switch", "-q", "main")
    (repo / "leaderboard" / "maintainers.toml").write_text("")
    commit(git_repo, "Keeper")
    git_repo("switch", "-q", "-c", "later")
    add(repo, "ann", letter="B")
    (repo / "leaderboard" / "maintainers.toml").write_text('maintainers = ["bob"]')
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "who keeps the repository commits the first one there" in text


def test_who_owns_is_read_from_the_base(repo: Path, git_repo: Git) -> None:
    add(repo, "ann", letter="B")
    (repo / "leaderboard" / "maintainers.toml").write_text('maintainers = ["bob"]')
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "maintainers.toml** is refused" in text and "not bob's" in text


@pytest.mark.parametrize(
    "name",
    [
        "leaderboard/ci.py",
        ".github/workflows/x.yml",
        ".gitmodules",
        "leaderboard/submissions.py",
        "leaderboard/Submissions/hlvid/x",
    ],
)
def test_anything_besides_submissions_is_refused(name: str, repo: Path, git_repo: Git) -> None:
    add(repo, "bob")
    path = repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("print('hello')")
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "lies outside leaderboard/submissions/" in text and all_a() in text
    assert run(repo, "meg")[0] == 0


def test_merges_are_read(repo: Path, git_repo: Git) -> None:
    add(repo, "bob")
    commit(git_repo, "Bob")
    git_repo("switch", "-q", "-c", "side", "main")
    (repo / "side.txt").write_text("x")
    commit(git_repo, "Bob")
    git_repo("rm", "-q", "side.txt")
    commit(git_repo, "Bob")
    git_repo("switch", "-q", "pr")
    git_repo("merge", "-q", "--no-ff", "--no-commit", "side")
    add(repo, "ann", letter="B")  # the merge commit itself changes another's answers
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and r"hlvid\_mini/ann** is refused" in text


@pytest.mark.parametrize(("who", "code"), [("bob", 1), ("ann", 0)])
def test_removing_and_renaming(who: str, code: int, repo: Path, git_repo: Git) -> None:
    git_repo("mv", str(PLACE / "ann"), str(PLACE / "taken"))
    commit(git_repo, who)
    found, text = run(repo, who)
    assert found == code
    assert all_a() in text  # the copy under the new name is sound
    if not code:
        assert "ann** is removed" in text
        assert rf'"hlvid\_mini/taken" = \["{who}"\]' in text


def test_a_folder_of_submissions_behind_a_link_is_not_followed(
    repo: Path, git_repo: Git, tmp_path: Path
) -> None:
    secret = tmp_path / "secret" / "bob"
    secret.mkdir(parents=True)
    (secret / "submission.toml").write_text("hidden = 'words'\n")
    git_repo("mv", "leaderboard/submissions", "kept")
    (repo / "leaderboard" / "submissions").symlink_to(secret.parent.parent)
    commit(git_repo, "Bob")
    _, text = run(repo, "meg")  # whatever a maintainer may change
    assert "hidden" not in text and "words" not in text


def test_a_relative_path_and_a_shallow_clone(
    repo: Path, git_repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(repo, "bob")
    commit(git_repo, "Bob")
    monkeypatch.chdir(repo.parent)
    assert run(Path("repo"))[0] == 0
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{repo}", "shallow"], check=True)
    assert run(Path("shallow"), base="HEAD")[0] == 2


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
    assert text.startswith("5 submission(s) or files changed, 5 refused.")
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
    assert run(repo, base="no-such-branch")[0] == 2
    assert run(tmp_path)[0] == 2
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "empty"))
    folder = add(repo, "bob")
    target = repo / "leaderboard" / "submissions" / "hlvid" / "bob"
    target.parent.mkdir()
    folder.rename(target)
    (target / "submission.toml").write_text(
        f'benchmark = "hlvid"\ndataset_revision = "{"0" * 64}"\nmodel = {{name = "m", openness = "closed"}}\n'
    )
    commit(git_repo, "Bob")
    assert run(repo)[0] == 2


def test_question_files_are_fetched_for_what_is_changed(
    repo: Path, git_repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner has no data: without them every submission but HLVid-Mini's could not be scored."""
    asked = []

    def stand_in(name: str, **choice: object) -> None:
        asked.append((name, choice["no_videos"]))
        raise DownloadError("the hub is out of reach")

    monkeypatch.setattr("hlvid.download.fetch.get", stand_in)
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "empty"))
    add(repo, "bob")
    for benchmark in ("hlvid", "videomme_w_subtitle", "egoschema"):
        folder = repo / PLACE.parent / benchmark / "bob"
        folder.mkdir(parents=True)
        (folder / "submission.toml").write_text(
            f'benchmark = "{benchmark}"\ndataset_revision = "{"0" * 64}"\nmodel = {{name = "m", openness = "closed"}}\n'
        )
        (folder / "predictions.jsonl").write_text('{"question_id": "0", "answer": "A"}\n')
    commit(git_repo, "Bob")
    code, text = run(repo, "bob", "--fetch")
    assert asked == [
        ("hlvid", True),
        ("hlvid_videomme", True),
    ]  # HLVid-Mini is computed, EgoSchema's are withheld
    assert code == 2 and all_a() in text


def test_a_wrong_dataset_version_is_the_submitters(repo: Path, git_repo: Git) -> None:
    folder = add(repo, "bob")
    text = (folder / "submission.toml").read_text().replace("mini-tiny-0@", "mini-tiny-9@")
    (folder / "submission.toml").write_text(text)
    commit(git_repo, "Bob")
    assert run(repo)[0] == 1


@pytest.mark.parametrize(
    ("mode", "name", "told"),
    [
        ("160000", "hlvid_mini/bob", "is a submodule"),
        ("160000", "hlvid_mini/bob/videos", "is a submodule"),
        ("160000", "nextqa_mc", "nextqa_mc** is refused"),
        ("120000", "hlvid_mini/bob", "is a symbolic link"),
        ("120000", "hlvid_mini/bob/predictions.jsonl", "is a symbolic link"),
        ("120000", "hlvid_mini/bob/README.md", "is a symbolic link"),
        ("100755", "hlvid_mini/bob/README.md", "is executable"),
        ("100644", "hlvid_mini/bob/predictions.jsonl/x", "predictions.jsonl/x: (file): does not belong here"),
        ("100644", "hlvid_mini/bob/.gitattributes", "does not belong here"),
        ("100644", "hlvid_mini/bob/Submission.toml", "does not belong here"),
        ("100644", "hlvid_mini/bob/submission.yaml", "write it as submission.toml"),
        ("100644", "hlvid_mini/Ann/submission.toml", "has a name that is not allowed"),
        ("100644", "hlvid_mini/anñ/submission.toml", "has a name that is not allowed"),
        ("100644", "hlvid_mini/a\u202enn/submission.toml", "has a name that is not allowed"),
        ("100644", "hlvid_mini/bob./README.md", "is not a plain file"),
        ("100644", "HLVID_mini/ann/submission.toml", "lies under no benchmark's name"),
        ("100644", "Hlvid/ann/submission.toml", "lies under no benchmark's name"),
        ("100644", "hlvid_mini/README.md", "is a file; a pull request adds only folders"),
    ],
)  # fmt: skip
def test_hostile_paths_fail_and_say_why(mode: str, name: str, told: str, repo: Path, git_repo: Git) -> None:
    content = git_repo("rev-parse", "HEAD" if mode == "160000" else "HEAD:leaderboard/maintainers.toml")
    git_repo("update-index", "--add", "--cacheinfo", f"{mode},{content},{PLACE.parent.as_posix()}/{name}")
    git_repo("-c", "user.name=B", "-c", "user.email=b@x.org", "commit", "-q", "-m", "odd")
    code, text = run(repo)
    assert code == 1
    assert told in text.replace("\\", "")


def test_names_that_are_no_utf8(repo: Path, git_repo: Git) -> None:
    """Once taken for a removed folder, with exit code 0."""
    folder = repo / PLACE / "x"
    folder.mkdir()
    (folder.parent / b"\xff\xfe".decode("utf-8", "surrogateescape")).mkdir()
    (folder.parent / b"\xff\xfe".decode("utf-8", "surrogateescape") / "submission.toml").write_text("a: b")
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "has a name that is not allowed" in text


def test_only_what_is_committed_counts(repo: Path, git_repo: Git) -> None:
    """Neither the working tree nor a filter or attribute of a checkout stands in for the commit."""
    folder = add(repo, "bob", letter="F")
    commit(git_repo, "Bob")
    (folder / "predictions.jsonl").write_text((repo / PLACE / "ann" / "predictions.jsonl").read_text())
    (repo / ".gitattributes").write_text("*.jsonl filter=nothing export-ignore\n")
    assert run(repo)[0] == 1


def test_a_huge_file_that_a_later_commit_removes_is_told(
    repo: Path, git_repo: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.changes.JSONL_BYTES", 2_000)
    folder = add(repo, "bob")
    (folder / "README.md").write_text("x" * 2_001)
    commit(git_repo, "Bob")
    (folder / "README.md").unlink()
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "stays in the history" in text and all_a() in text


def test_an_empty_commit_changes_nothing(repo: Path, git_repo: Git) -> None:
    git_repo("-c", "user.name=B", "-c", "user.email=b@x.org", "commit", "-q", "--allow-empty", "-m", "x")
    assert run(repo) == (0, "No submission was changed.\n")


@pytest.mark.parametrize(("who", "code"), [("bob", 1), ("ann", 1), ("meg", 1)])
def test_answers_deleted_alone_are_a_fault_and_modes_are_changes(
    who: str, code: int, repo: Path, git_repo: Git
) -> None:
    (repo / PLACE / "ann" / "predictions.jsonl").unlink()
    commit(git_repo, who)
    found, text = run(repo, who)
    assert found == code and ("not bob's" in text) == (who == "bob")


def test_thousands_of_files_outside_are_counted(repo: Path, git_repo: Git) -> None:
    for number in range(300):
        (repo / f"x{number}").touch()
    commit(git_repo, "Bob")
    code, text = run(repo)
    assert code == 1 and "300 refused" in text and "and 100 more" in text
