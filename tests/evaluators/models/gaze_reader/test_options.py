"""From readings to a letter: stronger evidence first, and silence rather than a coin."""

import pytest

from evaluators.models.gaze_reader.options import Line, folded, plain, score_options

SIGNS = {"A": "DL3", "B": "DL5", "C": "DL8", "D": "DL6"}
STREETS = {"A": "Hampden St", "B": "Hampden Blvd", "C": "Hampton St", "D": "Camden St"}


def line(text: str, score: float = 0.9, sharp: float = 1.0, seen_height: float = 20) -> Line:
    return Line(text, score, 0, (0, 0, 50, 20), sharp, seen_height)


@pytest.mark.parametrize(
    ("options", "read", "letter", "how"),
    [
        (SIGNS, ["DL8"], "C", "exact"),
        (SIGNS, ["dl-8 "], "C", "exact"),
        (SIGNS, ["EXIT DL 5 WEST"], "B", "exact"),
        (SIGNS, ["ADL5"], "B", "fuzzy"),  # a short option inside a word is weak evidence
        (SIGNS, ["DLS"], "B", "look_alike"),
        (SIGNS, ["0LB"], "C", "look_alike"),
        (SIGNS, ["DL"], None, "nothing"),  # as near to all four
        (SIGNS, ["DL1"], None, "nothing"),
        (SIGNS, ["DL3", "DL6"], None, "tie"),
        (SIGNS, ["DL3", "DL3", "DL6"], "A", "exact"),
        (SIGNS, ["DLS", "DL3"], "A", "exact"),  # exact beats look-alike
        (SIGNS, ["SPEED LIMIT", "65"], None, "nothing"),
        (SIGNS, [], None, "nothing"),
        (STREETS, ["HAMPDENST"], "A", "exact"),
        (STREETS, ["HAMPDEN BLVD NORTH"], "B", "exact"),
        (STREETS, ["Hampdcn Blud"], "B", "fuzzy"),
        ({"A": "Main St", "B": "Main St North"}, ["MAIN ST NORTH"], "B", "exact"),
        ({"A": "5S", "B": "55"}, ["SS"], None, "tie"),  # equal once confusable characters are
        ({"A": "5", "B": "6"}, ["15"], None, "nothing"),
        ({"A": "", "B": "..."}, ["anything"], None, "nothing"),
        ({"A": "北京路", "B": "南京路"}, ["南京路"], "B", "exact"),
    ],
)
def test_letter(options: dict[str, str], read: list[str], letter: str | None, how: str) -> None:
    verdict = score_options(options, [line(text) for text in read])
    assert (verdict.letter, verdict.how) == (letter, how)


def test_margin_is_a_quarter() -> None:
    close = [line("DL3", 1.0), line("DL8", 0.76)]
    clear = [line("DL3", 1.0), line("DL8", 0.74)]
    assert score_options(SIGNS, close).letter is None
    assert score_options(SIGNS, clear).letter == "A"


def test_half_seen_and_tiny_readings_count_less() -> None:
    assert score_options(SIGNS, [line("DL3", sharp=0.6), line("DL8")]).letter == "C"
    assert score_options(SIGNS, [line("DL3", seen_height=8), line("DL8", seen_height=16)]).letter == "C"
    assert line("x", 0.8, 0.5, 8).weight == pytest.approx(0.8 * 0.25 * 0.25)


def test_forms() -> None:
    assert plain(" Hampden-St. ") == "HAMPDENST" and plain("ＤＬ３") == "DL3"
    assert folded("DLB") == folded("0L8") == folded("QI8")
