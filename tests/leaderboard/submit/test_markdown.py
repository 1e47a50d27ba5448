"""Untrusted text in Markdown shows as it is."""

import pytest

from leaderboard.submit.markdown import escape, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a-b (c) 1.5 %", "a-b (c) 1.5 %"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("a|b\n# c", "a\\|b \\# c"),
        (
            "[x](y) ![z] `code` *b* _i_ ~s~ $m$",
            "\\[x\\](y) \\!\\[z\\] \\`code\\` \\*b\\* \\_i\\_ \\~s\\~ \\$m\\$",
        ),
        ("@all", "&#64;all"),
        ("back\\slash", "back\\\\slash"),
        (None, "None"),
    ],
)
def test_escape(text: object, shown: str) -> None:
    assert escape(text) == shown


def test_addresses_do_not_become_links() -> None:
    assert "http://" not in escape("http://evil.org")
    assert escape("www.evil.org") == "\u2060www.evil.org"


def test_a_cell_cannot_leave_its_row() -> None:
    lines = table(("a", "b"), [("x |\n| y", "z")]).split("\n")
    assert lines == ["| a | b |", "|---|---|", "| x \\| \\| y | z |"]
