"""The plan of HLVid-Mini: structure of the presets, balance, fairness of the options."""

import csv
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from hlvid.errors import DatasetError
from hlvid.mini import wanted
from hlvid.mini.board import board, parcel
from hlvid.mini.plan import TIERS, Asked, plan
from hlvid.mini.room import BAY_H, BAY_W
from tests.hlvid.scoring.conftest import compare


def questions(preset: str, seed: int = 0) -> list[Asked]:
    return [q for video in plan(preset, seed) for q in video.questions]


@pytest.mark.parametrize(
    ("preset", "videos", "count"), [("tiny", 2, 8), ("default", 8, 48), ("study", 24, 192), ("full", 77, 268)]
)
def test_sizes(preset: str, videos: int, count: int) -> None:
    assert len(plan(preset)) == videos
    assert [q.id for q in questions(preset)] == [str(i) for i in range(count)]


def test_default_has_both_categories_and_a_recording_of_each_clip() -> None:
    videos = plan("default")
    assert Counter(v.clip.category for v in videos) == {"av": 4, "household": 4}
    assert len({v.clip.recording for v in videos}) == len(videos) == 8
    assert sum(v.frames for v in videos) == 6 * 20 * 12  # no more to draw than six clips of 20 s


def test_default_tells_a_blind_from_a_perfect_reader() -> None:
    """The least that a benchmark has to be able to: 6 clips under 4 recordings never could."""
    rows = {
        name: [
            {
                "question_id": q.id,
                "source": v.clip.recording,
                "category": v.clip.category,
                "correct": right(q),
                "parsed": "A",
                "tier": q.tier,
            }
            for v in plan("default")
            for q in v.questions
        ]
        for name, right in {"blind": lambda q: q.answer == "A", "reader": lambda q: True}.items()
    }
    found = compare(rows["blind"], rows["reader"])
    assert found.conclusion == "b_better", found.verdict
    assert found.accuracy_a == 0.25 and found.recordings == 8


def test_full_has_the_real_structure(shared: Path) -> None:
    with (shared / "hlvid" / "questions.csv").open() as file:
        real = Counter(row["video_path"] for row in csv.DictReader(file))
    assert {v.name: len(v.questions) for v in plan("full")} == real


def test_full_without_the_reference() -> None:
    videos = plan("full")
    per_category: Counter[str] = Counter()
    per_recording: Counter[str] = Counter()
    for v in videos:
        per_category[v.clip.category] += len(v.questions)
        per_recording[v.clip.recording] += len(v.questions)
    assert per_category == {"av": 146, "household": 122}
    assert len(per_recording) == 30
    assert max(per_recording.values()) == 59
    assert max(v.duration for v in videos) == 300


@pytest.mark.parametrize("preset", ["tiny", "default", "study", "full"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tiers_and_letters_are_balanced(preset: str, seed: int) -> None:
    asked = questions(preset, seed)
    tiers = Counter(q.cap for q in asked)
    assert set(tiers) == set(TIERS)
    assert max(tiers.values()) - min(tiers.values()) <= 1
    for cap in TIERS:
        letters = Counter(q.answer for q in asked if q.cap == cap)
        assert max(letters.values()) - min(letters.get(letter, 0) for letter in "ABCD") <= 1


def test_most_common_letter_and_longest_option_are_right_in_a_quarter() -> None:
    asked = questions("default")
    assert set(Counter(q.answer for q in asked).values()) == {12}
    assert all(len({len(text) for text in q.options.values()}) == 1 for q in asked)


@pytest.mark.parametrize("seed", range(5))
def test_options_differ_in_one_or_two_characters_and_none_stands_out(seed: int) -> None:
    for q in questions("full", seed):
        texts = list(q.options.values())
        distances = {
            (a, b): sum(x != y for x, y in zip(a, b, strict=True)) for a, b in combinations(texts, 2)
        }
        assert set(distances.values()) <= {1, 2}, q
        near = {t: sorted(d for pair, d in distances.items() if t in pair) for t in texts}
        assert len({tuple(d) for d in near.values()}) == 1, q  # the right one is not the middle one


@pytest.mark.parametrize("preset", ["default", "study", "full"])
def test_a_question_means_one_thing_in_its_video(preset: str) -> None:
    for video in plan(preset):
        assert len({q.stem for q in video.questions}) == len(video.questions)
        assert len({(q.look.ground, q.look.kind) for q in video.questions}) == len(video.questions)
        words = [q.text.split()[0] for q in video.questions]
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("preset", ["tiny", "default", "study", "full"])
def test_windows_lie_in_their_segment_and_places_are_not_shared(preset: str) -> None:
    for video in plan(preset):
        for q in video.questions:
            begin, end = q.window
            assert 0 <= q.segment[0] <= begin < end <= q.segment[1] <= video.duration + 1e-9
            assert end - begin >= 0.999
        for a, b in combinations(video.questions, 2):
            assert a.slot != b.slot or a.segment[1] <= b.segment[0] or b.segment[1] <= a.segment[0]


def test_windows_spread_from_a_second_to_most_of_the_clip_in_each_tier() -> None:
    for cap in TIERS:
        lengths = sorted(q.window[1] - q.window[0] for q in questions("default") if q.cap == cap)
        assert lengths[0] < 1.6 and lengths[-1] > 11  # of 15
        assert sum(length < 2 for length in lengths) == 2


def test_texts_fit_their_places() -> None:
    for video in plan("default"):
        draw, widest = (board, 970) if video.clip.category == "av" else (parcel, BAY_W)
        for q in video.questions:
            piece = draw(q.text, q.cap, q.look, seed=1)
            assert piece.sprite.width <= widest and piece.sprite.height <= BAY_H
            assert piece.box[0] >= 0 and piece.box[2] <= piece.sprite.width


def test_another_seed_asks_other_things_and_the_same_seed_the_same() -> None:
    assert plan("default", 0) == plan("default", 0)
    assert {q.text for q in questions("default", 0)} != {q.text for q in questions("default", 1)}


def test_unknown_preset_names_the_allowed() -> None:
    with pytest.raises(DatasetError, match=r"'huge'.*tiny, default, study, long, full"):
        plan("huge")


def test_a_run_names_preset_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_MINI_PRESET", "study-11")
    assert wanted() == ("study", 11) and wanted("tiny") == ("tiny", 0)
    monkeypatch.delenv("HLVID_MINI_PRESET")
    assert wanted() == ("default", 0)
    with pytest.raises(DatasetError, match=r"'study-x': expected PRESET or PRESET-SEED"):
        wanted("study-x")
