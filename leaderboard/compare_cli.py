"""`hlvid compare` and `hlvid rescore`: finished runs against each other, and against today's parser.

No model is asked. The rule is the board's (`hlvid.scoring.rule`).
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hlvid.errors import AnswerError

if TYPE_CHECKING:
    from hlvid.scoring.samples import Sample

Task = Annotated[
    str | None,
    typer.Option(help="Which task or benchmark, where a run holds several or a table does not say."),
]


class Form(StrEnum):
    """How a comparison is printed."""

    text, json, csv = "text", "json", "csv"


def mount(app: typer.Typer) -> None:
    """Add this module's commands to the roof; what they need is imported when they run."""
    app.command(rich_help_panel="Compare")(compare)
    app.command(rich_help_panel="Compare")(rescore)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more: run folders, lmms-eval samples, submissions; or one table of 0 and 1."
        ),
    ],
    task: Task = None,
    questions: Annotated[
        Path | None, typer.Option(help="For a table: a .csv with question_id, source, category.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="text, json or csv.")] = Form.text,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    again: Annotated[
        bool, typer.Option("--rescore", help="Read every letter anew with today's parser.")
    ] = False,
    level: Annotated[float, typer.Option(help="Of intervals; 1 - level is the tests' level.")] = 0.95,
) -> None:
    """Which run is better? Verdict, interval, category and tier, changed questions, what it would take."""
    from hlvid.scoring.correctness import is_correctness, read_correctness
    from hlvid.scoring.report import compare_runs
    from hlvid.scoring.samples import distinct_names
    from leaderboard.benchmarks import mean_of

    if not 0.5 <= level < 1:
        raise typer.BadParameter(f"is {level}; give a share such as 0.95", param_hint="--level")
    if len(runs) == 1 and is_correctness(runs[0]):
        systems: Mapping[str, Sequence[Mapping[str, Any]]] = read_correctness(runs[0], questions)
        benchmark = task
    else:
        read = [_samples(path, task) for path in runs]
        names = distinct_names(runs)
        systems = {name: _rows(path, one, again) for name, path, one in zip(names, runs, read, strict=True)}
        benchmark = _one_benchmark(runs, [_benchmark(one, task) for one in read])
        _one_way(runs, read)
        _same_choices(runs, read)
    if len(systems) < 2:
        raise AnswerError(f"{runs[0]}: is one system alone; give two runs or more")
    report = compare_runs(systems, mean_of=mean_of(benchmark or ""), level=level)
    forms = {Form.text: report.text, Form.json: report.json, Form.csv: report.csv}
    typer.echo(forms[Form.json if as_json else form]().rstrip("\n"))


def rescore(
    run: Annotated[Path, typer.Argument(help="A run's folder, lmms-eval samples, or a submission.")],
    task: Task = None,
    as_json: Annotated[bool, typer.Option("--json", help="The moved answers as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write all samples as scored today (JSON lines).")] = None,
) -> None:
    """Score a finished run again with today's parser and list each answer that moved; no model is asked."""
    from dataclasses import asdict

    from hlvid.files import write_text
    from hlvid.scoring.accuracy import accuracy_of
    from hlvid.scoring.collapse import collapse
    from hlvid.scoring.samples import rescored

    before = _samples(run, task)
    if out is not None and out.resolve() in {Path(one.place.rpartition(": ")[0]).resolve() for one in before}:
        raise AnswerError(f"--out {out}: is what is read, and holds more than is written; give another file")
    after = [rescored(one) for one in before]
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old.parsed != new.parsed]
    if out is not None:
        lines = [json.dumps({**asdict(one), "place": None}, ensure_ascii=False) + "\n" for one in after]
        write_text(out, "".join(lines))
    numbers = [accuracy_of(collapse(one.to_row() for one in side)) for side in (before, after)]
    if as_json:
        found = {
            "moved": [_moved(old, new) for old, new in moved],
            "before": {"correct": numbers[0].correct, "unparsed": numbers[0].unparsed, "n": numbers[0].n},
            "after": {"correct": numbers[1].correct, "unparsed": numbers[1].unparsed, "n": numbers[1].n},
        }
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for old, new in moved:
        effect = {(False, True): ", now right", (True, False): ", now wrong"}.get(
            (old.correct, new.correct), ""
        )
        letters = f"{old.parsed or 'no letter'} -> {new.parsed or 'no letter'} ({new.how}){effect}"
        typer.echo(f"question {old.question_id}: {letters}: {_shortened(old.raw_output)}")
    right = f"{numbers[0].correct} -> {numbers[1].correct} right"
    unparsed = f"{numbers[0].unparsed} -> {numbers[1].unparsed} without a letter"
    typer.echo(f"{len(moved)} of {len(before)} answers moved; {right}, {unparsed}, of {numbers[1].n}")


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else f"{text[:48]} … {text[-48:]}"


def _moved(old: "Sample", new: "Sample") -> dict[str, Any]:
    return {
        "question_id": old.question_id,
        "before": old.parsed,
        "after": new.parsed,
        "how": new.how,
        "was_right": old.correct,
        "is_right": new.correct,
        "raw_output": old.raw_output,
    }


def _rows(path: Path, samples: "Sequence[Sample]", again: bool) -> list[dict[str, Any]]:
    """One row a question: rotations and repetitions are counted together."""
    from hlvid.scoring.collapse import collapse
    from hlvid.scoring.samples import rescored
    from leaderboard.submit.answers import is_submission

    again = again or is_submission(path)  # as the board does: the text counts
    return collapse((rescored(one) if again else one).to_row() for one in samples)


def _benchmark(samples: "Sequence[Sample]", task: str | None) -> str | None:
    from leaderboard.benchmarks import benchmark_of

    name = next((one.task for one in samples if one.task is not None), task)
    return None if name is None else benchmark_of(name) or name


def _one_way(runs: Sequence[Path], read: "Sequence[Sequence[Sample]]") -> None:
    """Right in every rotation is harder than right once: such runs are compared among themselves."""
    rotated = [any(one.circle for one in samples) for samples in read]
    if len(set(rotated)) > 1:
        raise AnswerError(
            f"{runs[rotated.index(True)]}: asked in every rotation of the options (circular=true), "
            f"{runs[rotated.index(False)]} once; compare runs asked alike"
        )


def _samples(path: Path, task: str | None) -> "list[Sample]":
    """A submission or table is read with its answer key; all else says itself what was right."""
    from hlvid.scoring.samples import read_samples
    from leaderboard.format.validate import JSONL_NAME, TOML_NAME
    from leaderboard.submit.answers import is_submission, submitted

    if not path.exists():
        raise AnswerError(f"{path}: does not exist; give a run's folder, samples or a submission")
    if (path / TOML_NAME).is_file() and not (path / JSONL_NAME).is_file():
        raise AnswerError(
            f"{path}: is a number without answers, from a paper; give runs or submissions with them"
        )
    return submitted(path, task) if is_submission(path) else read_samples(path, task)


def _same_choices(runs: Sequence[Path], read: "Sequence[Sequence[Sample]]") -> None:
    """Ids alone may be those of another version: where options are known, these and what is right are the same.

    Of prompts of lmms-eval the last option may go on with the instruction, which may differ.
    """
    from hlvid.dataset.text import squeeze

    first: dict[str, tuple[Path, list[str]]] = {}
    for path, samples in zip(runs, read, strict=True):
        for one in samples:
            if one.answer is None or one.answer not in one.options:
                continue
            texts = [one.options[one.answer], *sorted(one.options.values())]
            earlier, others = first.setdefault(
                one.circle or one.question_id, (path, [squeeze(text) for text in texts])
            )
            pairs = zip_longest((squeeze(text) for text in texts), others, fillvalue="")
            if not all(longer.startswith(text) and text for text, longer in (sorted(pair) for pair in pairs)):
                raise AnswerError(
                    f"{one.place}: question {one.question_id} has other options or another answer than in {earlier}; "
                    "compare runs of the same dataset version"
                )


def _one_benchmark(runs: Sequence[Path], names: Sequence[str | None]) -> str | None:
    for path, name in zip(runs, names, strict=True):
        if name != names[0]:
            raise AnswerError(
                f"{path}: is of {name or 'an unknown task'}, {runs[0]} of {names[0]}; compare one benchmark"
            )
    return names[0] if names else None
