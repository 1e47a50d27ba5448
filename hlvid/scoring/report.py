"""Several runs on the same questions, compared: what `hlvid compare` prints, as text, JSON and CSV.

Groups (category, tier) are looked at together: their p-values are corrected over all groups and pairs of a label.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hlvid.scoring.accuracy import Accuracy, accuracy_of
from hlvid.scoring.averages import category_mean, category_mean_interval
from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.intervals import Interval
from hlvid.scoring.multiple import holm
from hlvid.scoring.table import MeanOf, Table

Row = Mapping[str, Any]
LABELS = ("category", "tier")
_LISTED = 20  # changed questions shown of each pair and side


@dataclass(frozen=True)
class System:
    """One run: its number (share right, or mean of the categories) with the interval, and the counts behind it."""

    name: str
    value: float
    interval: Interval
    overall: Accuracy


@dataclass(frozen=True)
class Changed:
    """A question that only one of two runs got right, with the letters that both gave."""

    question_id: str
    a: str
    b: str
    right: str
    letter_a: str | None
    letter_b: str | None
    category: str | None
    tier: str | None


@dataclass(frozen=True)
class Report:
    """`groups[label][value]`: the comparisons of all pairs on the questions of one category or tier."""

    mean_of: MeanOf
    systems: tuple[System, ...]
    pairs: tuple[Comparison, ...]
    groups: Mapping[str, Mapping[str, tuple[Comparison, ...]]]
    changed: tuple[Changed, ...]

    def text(self) -> str:
        """For a terminal."""
        lines = [_system_line(one) for one in self.systems] + [""]
        for pair in self.pairs:
            lines += [pair.verdict, *_needed(pair), *self._changed(pair), ""]
        for label, groups in self.groups.items():
            lines += [f"By {label} (Holm over all of them):", *_group_lines(groups), ""]
        return "\n".join(lines).rstrip()

    def json(self) -> str:
        """Everything, one JSON object."""
        data = {
            "mean_of": self.mean_of,
            "systems": [asdict(one) for one in self.systems],
            "pairs": [_pair(one) for one in self.pairs],
            "groups": {
                label: {value: [_pair(one) for one in pairs] for value, pairs in groups.items()}
                for label, groups in self.groups.items()
            },
            "changed": [asdict(one) for one in self.changed],
        }
        return json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)

    def csv(self) -> str:
        """One line a pair and group; the group of all questions is "all"."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_COLUMNS)
        rows = [("all", "all", pair) for pair in self.pairs]
        for label, groups in self.groups.items():
            rows += [(label, value, pair) for value, pairs in groups.items() for pair in pairs]
        for label, value, one in rows:
            fields = _plain({**asdict(one), "low": one.interval.low, "high": one.interval.high, "p": one.p})
            fields |= {"label": label, "group": value, "conclusion": one.conclusion}
            writer.writerow(fields[name] for name in _COLUMNS)
        return out.getvalue()

    def _changed(self, pair: Comparison) -> list[str]:
        lines = []
        for winner in (pair.a, pair.b):
            own = [one for one in self.changed if (one.a, one.b) == (pair.a, pair.b) and one.right == winner]
            shown = ", ".join(map(_letters, own[:_LISTED]))
            more = f" and {len(own) - _LISTED} more" if len(own) > _LISTED else ""
            lines += [f"  only {winner} right: {shown}{more}"] if own else []
        return lines


_COLUMNS = (
    *(
        "label",
        "group",
        "a",
        "b",
        "n",
        "accuracy_a",
        "accuracy_b",
        "only_a",
        "only_b",
        "difference",
        "low",
        "high",
    ),
    *(
        "clustered_p",
        "adjusted_p",
        "mcnemar_p",
        "conclusion",
        "recordings",
        "deciding",
        "detectable",
        "needed",
    ),
)


def compare_runs(
    runs: Mapping[str, Sequence[Row]],
    *,
    mean_of: MeanOf = "questions",
    level: float = 0.95,
) -> Report:
    """Compare runs of the same questions in all ways.

    Args:
        runs: rows of each, as for `summarize`; two at least.
        mean_of: what counts alike, questions or categories.
        level: of intervals and tests.

    Raises:
        AnswerError: as `Table.of`.
    """
    table = Table.of(runs, mean_of)
    systems = tuple(_system(name, rows, mean_of, level) for name, rows in runs.items())
    pairs = tuple(compare_table(table, level=level))
    groups = {label: _groups(table, label, level) for label in LABELS}
    found = {label: parts for label, parts in groups.items() if len(parts) > 1}
    return Report(mean_of, systems, pairs, found, tuple(_changes(table, pairs)))


def _system(name: str, rows: Sequence[Row], mean_of: MeanOf, level: float) -> System:
    overall = accuracy_of(rows, level)
    if mean_of == "questions":
        return System(name, overall.value, overall.clustered, overall)
    interval = category_mean_interval(rows, level=level)
    return System(name, category_mean(rows), interval, overall)


def _groups(table: Table, label: str, level: float) -> Mapping[str, tuple[Comparison, ...]]:
    values = sorted({value for value in table.labels[label] if value is not None})
    parts: dict[str, list[Comparison]] = {}
    for value in values:
        part = replace(table, mean_of="questions").where([one == value for one in table.labels[label]])
        parts[value] = compare_table(part, level=level, power=False)
    tests = [one for pairs in parts.values() for one in pairs]
    adjusted = iter(holm([one.clustered_p for one in tests]))
    return {
        value: tuple(replace(one, adjusted_p=next(adjusted), pairs=len(tests)) for one in pairs)
        for value, pairs in parts.items()
    }


def _changes(table: Table, pairs: Sequence[Comparison]) -> list[Changed]:
    found = []
    for pair in pairs:
        one, other = table.systems.index(pair.a), table.systems.index(pair.b)
        for row, difference in enumerate(table.differences(one, other)):
            if difference:
                letters = table.letters[row]
                labels = (table.labels["category"][row], table.labels["tier"][row])
                right = pair.a if difference > 0 else pair.b
                found.append(
                    Changed(
                        table.questions[row], pair.a, pair.b, right, letters[one], letters[other], *labels
                    )
                )
    return found


def _system_line(one: System) -> str:
    of = f"{one.overall.correct} of {one.overall.n} right"
    unparsed = f", {one.overall.unparsed} without a letter" if one.overall.unparsed else ""
    level, low, high = (100 * value for value in (one.interval.level, one.interval.low, one.interval.high))
    ends = f"{level:g} %: {low:.1f} to {high:.1f}, clustered by recording"
    return f"{one.name}: {100 * one.value:.1f} % ({ends}; {of}{unparsed})"


def _letters(one: Changed) -> str:
    if {one.letter_a, one.letter_b} == {"+", "-"}:  # a table of right and wrong knows no letters
        return one.question_id
    return f"{one.question_id} ({one.letter_a or '-'}|{one.letter_b or '-'})"


def _needed(pair: Comparison) -> list[str]:
    if pair.conclusion != "no_evidence" or pair.needed is None:
        return []
    recordings = max(1, round(pair.needed * pair.recordings / pair.n))
    return [
        f"  Were the true difference the one seen, it would take about {pair.needed:,} questions on "
        f"{recordings:,} recordings like these to find it 8 times in 10."
    ]


def _group_lines(groups: Mapping[str, tuple[Comparison, ...]]) -> list[str]:
    said = {"no_evidence": "no evidence", "a_better": "better", "b_better": "worse"}
    return [
        f"  {value} (n = {one.n}): {one.a} {100 * one.accuracy_a:.1f} %, {one.b} {100 * one.accuracy_b:.1f} %, "
        f"{100 * one.difference:+.1f} points ({100 * one.interval.low:+.1f} to {100 * one.interval.high:+.1f}), "
        f"p = {one.p:.2g}: {said[one.conclusion]}"
        for value, pairs in groups.items()
        for one in pairs
    ]


def _pair(one: Comparison) -> dict[str, Any]:
    return {**asdict(one), "p": one.p, "conclusion": one.conclusion, "verdict": one.verdict}


def _plain(value: Any) -> Any:
    """The same with None for NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value
