"""Run with: pytest tests/evaluators/models/test_blind.py"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evaluators.models.blind import Blind, BlindChat, hashed_letter
from hlvid.dataset.question import Question
from hlvid.errors import RunError


def says(question: Question, **arguments: Any) -> str:
    return Blind(**arguments).answer(question).text


def test_longest_takes_the_wordiest_option(questions: list[Question]) -> None:
    assert says(questions[0], strategy="longest") == "B"


def test_most_common_says_its_letter_or_the_first_there_is(questions: list[Question]) -> None:
    assert says(questions[0], strategy="most_common") == "A"
    assert says(questions[0], strategy="most_common", letter="c") == "C"
    assert says(questions[0], strategy="most_common", letter="F") == "A"


def test_hash_is_fixed_for_all_time(questions: list[Question]) -> None:
    # A changed draw would change every published floor: this is the draw of the first release.
    assert "".join(says(question) for question in questions) == "BBDDAA"


def test_hash_is_uniform_and_follows_seed() -> None:
    letters = dict.fromkeys("ABCD", "")
    drawn = Counter(hashed_letter(str(index), letters) for index in range(4000))
    # 4000 fair draws of four: a deviation of 150 has probability below 1e-7 a letter.
    assert all(abs(drawn[letter] - 1000) < 150 for letter in letters)
    other = [hashed_letter(str(index), letters, seed=1) for index in range(100)]
    assert other != [hashed_letter(str(index), letters) for index in range(100)]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"strategy": "best"}, "allowed: hash, longest, most_common"), ({"letter": "AB"}, "letter is 'AB'")],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(RunError, match=text):
        Blind(**arguments)


def test_only_what_a_strategy_uses_is_in_its_identity(tmp_path: Path) -> None:
    assert Blind("longest", seed=1, runs=str(tmp_path)).settings() == {"strategy": "longest"}
    assert Blind("hash", seed=1).settings() == {"strategy": "hash", "seed": 1}


def test_lmms_eval_can_tell_the_two_apart() -> None:
    assert Blind.is_simple and not BlindChat.is_simple
