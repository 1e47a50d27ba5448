"""What a comparison is told to a submitter: the reason before a verdict that could not have been another."""

from typing import Any

from hlvid.scoring.compare import compare
from leaderboard.submit.standing import told


def rows(recordings: int, right: bool) -> list[dict[str, Any]]:
    """Five questions a recording, all answered right or all wrong."""
    return [
        {"question_id": f"{k}-{n}", "parsed": "A", "correct": right, "source": f"s{k}", "category": "c", "tier": None}
        for k in range(recordings)
        for n in range(5)
    ]  # fmt: skip


def test_too_few_recordings_are_the_first_thing_said() -> None:
    pair = compare(rows(4, True), rows(4, False), ("a", "b"))
    assert pair.conclusion == "no_evidence"  # although a is right on all and b on none
    assert told(pair).startswith("The recordings on which the two differ are too few")
    assert told(pair).endswith(pair.verdict)


def test_otherwise_the_verdict_stands_alone() -> None:
    for pair in (
        compare(rows(12, True), rows(12, False), ("a", "b")),
        compare(rows(4, True), rows(4, True), ("a", "b")),
    ):
        assert told(pair) == pair.verdict
