"""The yardstick: its sets have nothing in common, and its numbers are those of cases whose answer is known."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.records import runs
from analysis.studies import yardstick
from analysis.studies.yardstick import Questions, Yardstick
from hlvid.cli import app, mount_all
from hlvid.dataset import load
from hlvid.errors import RunError
from hlvid.mini import wanted
from hlvid.mini.plan import plan
from hlvid.paths import mini_root

Write = Callable[..., Path]
TINY = Yardstick(
    ratios=(0.01,), resolution=896, development=Questions(mini="tiny"), untouched=Questions(mini="tiny-1")
)


@pytest.fixture(autouse=True, scope="module")
def at_hand(tiny_mini: Path) -> None:
    """What `make` would leave in the data folder."""
    if not (place := mini_root("tiny", 0)).exists():
        place.symlink_to(tiny_mini)


def table(hits: dict[str, list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "selector": name,
            "ratio": 0.01,
            "question": str(k),
            "source": f"v{k // 4}",
            "hit": hit,
            "tokens": 0.01,
        }
        for name, row in hits.items()
        for k, hit in enumerate(row)
    )


def test_the_sets_share_no_question_with_each_other_or_the_demo() -> None:
    sets = Yardstick.load()
    texts = [
        {(q.text, q.look) for video in plan(*wanted(name)) for q in video.questions}
        for name in (sets.development.mini, sets.untouched.mini, "default")
    ]
    assert (
        len(texts[0]) >= 190
        and sum(len(video.questions) for video in plan(*wanted(sets.development.mini))) >= 192
    )
    assert wanted(sets.development.mini) != wanted(sets.untouched.mini)
    assert len(texts[0] & texts[1]) <= 4 and len(texts[0] & texts[2]) <= 2


def test_recordings_are_of_one_set(tmp_path: Path) -> None:
    sets = Yardstick.load()
    for name in (*sets.untouched.recordings, "street"):
        (tmp_path / f"{name}.mp4").touch()
    assert [path.stem for path in sets.recordings(tmp_path, "development")] == ["street"]
    assert {path.stem for path in sets.recordings(tmp_path, "untouched")} == set(sets.untouched.recordings)
    with pytest.raises(RunError, match="no video of the untouched set"):
        TINY.recordings(tmp_path, "untouched")


def test_differences_are_paired_and_from_the_first() -> None:
    worse, better = [1, 0, 0, 0] * 6, [1, 1, 1, 0] * 6
    found = yardstick.paired(table({"detail": worse, "text": better}), "text", "detail", 0.01)
    assert (found.difference, found.recordings) == (pytest.approx(0.5), 6) and found.p < 0.05
    said = yardstick.report(table({"detail": worse, "text": better}))
    assert "25.0% [" in said and "+50.0 [" in said and "1.00% spent" in said


def test_one_recording_has_a_share_and_no_interval() -> None:
    told = yardstick.report(table({"detail": [1, 0, 0, 0], "random": [1, 1, 0, 0]}))
    assert (
        "25.0% (one recording: no interval), 1.00% spent" in told
        and "50.0% (one" in told
        and "nan" not in told
    )


def test_everything_covers_all_and_one_token_a_tile_nothing(tmp_path: Path) -> None:
    from autogaze.selectors import get

    found = yardstick.recall(
        TINY.model_copy(update={"ratios": (1.0,)}), {"all": get("everything"), "detail": get("detail")}
    )
    assert (found.hit == 1).all() and found.tokens.unique().tolist() == [1.0]
    few = yardstick.recall(TINY.model_copy(update={"ratios": (1e-4,)}), {"centre": get("centre")})
    assert (few.hit == 0).all() and few.question.nunique() == found.question.nunique() > 0


def test_accuracy_is_of_runs_that_asked_these_questions(
    write_run: Write, tmp_path: Path, tiny_mini: Path
) -> None:
    questions = load(tiny_mini)

    def leave(name: str, stem: str | None = None) -> None:
        rows = [
            {
                "question_id": q.id,
                "source": q.source,
                "stem": stem or q.stem,
                "correct": k % 2 == 0,
                "details": {"ratio_of_valid": 0.01},
            }
            for k, q in enumerate(questions)
        ]
        folder = write_run(
            name, task="hlvid_mini", model="gaze_reader", model_args={"selector": name, "ratio": 0.01}
        )
        (folder / "samples.jsonl").write_text("\n".join(map(json.dumps, rows)))

    leave("detail")
    leave("others", stem="of another set?")
    found = yardstick.accuracy(TINY, runs([tmp_path / "runs"]))
    assert set(found.selector) == {"detail"} and found.hit.mean() == 0.5
    with pytest.raises(RunError, match="HLVID_MINI_PRESET=tiny-1 hlvid sweep gaze"):
        yardstick.accuracy(TINY, [], "untouched")


def test_the_command_prints_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Yardstick, "load", lambda: TINY)
    mount_all(app)
    said = CliRunner().invoke(
        app, ["yardstick", "--selector", "detail", "--selector", "centre,budget=tile", "--ratio", "0.02"]
    )
    assert (
        said.exit_code == 0
        and "| 2.0% |" in said.output
        and "| detail |" in said.output
        and "| centre,budget=tile |" in said.output
    )
    wrong = CliRunner().invoke(app, ["yardstick", "--selector", "detail,sharp=1"])
    assert wrong.exit_code and "no argument 'sharp'" in str(wrong.exception)


def test_selectors_are_told_the_question_and_the_codec() -> None:
    chosen = {name: yardstick.selector(name) for name in ("detail", "question", "codec")}
    found = yardstick.recall(TINY, chosen)
    assert set(found.groupby("selector").question.nunique()) == {found.question.nunique()}
    assert found[found.selector == "question"].hit.mean() >= found[found.selector == "detail"].hit.mean()
    with pytest.raises(
        RunError, match=r"--selector question: .*needs question, which these clips do not tell"
    ):
        yardstick.selector("question", asked=False)  # recordings have none
