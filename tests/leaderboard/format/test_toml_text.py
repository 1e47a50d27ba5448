"""Every field's line is found however TOML spells it; what is written is read back equal."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.format.toml_text import LONGEST, Lines, dump, fault_line, parse

TEXT = r'''# benchmark = "no"
benchmark = "x"
notes = """
name = "not a field"
[cost]
\"""
"""  # [settings]
settings . frames = 8
settings."resolution"=448
[model]
name = ''' + r"""'''m'''

[left_out] # why
'a b=c' = "[cost]"
"it's" = "y"
[ cost ]
"hardware" = 'h # "'
seconds_per_question = 1.5
"""  # fmt: skip


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("benchmark",), 2),
        (("notes",), 3),
        (("settings", "frames"), 8),
        (("settings", "resolution"), 9),
        (("model",), 10),
        (("model", "name"), 11),
        (("model", "name", "deeper"), 11),
        (("left_out",), 13),
        (("left_out", "a b=c"), 14),
        (("left_out", "it's"), 15),
        (("cost", "hardware"), 17),
        (("cost", "seconds_per_question"), 18),
        (("absent",), 1),
        ((), 1),
    ],
)
def test_where_fields_stand(path: tuple[str, ...], line: int) -> None:
    data, lines = parse(TEXT)
    assert lines.of(*path) == line
    assert data["left_out"] == {"a b=c": "[cost]", "it's": "y"} and data["cost"]["hardware"] == 'h # "'
    assert Lines().of(*path) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = no\n", 2),
        ("a = 1\nb: 2\n", 2),
        ("a = '", None),
        ("a = " + "[" * LONGEST, 1),
        ("a = " + "[" * (LONGEST - 4), None),
        ("a = " + "9" * 4900, None),
        ("\n" + ".".join("a" * 20_000) + " = 1", 2),
    ],
)
def test_what_is_no_toml_is_told_at_once(text: str, line: int | None) -> None:
    started = time.monotonic()
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert fault_line(caught.value) == line
    assert time.monotonic() - started < 5


def test_the_deepest_keys_take_bounded_time() -> None:
    """tomllib's time grows with the square of a key's parts; 64 KiB of the deepest that are let through."""
    deepest = ".".join("a" * (LONGEST // 2 - 4))
    started = time.monotonic()
    with suppress(ValueError):  # Python 3.14 refuses keys of so many parts
        parse("".join(f"{deepest}.b{number} = 1\n" for number in range(13)))
    assert time.monotonic() - started < 20


VALUES = st.text(st.characters(codec="utf-8")) | st.integers() | st.booleans() | st.floats(
    allow_nan=False, allow_infinity=False
)  # fmt: skip
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)


@given(st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES))))
def test_what_is_written_is_read_back(fields: dict[str, Any]) -> None:
    back, _ = parse(dump(fields))
    assert back == fields and repr(sorted(back.items())) == repr(sorted(parse(dump(back))[0].items()))
