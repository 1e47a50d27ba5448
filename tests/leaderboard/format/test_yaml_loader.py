"""YAML that means what it looks like, is bounded, and comes back from `dump_yaml` as it was."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.format.yaml_loader import dump_yaml, line_of, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("On", "On"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"),
        ("010", 10), ("089", 89), ("0x1F", "0x1F"), ("1_000", "1_000"), ("<<", "<<"), ("=", "="),
        ("7", 7), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), ("true", True), ("null", None), ("~", None), ("", None),
        ("'true'", "true"), ("9" * 19, "9" * 19), ("a # b", "a"),
    ],
)  # fmt: skip
def test_plain_values_mean_what_they_look_like(text: str, value: object) -> None:
    data, _ = parse_yaml(f"key: {text}\n")
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "anchors"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tags"),
        ("a: !!timestamp abc", 1, "tags"),
        ("a: !!int ''", 1, "tags"),
        ("a: 1\nb: {c: 1, c: 2}", 2, "twice"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: " + "[" * 5000, 1, "deeper"),
        ("a: " + "{b: " * 5000, 1, "deeper"),
        ("? [1, 2]\n: 3\n", 1, "plain text"),
        ("? {a: 1}\n: 3\n", 1, "plain text"),
        ("a: [" + "1," * 5000 + "]", 1, "values"),
        ("a: 1\n--- \nb: 2\n", 2, "another document"),
        ("a: 'open\n", 2, "end of stream"),
        ("a: 1\nb:\t- 2\n\tc: 3", 2, ""),
    ],
)
def test_refused_with_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        parse_yaml(text)
    assert line_of(caught.value, text) == line
    assert problem in str(caught.value)


def test_control_characters_are_refused_with_their_line() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        parse_yaml("a: 1\nb: \x07\n")
    assert line_of(caught.value, "a: 1\nb: \x07\n") == 2


def test_lines_of_fields() -> None:
    _, lines = parse_yaml("benchmark: x\nmodel:\n  name: m\n  parts: [1,\n    2]\n")
    assert [lines.of("model"), lines.of("model", "name"), lines.of("model", "parts", 1)] == [2, 3, 4]
    assert lines.of("model", "absent") == 2
    assert lines.of("absent") == 1


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.from_regex(
    r"[-+~.]?([0-9]{1,8}[e:_.]?[0-9]{0,3}|true|null|no|yes)", fullmatch=True
)
VALUES = (
    TEXTS | st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(0, 1e9, allow_nan=False)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(TEXTS, VALUES | st.dictionaries(TEXTS, VALUES, max_size=3), max_size=4))
def test_dump_and_parse_are_inverse(data: dict[str, object]) -> None:
    back, _ = parse_yaml(dump_yaml(data))
    assert back == data
    assert repr(back) == repr(data)  # types too: 1 is not 1.0 and not True
