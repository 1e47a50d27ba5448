"""Run with: pytest tests/hlvid/scoring/test_circular.py. Right only if right in all rotations."""

from hlvid.scoring.accuracy import summarize
from hlvid.scoring.circular import collapse


def rows(circle: str, *letters: str | None) -> list[dict[str, object]]:
    """A question whose answer is B in all its rotations, as process_results gives it."""
    return [
        {
            "question_id": f"{circle}~{turn}",
            "circle": circle,
            "parsed": letter,
            "correct": letter == "B",
            "source": "s",
        }
        for turn, letter in enumerate(letters)
    ]


def test_a_question_is_right_only_if_every_rotation_is() -> None:
    asked = [*rows("1", "B", "B", "B"), *rows("2", "B", "B", "A"), *rows("3", "B", None, "B")]
    assert [(row["question_id"], row["correct"], row["parsed"]) for row in collapse(asked)] == [
        ("1", True, "B"),
        ("2", False, "B"),
        ("3", False, None),
    ]
    overall = summarize(collapse(asked)).overall
    assert (overall.correct, overall.n, overall.unparsed) == (1, 3, 1)


def test_rows_of_an_ordinary_run_are_kept() -> None:
    plain = [
        {"question_id": "1", "correct": True, "parsed": "B"},
        {"question_id": "2", "correct": False, "parsed": "A"},
    ]
    assert collapse(plain) == plain
