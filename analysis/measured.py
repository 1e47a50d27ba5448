"""Which of the runs on disk counts for a table, and what to call it where space is short.

A configuration is the model, its arguments (but those that change nothing but speed or money) and the seed. Of two
runs of one configuration on one set of questions the whole one counts, never the one with `--limit`; of two with a
limit the longer one. Runs on different sets (HLVid-Mini small and full) are never put in each other's place.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.records import Row, Run, runs
from evaluators.runs.recipes import FRAMES

MODEL, SEED, LIMIT = "--model", "--seed", "--limit"
PLAIN = (MODEL, "selector", "strategy", "reduction", "inner", "model")
"""Settings whose value says by itself what it is."""


@dataclass(frozen=True)
class Measured:
    """A finished run's numbers on one task; a run on a group has one for each of its tasks.

    dataset: which set of questions: the identity that `hlvid eval` recorded; of older runs, which have none, the
        number of questions of a whole run, "" for one with `--limit`.
    where: the task's name, with the set where several sets of that task were found.
    """

    run: Run
    task: str
    numbers: dict[str, Any]
    dataset: str = ""
    where: str = ""

    @property
    def frames(self) -> Any:
        """How many frames the model was asked to take, whatever it calls them; None where it was not said."""
        told = self.run.arguments
        return next((told[name] for name in FRAMES if told.get(name) is not None), None)

    @property
    def percent(self) -> dict[str, Any]:
        """Accuracy in % with the ends of its clustered interval, and n."""
        low, high = self.numbers["clustered"]
        value = self.numbers["accuracy"]
        return {"value": 100 * value, "low": 100 * low, "high": 100 * high, "n": self.numbers["n"]}


def measured(folders: Iterable[Path]) -> list[Measured]:
    """One result for each configuration, task and set of questions, by path of the run that counts."""
    found = [
        Measured(run, task, numbers, _dataset(run, task, numbers))
        for run in runs(folders)
        if run.ok
        for task, numbers in ({run.results["task"]: run.results} | (run.results.get("tasks") or {})).items()
        if numbers.get("accuracy") is not None
    ]
    best: dict[tuple[str, str, str], Measured] = {}
    for one in found:
        key = (one.run.configuration, one.task, one.dataset)
        if key not in best or _rank(one) > _rank(best[key]):
            best[key] = one
    kept = [one for one in best.values() if one.dataset or not _whole_of(one, best.values())]
    sets: dict[str, set[str]] = defaultdict(set)
    for one in kept:
        sets[one.task].add(one.dataset)
    named = [replace(one, where=_where(one, several=len(sets[one.task]) > 1)) for one in kept]
    return sorted(named, key=lambda one: (one.run.folder, one.task))


def _dataset(run: Run, task: str, numbers: Mapping[str, Any]) -> str:
    """The recorded identity of the questions; see `Measured`."""
    said = numbers.get("dataset") or run.results.get("dataset")
    said = said.get(task, said.get("identity")) if isinstance(said, Mapping) else said
    if said:
        return str(said)
    return "" if run.limit is not None else f"n = {numbers.get('n')}"


def _whole_of(one: Measured, others: Iterable[Measured]) -> bool:
    """Whether a whole run of the same configuration and task is there: then a short one of no known set is not told."""
    mine = (one.run.configuration, one.task)
    return any((o.run.configuration, o.task) == mine and o.run.limit is None for o in others)


def _where(one: Measured, several: bool) -> str:
    return f"{one.task} ({short_set(one.dataset)})" if several and one.dataset else one.task


def short_set(dataset: str) -> str:
    """A set's identity as a column's head holds it: hashes cut to 8 digits, names as they are."""
    head, _, digits = dataset.rpartition(":")
    hexadecimal = len(digits) > 16 and set(digits) <= set("0123456789abcdef")
    return digits[:8] if hexadecimal else (dataset if not head else f"{head}:{digits}")


def preferred_first(found: Iterable[Run]) -> list[Run]:
    """Runs without a limit, then those with one, the longer first; else in their order."""
    return sorted(found, key=lambda run: (run.limit is not None, -(run.limit or 0)))


def short_names(
    found: Sequence[Run], lead: Sequence[str] = (), hidden: Collection[str] = ()
) -> dict[Row, str]:
    """What to call runs where space is short: what sets them apart from the others here; no two the same.

    Args:
        found: all runs that will be shown together.
        lead: settings that are always named, in this order.
        hidden: settings that are shown elsewhere, for example in a column of their own.
    """
    own = {run.identity: _settings(run) for run in found}
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for settings in own.values():
        groups[settings[MODEL]].append(settings)
    first = [*lead, *([MODEL] if len(groups) > 1 and MODEL not in lead else [])]
    wanted = {model: [*first, *_varying(group, (*first, *hidden))] for model, group in groups.items()}

    def named(whole: bool) -> dict[Row, str]:
        return {key: _name(one, wanted[one[MODEL]], whole) for key, one in own.items()}

    names = named(whole=False)
    shown = {(name, *(str(own[key].get(one)) for one in hidden)) for key, name in names.items()}
    return names if len(shown) == len(own) else named(whole=True)  # two folders of one last name, perhaps


def _varying(group: Sequence[dict[str, Any]], named: Collection[str]) -> list[str]:
    """Settings that differ among runs of one model; seeds and limits are told wherever there is one."""
    names = dict.fromkeys(
        name for settings in group for name in settings if name not in (*named, SEED, LIMIT)
    )
    differ = [name for name in names if len({str(settings.get(name)) for settings in group}) > 1]
    return [*differ, SEED, LIMIT]


def _settings(run: Run) -> dict[str, Any]:
    """Everything that shapes a run, the command's own options under the names they have there."""
    settings = {MODEL: str(run.results["model"]), **dict(sorted(run.telling_arguments.items()))}
    settings |= {SEED: run.seed} if run.seed else {}
    return settings | ({LIMIT: run.limit} if run.limit is not None else {})


def _name(settings: dict[str, Any], wanted: Sequence[str], whole: bool) -> str:
    parts = []
    for name in wanted:
        if settings.get(name) is not None:
            value = str(settings[name])
            # Where a checkpoint lies says nothing to a reader, what it is called does.
            value = value if whole else value.rstrip("/").rpartition("/")[2]
            parts.append(value if name in PLAIN else f"{name} {value}")
    return " ".join(parts)


def _rank(one: Measured) -> tuple[bool, int, float]:
    """The whole run, else the longest; of equal ones the newest."""
    newest = (one.run.folder / "results.json").stat().st_mtime
    return one.run.limit is None, int(one.numbers.get("n") or 0), newest
