"""Run with: pytest tests/hlvid/dataset/test_order.py. Text, letters and answer move together, nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlvid.dataset import Question
from hlvid.dataset.options import option_spans
from hlvid.dataset.order import is_movable, relabelled, rotations, shuffled
from hlvid.errors import DatasetError

TEXT = " Which of 1. A. DL3 or DL5?\n A. DL3 \n B.\tDL5\n(C) DL 8\n D:DL6, B. \n Please answer."


def question(text: str = TEXT, answer: str | None = "B", **options: str) -> Question:
    options = options or {"A": "DL3", "B": "DL5", "C": "DL 8", "D": "DL6, B."}
    return Question("7", "v.mp4", "v", "av", "Which?", options, answer, text=text)


def test_the_options_change_places_in_the_text_and_nothing_around_them() -> None:
    turned = relabelled(question(), "BCDA")
    assert (
        turned.text
        == " Which of 1. A. DL3 or DL5?\n A. DL5 \n B.\tDL 8\n(C) DL6, B.\n D:DL3 \n Please answer."
    )
    assert turned.options == {"A": "DL5", "B": "DL 8", "C": "DL6, B.", "D": "DL3"}
    assert turned.answer == "A"
    assert relabelled(turned, "DABC") == question()
    assert relabelled(question(answer=None), "BCDA").answer is None


def test_every_rotation_puts_the_answer_under_every_letter() -> None:
    assert rotations(question()) == ["ABCD", "BCDA", "CDAB", "DABC"]
    assert sorted(str(relabelled(question(), order).answer) for order in rotations(question())) == list(
        "ABCD"
    )


def test_a_shuffle_depends_on_seed_and_question_alone_and_moves_every_letter() -> None:
    assert shuffled(question(), 3) == shuffled(question(text="other"), 3)
    orders = {shuffled(question(), seed) for seed in range(200)}
    assert len(orders) == 24
    first = [shuffled(question(), seed)[0] for seed in range(400)]
    assert all(70 < first.count(letter) < 130 for letter in "ABCD")


@pytest.mark.parametrize("last", ["Both A and B", "None of the above", "A or C"])
def test_options_that_speak_of_others_stay(last: str) -> None:
    fixed = question(A="x", B="y", C="z", D=last)
    assert not is_movable(fixed)
    assert rotations(fixed) == ["ABCD"] and shuffled(fixed, 1) == "ABCD"


def test_a_text_without_its_list_of_options_is_told() -> None:
    with pytest.raises(DatasetError, match="question 7: its text does not list its options in order"):
        relabelled(question("Which? A. DL3 B. DL6"), "BCDA")


words = st.text("abcD3. ", min_size=1, max_size=9).map(lambda text: " ".join(text.split())).filter(bool)


@given(st.lists(words, min_size=2, max_size=6), st.sampled_from(["\n", "\n ", " "]), st.randoms())
def test_any_order_can_be_undone(texts: list[str], gap: str, chance) -> None:  # type: ignore[no-untyped-def]
    options = dict(zip("ABCDEF", texts, strict=False))
    asked = question(
        gap.join(["What?", *(f"{key}. {text}" for key, text in options.items()), "Answer."]), **options
    )
    order = list(options)
    chance.shuffle(order)
    moved = relabelled(asked, order)
    spans = option_spans(moved.text, moved.options)
    assert [moved.text[begin:end] for begin, end in spans] == list(moved.options.values())
    back = [list(options)[order.index(letter)] for letter in options]
    assert relabelled(moved, back).options == options
