"""The board that the page shows: scores, trust, ranks, and the paper's numbers."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks.registry import HLVID
from hlvid.dataset import file_hash
from hlvid.errors import RunError
from hlvid.scoring.accuracy import wilson
from leaderboard.benchmarks import AnswerKey, Keys, answer_key
from leaderboard.board import Entry, load_board
from leaderboard.format.schema import Submission
from leaderboard.format.validate import check_folder
from leaderboard.maintainers import read
from leaderboard.scores import rescore
from leaderboard.site.build import build
from leaderboard.site.facts import answers_of

Make = Callable[..., Path]
Answers = list[dict[str, Any]]
TOML = 'benchmark = "hlvid"\nmodel.name = "{name}"\nmodel.openness = "open_weights"\ncontact = "{contact}"\n{more}'
COLUMNS = {
    "hlvid_test": "hlvid", "videomme": "videomme", "videomme_w_subtitle": "videomme_w_subtitle",
    "mvbench_test": "mvbench", "nextqa_mc": "nextqa_mc", "longvideobench_val": "longvideobench_val",
    "egoschema_test": "egoschema", "mlvu_m_avg": "mlvu_dev",
}  # fmt: skip


def toml(name: str = "m", contact: str = "ann", more: str = "") -> str:
    return TOML.format(name=name, contact=contact, more=more)


def only(make_folder: Make, keys: Keys) -> dict[str, Entry]:
    folder = make_folder(None, "")
    root = folder.parents[1]
    shutil.rmtree(folder)
    (section,) = load_board(root, keys).sections
    return {entry.name: entry for entry in section.entries}


def test_what_is_shipped_is_sound() -> None:
    board = load_board()
    assert [(one.path, *map(str, one.faults)) for one in board.refused] == []
    assert board.sections[0].title == "HLVid"


def test_reported_numbers_are_the_papers(shared: Path) -> None:
    rows = json.loads((shared / "reference" / "paper.json").read_text())["table1"]["rows"]
    printed = {
        (COLUMNS[column], row["model"]): value
        for row in rows
        for column, value in row["accuracy"].items()
        if value is not None
    }
    entries = [entry for section in load_board().sections for entry in section.entries if not entry.scored]
    shown = {
        (entry.benchmark, entry.submission.model.name): entry.submission.reported.accuracy_percent
        for entry in entries
        if entry.submission.reported and "Table 1" in entry.submission.reported.source
    }
    assert shown == printed
    assert {entry.trust for entry in entries} == {"reported"}


def test_a_reported_share_has_wilsons_interval_where_n_is_known() -> None:
    sections = {section.benchmark: section for section in load_board().sections}
    best = sections["hlvid"].entries[0]
    assert (best.submission.model.name, best.accuracy) == ("NVILA-8B-HD-Video", 0.526)
    assert best.interval == wilson(141, 268)
    assert sections["mvbench"].entries[0].interval is None


def test_a_printed_share_that_no_count_gives_is_marked(tmp_path: Path) -> None:
    """41.1 % is k / 268 for no k; the ten others are."""
    build(tmp_path / "site")
    pages = {path.stem: path.read_text() for path in (tmp_path / "site" / "models" / "hlvid").glob("*.html")}
    assert [name for name, text in pages.items() if "No number of right answers" in text] == [
        "llava-ov-8b-paper"
    ]
    assert f"sha256:{HLVID.questions_sha256}" in (tmp_path / "site" / "datasets.html").read_text()


def test_order_rank_and_scores(make_folder: Make, answers: Answers, key: AnswerKey, keys: Keys) -> None:
    right = [{"question_id": one.id, "answer": one.answer} for one in key.questions]
    make_folder(answers, toml(), "nine")
    make_folder(right, toml(), "twelve")
    make_folder([{**one, "answer": None} for one in answers], toml(), "none")
    make_folder(None, toml(more='reported = {accuracy_percent = 80, source = "a paper"}\n'), "paper")
    found = only(make_folder, keys)
    assert [(name, entry.accuracy, entry.trust) for name, entry in found.items()] == [
        ("twelve", 1.0, "rescored"), ("paper", 0.8, "reported"), ("nine", 0.75, "rescored"), ("none", 0.0, "rescored"),
    ]  # fmt: skip
    assert found["paper"].rank is None and not found["paper"].rows
    ranks = {
        name: (entry.rank.place, entry.rank.best, entry.rank.worst)
        for name, entry in found.items()
        if entry.rank
    }
    assert ranks["none"] == (3, 1, 3)  # four recordings: no difference can be shown, as compare says, too
    assert ranks["twelve"][1:] == (1, 3)
    assert found["nine"].summary is not None and found["nine"].summary.by_category["av"].correct == 6
    assert found["nine"].predictions["0"].answer == "A"


def test_where_the_benchmarks_number_is_a_mean_of_categories_so_is_the_score() -> None:
    """MLVU's M-avg: 3 of 4 in one category and 1 of 2 in the other are 62.5 %, not 4 of 6."""
    rows = [
        {
            "question_id": str(number),
            "source": f"v{number}",
            "category": category,
            "parsed": "A",
            "correct": right,
        }
        for number, (category, right) in enumerate(
            [
                ("plot", True),
                ("plot", True),
                ("plot", True),
                ("plot", False),
                ("count", True),
                ("count", False),
            ]
        )
    ]
    answers = {"benchmark": "mlvu_dev", "model": {"name": "m", "openness": "closed"}}
    score = rescore(Submission.model_validate(answers), rows)
    assert score.accuracy == 0.625 and score.summary is not None and score.summary.overall.correct == 4
    assert score.interval is not None and score.interval.low < 0.625 < score.interval.high
    assert rescore(Submission.model_validate({**answers, "benchmark": "hlvid"}), rows).accuracy == 4 / 6


def test_broken_folders_stop_no_other(
    make_folder: Make, answers: Answers, keys: Keys, tmp_path: Path
) -> None:
    make_folder(answers, toml(), "sound")
    broken = make_folder(answers[1:], "benchmark: hlvid\nmodel: 5\n", "broken")
    (broken.parent / "stray.txt").write_text("hello")
    (broken.parent / "link").symlink_to(broken.parent / "sound")
    make_folder(answers, toml().replace("hlvid", "mvbench"), "elsewhere")
    board = load_board(broken.parents[1], keys)
    assert [entry.name for section in board.sections for entry in section.entries] == ["sound"]
    assert [one.path for one in board.refused] == [
        "hlvid/broken", "hlvid/elsewhere", "hlvid/link", "hlvid/stray.txt",
    ]  # fmt: skip
    assert all(one.faults for one in board.refused)


def test_an_absent_key_refuses_scored_entries_alone(
    make_folder: Make, answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "empty"))
    root = make_folder(answers, toml(), "run").parents[1]
    make_folder(None, toml(more='reported = {accuracy_percent = 50, source = "a paper"}\n'), "paper")
    board = load_board(root)
    assert [entry.name for section in board.sections for entry in section.entries] == ["paper"]
    assert "hlvid download" in str(board.refused[0].faults[0])


def test_dataset_versions_are_sections_of_their_own(tmp_path: Path) -> None:
    for name, count in (("mini-default-0", 48), ("mini-tiny-0", 8)):
        revision = answer_key("hlvid_mini", name).revision
        folder = tmp_path / "hlvid_mini" / name
        folder.mkdir(parents=True)
        text = toml().replace('"hlvid"', f'"hlvid_mini"\ndataset_revision = "{revision}"')
        (folder / "submission.toml").write_text(text)
        lines = [json.dumps({"question_id": str(number), "answer": "A"}) for number in range(count)]
        (folder / "predictions.jsonl").write_text("\n".join(lines))
    board = load_board(tmp_path)
    assert not board.refused
    assert [(section.title, len(section.questions), len(section.entries)) for section in board.sections] == [
        ("HLVid-Mini", 48, 1), ("HLVid-Mini (tiny, seed 0)", 8, 1),
    ]  # fmt: skip


def test_trust_is_granted_never_inferred(make_folder: Make, answers: Answers, keys: Keys) -> None:
    timed = [{**one, "seconds": 1.25} for one in answers]
    first = make_folder(timed, toml(), "first")
    make_folder(timed, toml(contact="bob", more='reproduces = "first"\n'), "second")
    make_folder(
        [{**one, "answer": None} for one in answers],
        toml(contact="eve", more='reproduces = "first"\n'),
        "third",
    )
    found = only(make_folder, keys)
    assert {name: entry.trust for name, entry in found.items()} == dict.fromkeys(found, "rescored")
    assert found["first"].second_runs == ("second", "third")
    assert found["first"].identical == ("second",) and found["second"].identical == ("first",)
    grant = GRANT.format(by="bob", predictions=file_hash(first / "predictions.jsonl"))
    (first.parents[2] / "maintainers.toml").write_text(grant)
    found = only(make_folder, keys)
    assert found["first"].trust == "reproduced" and found["second"].trust == "rescored"
    assert found["first"].grant is not None and found["first"].grant.by == "bob"
    make_folder(timed[::-1], toml(), "first")
    changed = only(make_folder, keys)["first"]
    assert changed.trust == "rescored" and changed.warnings == (
        "bob reproduced other predictions than these, on 2026-11-21",
    )


ZEROS = f"sha256:{'0' * 64}"
GRANT = """
[[reproduced]]
entry = "hlvid/first"
by = "{by}"
date = 2026-11-21
log = "https://example.org/log"
predictions = "{predictions}"
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[owners]\n"hlvid/first" = ["Bob "]\n' + GRANT.format(by="bob", predictions=ZEROS), "bob owns it"),
        (GRANT.format(by="bob", predictions="yes"), "reproduced.0.predictions"),
        ("maintainers = 5", "maintainers"),
        ("reproduced_by = []", "reproduced_by"),
        ("= 5", "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_maintainers_file_is_named(text: str, problem: str) -> None:
    with pytest.raises(RunError, match=problem) as caught:
        read(text)
    assert str(caught.value).startswith("leaderboard/maintainers.toml: ")


@pytest.mark.parametrize(
    ("more", "field", "remedy"),
    [
        ("settings.frames = 1024\n", "settings.frames", "state 8"),
        ("settings.frames = 4\n", "settings.frames", "state 8"),
        ("settings.resolution = 3584\n", "settings.resolution", "state 448"),
        ("cost.tokens_per_question = 10\n", "cost.tokens_per_question", "computed"),
        ("cost = {seconds_per_question = 9}\n", "cost.seconds_per_question", "computed"),
    ],
)
def test_settings_that_the_lines_belie_are_a_fault(
    more: str, field: str, remedy: str, make_folder: Make, answers: Answers, keys: Keys
) -> None:
    seen = {"frames": 8, "width": 448, "height": 252, "tokens": 100, "seconds": 2.0}
    lines = [{**one, **seen} for one in answers]
    (fault,) = check_folder(make_folder(lines, toml(more=more)), keys).faults
    assert (fault.file, fault.line, fault.field) == ("submission.toml", 5, field) and remedy in fault.remedy
    right = "settings = {frames = 8, resolution = 448}\ncost = {tokens_per_question = 100, seconds_per_question = 2}\n"
    assert check_folder(make_folder(lines, toml(more=right)), keys).faults == ()
    lines[0] = {"question_id": "0", "answer": "A"}  # one line is silent: more may have been seen there
    assert (check_folder(make_folder(lines, toml(more=more)), keys).faults == ()) is (
        "frames = 4" not in more
    )


def test_an_entry_names_its_questions_by_their_hash(tmp_path: Path) -> None:
    folder = tmp_path / "hlvid_mini" / "a"
    folder.mkdir(parents=True)
    (folder / "predictions.jsonl").write_text(
        "".join(f'{{"question_id": "{n}", "answer": "A"}}\n' for n in range(8))
    )
    for revision in ("", 'dataset_revision = "mini-tiny-0"'):
        text = toml().replace('"hlvid"', f'"hlvid_mini"\n{revision}')
        (folder / "submission.toml").write_text(text)
        assert next(one.field for one in check_folder(folder, placed=True).faults) == "dataset_revision"


def test_one_benchmark_alone(make_folder: Make, answers: Answers, keys: Keys) -> None:
    root = make_folder(answers).parents[1]
    assert load_board(root, keys, benchmark="mvbench").sections == ()
    assert len(load_board(root, keys, benchmark="hlvid").sections) == 1


def test_another_version_of_the_key_is_refused(make_folder: Make, answers: Answers, key: AnswerKey) -> None:
    root = make_folder(answers, toml(more=f'dataset_revision = "{key.revision}"\n')).parents[1]
    newer = replace(key, revision="sha256:" + "1" * 64, hashes=frozenset({"1" * 64}))
    assert not load_board(root, Keys([key])).refused
    assert "is not the version of the answer key" in str(load_board(root, Keys([newer])).refused[0].faults[0])


def test_withdrawn_and_replaced_entries_keep_their_pages_and_have_no_place(
    make_folder: Make, answers: Answers, keys: Keys, tmp_path: Path
) -> None:
    right = [{**one, "answer": one["answer"] or "A"} for one in answers]
    make_folder(answers, toml(), "new")
    make_folder(right, toml(more='superseded_by = "new"\n'), "old")
    make_folder(right, toml(more='withdrawn = "the frames were from another video"\n'), "wrong")
    root = make_folder(right, toml(more='superseded_by = "nobody"\n'), "kept").parents[1]
    (section,) = load_board(root, keys).sections
    assert {entry.name for entry in section.entries} == {"new", "kept"}
    assert {entry.name: entry.rank for entry in section.former} == {"old": None, "wrong": None}
    build(tmp_path / "site", root, keys)
    pages = tmp_path / "site" / "models" / "hlvid"
    assert "Withdrawn:</strong> the frames were from another video" in (pages / "wrong.html").read_text()
    assert 'Replaced by <a href="new.html">' in (pages / "old.html").read_text()
    assert (
        'that this entry replaces them: <a href="old.html">old</a> (75.0' in (pages / "new.html").read_text()
    )
    assert "entry 2 of 4 by ann here" in (pages / "new.html").read_text()
    assert "wrong" not in (tmp_path / "site" / "data" / "hlvid.js").read_text()
    assert "withdrawn, the frames" in (tmp_path / "site" / "datasets.html").read_text()


def test_variants_of_one_model_accuse_no_label(make_folder: Make, answers: Answers, keys: Keys) -> None:
    wrong = [{"question_id": str(n), "answer": "ABCD"[(n + 1) % 4]} for n in range(12)]
    for number in range(6):
        root = make_folder(wrong, toml("reader"), f"variant-{number}").parents[1]
    (section,) = load_board(root, keys).sections
    shipped = answers_of(section)
    assert shipped is not None and shipped["suspects"] == []
    for number in range(4):
        make_folder(wrong, toml(f"other-{number}"), f"other-{number}")
    (section,) = load_board(root, keys).sections
    shipped = answers_of(section)
    assert shipped is not None and len(shipped["suspects"]) == 12


def test_a_label_is_suspect_where_all_fail_with_one_letter(
    make_folder: Make, answers: Answers, keys: Keys
) -> None:
    """0 and 9 to 11: all give one wrong letter. 1: all are wrong, but not alike. 2: nobody gives a letter."""
    for number in range(5):
        given = [{**answers[0], "answer": "C"}, {**answers[1], "answer": "CD"[number % 2]},
                 {**answers[2], "answer": None}, *answers[3:]]  # fmt: skip
        root = make_folder(given, toml(f"one-{number}"), f"one-{number}").parents[1]
        (section,) = load_board(root, keys).sections
        shipped = answers_of(section)
        assert shipped is not None
        assert shipped["suspects"] == ([] if number < 4 else ["0", "9", "10", "11"]), (
            "five systems say something"
        )
