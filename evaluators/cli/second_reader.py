"""`hlvid second-reader`: another model reads the answers in which no rule found a letter."""

from pathlib import Path
from typing import Annotated

import typer


def second_reader(
    run: Annotated[Path, typer.Argument(help="A run's folder, or its samples.")],
    reader: Annotated[
        str, typer.Option(help="model=…,base_url=…,api_key_env=…: as of openai_frames, without frames.")
    ],
    task: Annotated[str | None, typer.Option(help="Which task, where a run holds several.")] = None,
) -> None:
    """Let a model read the answers in which no rule found a letter; counted apart, the run stays as it is."""
    from evaluators.runs.second_reader import read_again, reader_settings

    found = read_again(run, reader_settings(reader), task)
    alone, apart = found.alone, found.apart
    typer.echo(
        f"{found.reader} found a letter in {found.read} of {found.asked} answers without one ({found.right} right): "
        f"{found.path}\nby rules alone {100 * alone.value:.1f} % ({alone.correct:g} of {alone.n} right), with the "
        f"second reader {100 * apart.value:.1f} % ({apart.correct:g} right); all else counts the rules alone"
    )
