"""The files of the site: nothing secret, nothing from outside, the same bytes each time, no folder of others."""

import html
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hlvid.errors import RunError
from leaderboard.benchmarks import AnswerKey, Keys
from leaderboard.site.build import build
from leaderboard.site.history import recorded

SHIFT = dict(zip("ABCD", "BCDA", strict=True))


def contents(site: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(site)): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()
    }


class Addresses(HTMLParser):
    """What a page loads (scripts, styles, pictures) and where its links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.inline = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.inline += (tag == "script" and "src" not in found) + ("style" in found) + (tag == "style")
        self.inline += sum(name.startswith("on") for name in found)
        if tag == "link" or "src" in found:
            self.loads.append(found.get("src") or found.get("href") or "")
        elif found.get("href"):
            self.links.append(str(found["href"]))


def test_no_answer_can_be_read_from_it(
    boards: Any, key: AnswerKey, wide: AnswerKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every letter of key and predictions shifted alike the site is the same to the byte: no letter is in it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    build(tmp_path / "one", boards.submissions, Keys([key, wide]))
    shifted = tmp_path / "shifted"
    for folder in boards.submissions.glob("*/*"):
        target = shifted / folder.relative_to(boards.submissions)
        target.mkdir(parents=True)
        (target / "submission.toml").write_bytes((folder / "submission.toml").read_bytes())
        if (folder / "predictions.jsonl").exists():
            lines = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
            moved = [{**line, "answer": SHIFT.get(line["answer"])} for line in lines]
            (target / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in moved))
    keys = Keys(
        replace(one, questions=tuple(replace(q, answer=SHIFT[str(q.answer)]) for q in one.questions))
        for one in (key, wide)
    )
    build(tmp_path / "two", shifted, keys)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_no_option_and_no_wording_is_in_it(boards: Any, key: AnswerKey, wide: AnswerKey) -> None:
    everything = b"\n".join(
        data for name, data in contents(boards.site).items() if "vendor" not in name
    ).decode()
    for question in (*key.questions, *wide.questions):
        assert question.stem not in everything
        assert not any(option in everything for option in question.options.values())


def test_wording_of_hlvid_mini_is_shown_but_no_option(tmp_path: Path) -> None:
    from leaderboard.benchmarks import answer_key

    build(tmp_path / "site")  # what is shipped
    data = (tmp_path / "site" / "data" / "hlvid_mini.js").read_text()
    questions = answer_key("hlvid_mini").questions
    assert all(json.dumps(question.stem) in data for question in questions)
    everything = b"\n".join(contents(tmp_path / "site").values()).decode()
    assert not any(option in everything for question in questions for option in question.options.values())


def test_pages_load_their_own_files_only(boards: Any) -> None:
    pages = list(boards.site.rglob("*.html"))
    assert len(pages) == 7 + 12
    for page in pages:
        text = html.unescape(page.read_text())
        found = Addresses(page.read_text())
        assert found.inline == 0, page
        assert "default-src 'none'" in text and "connect-src 'none'" in text
        for address in found.loads:
            assert (page.parent / address).resolve().is_file(), f"{page}: {address}"
        for address in found.links:
            if not address.startswith(("http", "#")):
                assert (page.parent / address.partition("#")[0]).resolve().is_file(), f"{page}: {address}"


def test_two_builds_are_the_same(boards: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    build(tmp_path / "one", boards.submissions, boards.keys)
    first = contents(tmp_path / "one")
    build(tmp_path / "one", boards.submissions, boards.keys)
    assert contents(tmp_path / "one") == first
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_build_removes_what_the_last_one_made_and_nothing_else(boards: Any, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(site, boards.submissions, boards.keys)
    subprocess.run(["git", "init", "-q", str(site)], check=True)
    (site / "CNAME").write_text("board.example.org")
    (site / "models" / "mine.html").write_text("mine")
    build(site, tmp_path / "nothing")
    assert (site / ".git" / "HEAD").is_file() and (site / "CNAME").read_text() == "board.example.org"
    assert [path.name for path in (site / "models").rglob("*")] == ["mine.html"]
    assert not (site / "eval_results").exists() and (site / "index.html").is_file()
    (site / "made-by-hlvid-board.txt").write_text("list\n../outside.txt\n/etc/hostname\n")
    (tmp_path / "outside.txt").write_text("kept")
    build(site, boards.submissions, boards.keys)
    assert (tmp_path / "outside.txt").read_text() == "kept"


def test_a_killed_build_leaves_a_site(boards: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, moved = tmp_path / "site", Path.replace
    build(site, boards.submissions, boards.keys)
    before = contents(site)

    def killed(self: Path, target: Path) -> Path:
        if "models" in str(target):
            raise KeyboardInterrupt
        return moved(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            build(site, boards.submissions, boards.keys)
    assert (site / "index.html").read_bytes() == before[
        next(name for name in before if str(name) == "index.html")
    ]
    build(site, tmp_path / "nothing")
    assert not (site / "models").exists()  # what the killed one had brought is known, too


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_others_made_is_left_alone(boards: Any, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    if kind == "file":
        out.write_text("text")
    elif kind == "folder":
        precious.rename(out)
    else:
        out.symlink_to(precious)
    with pytest.raises(RunError, match="--out"):
        build(out, boards.submissions, boards.keys)
    assert out.read_text() == "text" if kind == "file" else (out / "thesis.txt").exists()


def test_an_absent_key_costs_its_own_entries_only(boards: Any, key: AnswerKey, tmp_path: Path) -> None:
    site = build(tmp_path / "site", boards.submissions, Keys([key]))
    assert (site.entries, site.refused) == (4, 8)
    text = (tmp_path / "site" / "datasets.html").read_text()
    assert "mvbench/sys-0" in text and "no answer key where this page was made" in text
    assert "looked in" not in text  # folders of the machine that built it


def test_an_empty_board_is_a_site_as_well(open_page: Callable[..., Any], tmp_path: Path) -> None:
    build(tmp_path / "site", tmp_path / "nothing")
    page = open_page("index.html", base=(tmp_path / "site").as_uri() + "/")
    page.wait_for_selector("text=There is no entry yet.")
    for name in ("compare.html", "questions.html", "datasets.html"):
        page.goto((tmp_path / "site" / name).as_uri())


@pytest.mark.parametrize("url", ["ftp://x", "javascript:alert(1)", "https://a b/"])
def test_an_address_has_to_be_one(boards: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(RunError, match="--url"):
        build(tmp_path / "site", boards.submissions, boards.keys, url=url)
    assert not (tmp_path / "site").exists()


def test_dates_come_from_git(
    git_repo: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "repo" / "leaderboard" / "submissions"
    for name, date in (("first", "2026-01-02T03:04:05Z"), ("second", "2026-02-02T00:00:00Z")):
        (root / "hlvid" / name).mkdir(parents=True)
        (root / "hlvid" / name / "submission.yaml").write_text('benchmark = "hlvid"\n')  # as up to 0.1
        git_repo("add", ".")
        monkeypatch.setenv("GIT_COMMITTER_DATE", date)
        git_repo("commit", "-q", "-m", name)
    git_repo("mv", *(f"leaderboard/submissions/hlvid/first/submission.{kind}" for kind in ("yaml", "toml")))
    (root / "hlvid" / "first" / "submission.toml").write_text('benchmark = "hlvid" # changed later\n')
    git_repo("commit", "-q", "-am", "change")
    found = recorded(root)
    assert {name: one.isoformat() for name, one in found.items()} == {
        "hlvid/first": "2026-01-02T03:04:05+00:00",
        "hlvid/second": "2026-02-02T00:00:00+00:00",
    }
    assert recorded(tmp_path) == {}
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{tmp_path / 'repo'}", str(shallow)], check=True
    )
    assert recorded(shallow / "leaderboard" / "submissions") == {}  # its one commit would date them all


def test_the_command(tmp_path: Path) -> None:
    import sys

    code = "from hlvid.cli import main; main()"
    arguments = ["board", "build", "--out", str(tmp_path / "site")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "entries on" in done.stdout and (tmp_path / "site" / "index.html").is_file()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").touch()
    arguments[-1] = str(tmp_path / "other")
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "did not make" in done.stderr


def test_what_was_not_asked_is_shown_and_counts_as_wrong(
    make_folder: Callable[..., Path], answers: list[dict[str, Any]], keys: Keys, tmp_path: Path
) -> None:
    """Nine of twelve are right; the first of these was not asked."""
    folder = make_folder(answers[1:])
    stated = (folder / "submission.toml").read_text()
    make_folder(answers[1:], f'{stated}left_out.0 = "the video is damaged at its source"\n')
    site = build(tmp_path / "site", tmp_path / "submissions", keys).folder
    page = (site / "models" / "hlvid" / "some-model.html").read_text()
    assert "8 of 12 questions right" in page and "1 of these not asked and counted as wrong" in page
    assert "0 (the video is damaged at its source)" in page
    assert any(b"1 not asked" in text for name, text in contents(site).items() if name.startswith("data"))
