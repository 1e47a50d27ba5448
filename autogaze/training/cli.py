"""The commands `hlvid train labels | ntp | grpo | …`: AutoGaze from clips to a checkpoint.

Example::

    hlvid train labels --out labels/train --generated 2000 --videos my/videos
    hlvid train labels --out labels/val --videos my/videos --part val
    hlvid train labels --out labels/theirs --published DATA/gazing_labels.json --videos DATA
    hlvid train ntp --config ntp-cpu --labels labels/train --validation labels/val --out runs/ntp
    hlvid train grpo --config grpo-cpu --labels labels/train --init runs/ntp/model --out runs/grpo
    hlvid train report runs/ntp runs/grpo                     # while they run, too
    hlvid train calibrate runs/grpo/model --clips labels/val
    hlvid train evaluate --clips labels/val --checkpoint ntp=runs/ntp/model --checkpoint both=runs/grpo/model

Every command can be killed and started again: it goes on where it was. Several GPUs: `torchrun
--nproc-per-node 8 -m hlvid.cli train ntp …`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Train AutoGaze, and measure what came of it.")

Config = Annotated[
    str, typer.Option(help="A YAML file, or a bundled one: ntp, ntp-cpu, grpo, grpo-cpu, and more.")
]
Labels = Annotated[Path | None, typer.Option(help="Folder of labelled clips.")]
Init = Annotated[Path | None, typer.Option(help="Checkpoint to start from.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the run; an unfinished run in it goes on.")]
Validation = Annotated[Path | None, typer.Option(help="Folder of labelled clips kept apart.")]
Steps = Annotated[int | None, typer.Option(help="Steps of the whole run.")]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Clips a process and micro-step.")]
Accumulate = Annotated[int | None, typer.Option(help="Micro-steps a step.")]
Seed = Annotated[int | None, typer.Option(help="Another seed gives other weights.")]
Device = Annotated[str | None, typer.Option(help="cpu or cuda.")]
Clips = Annotated[Path, typer.Option(help="Folder of labelled clips that were not trained on.")]


def mount(roof: typer.Typer) -> None:
    """Add `train` to the roof; what the commands need is imported when they run."""
    roof.add_typer(app, name="train", rich_help_panel="Train")


def _add(stage: str, said: str) -> None:
    @app.command(stage, help=said)
    def run(
        config: Config = f"{stage}-cpu",
        labels: Labels = None,
        out: Out = None,
        validation: Validation = None,
        init: Init = None,
        steps: Steps = None,
        batch: BatchSize = None,
        accumulate: Accumulate = None,
        seed: Seed = None,
        device: Device = None,
    ) -> None:
        from autogaze.training.config import TrainingError, load
        from autogaze.training.loop import train

        with one_line():
            chosen = load(config, labels=labels, out=out, validation=validation, init=init, steps=steps, batch=batch,
                          accumulate=accumulate, seed=seed, device=device)  # fmt: skip
            if chosen.stage != stage:
                raise TrainingError(
                    f"config {config}: is for stage {chosen.stage}; run 'hlvid train {chosen.stage}'"
                )
            train(chosen)
        typer.echo(f"checkpoint: {chosen.out / 'model'}   metrics: {chosen.out / 'metrics.jsonl'}")


_add("ntp", "Next-token prediction: learn the greedy search's lists.")
_add("grpo", "Reinforcement: sampled gazes that lose less become more likely.")


@app.command()
def reading(
    config: Config = "reading-characters",
    init: Annotated[list[Path] | None, typer.Option(help="Finished run to begin with; repeatable.")] = None,
    out: Out = None,
    steps: Steps = None,
    batch: BatchSize = None,
    seed: Seed = None,
    device: Device = None,
) -> None:
    """Teach a small NVILA-HD to read, in three runs: characters of gazed patches, language, answers about pictures."""
    from autogaze.training.config import read
    from autogaze.training.reading.config import ReadingConfig
    from autogaze.training.reading.reader import TAUGHT
    from autogaze.training.reading.train import train

    with one_line():
        changes = {"out": out, "steps": steps, "batch": batch, "seed": seed, "device": device}
        run = read(ReadingConfig, config, init=init or None, **changes)
        train(run)
    made = run.out / ("model" if run.part == "answers" else TAUGHT)
    typer.echo(f"written: {made}   validation: {run.out / 'validation.jsonl'}")


@app.command()
def labels(
    out: Annotated[Path, typer.Option(help="Folder for the labelled clips; what is there is kept.")],
    videos: Annotated[Path | None, typer.Option(help="Folder of videos to cut clips from.")] = None,
    published: Annotated[
        Path | None, typer.Option(help="The authors' gazing_labels.json, of the data sets below --videos.")
    ] = None,
    generated: Annotated[int, typer.Option(help="Generated clips beside them.")] = 0,
    per_video: Annotated[int, typer.Option(help="Clips of each video.")] = 64,
    part: Annotated[str, typer.Option(help="train, val or all: which of the videos.")] = "train",
    processes: Annotated[int, typer.Option(help="Processes at a time.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed cuts other clips.")] = 0,
    frames: Annotated[tuple[int, int], typer.Option(help="Least and most frames of a clip.")] = (4, 16),
    objective: Annotated[str, typer.Option(help="paste, text, or videomae:FOLDER.")] = "paste",
) -> None:
    """Cut and generate clips, and search each greedily for the tokens that lower its loss most."""
    from autogaze.training.label_making import Settings, make_labels
    from autogaze.training.published_labels import make_published

    with one_line():
        if published is not None:
            if videos is None:
                raise ValueError(
                    f"--published {published}: give --videos, the folder that holds its data sets"
                )
            typer.echo(f"labels: {make_published(out, published, videos, part, processes)}")  # type: ignore[arg-type]
            return
        settings = Settings(seed=seed, frames=frames, objective=objective)
        folder = make_labels(out, videos, generated, per_video, processes, part, settings)  # type: ignore[arg-type]
    typer.echo(f"labels: {folder}")


@app.command()
def calibrate(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint; gets a calibration.json.")],
    clips: Clips,
    limit: Annotated[int, typer.Option(help="Clips at most.")] = 48,
) -> None:
    """Measure the loss reached when stopping on the predicted one."""
    from autogaze.model.autogaze import AutoGaze
    from autogaze.training.calibrate import calibrate as measured
    from autogaze.training.looks import held_back

    with one_line():
        found = measured(AutoGaze.from_pretrained(checkpoint), held_back(clips, limit)[0])
        found.save(checkpoint)
    for row in zip(found.thresholds, found.reached, found.ratios, strict=True):
        typer.echo("predicted {:.3f}   reached {:.4f}   ratio {:.3f}".format(*row))


@app.command()
def reads(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="Whose trunk to start from; the bundled one by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for weights and metrics.")] = Path("runs/reads"),
    videos: Annotated[
        Path | None, typer.Option(help="Folder of recordings, for windows without text behind the signs.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Recordings that are left out, less suffix; repeatable.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps.", min=1)] = 2400,
    batch: Annotated[int, typer.Option(help="Tiles a step.", min=1)] = 64,
    squares: Annotated[
        int, typer.Option(help="Generated squares to cut them from, 250 kB each.", min=64)
    ] = 16384,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="The head learns alone: what does the trunk see?")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    processes: Annotated[int, typer.Option(help="That make squares.", min=1)] = 2,
) -> None:
    """Teach AutoGaze's trunk and a head where text is and how finely to look, on generated squares."""
    from autogaze.model.autogaze import AutoGaze
    from autogaze.training.reads import Recipe, learn, textless
    from autogaze.weights import bundled

    with one_line():
        model = AutoGaze.from_pretrained(checkpoint or bundled())
        grounds = textless(videos, tuple(without or ())) if videos else None
        recipe = Recipe(steps=steps, batch=batch, count=squares, seed=seed, frozen=frozen)
        found = learn(model, out, recipe, grounds, processes, device)
    typer.echo(f"AUC {found.auc:.4f} of tokens of other tiles, loss {found.loss:.3f}   weights: {out}")
    typer.echo(f"  hlvid yardstick --selector detail --selector reads,checkpoint={out}")


@app.command()
def pack(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder for the packed one.")],
) -> None:
    """Write a checkpoint in half precision, to be shipped."""
    from autogaze.training.pack import pack as packed

    with one_line():
        path = packed(checkpoint, out)
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def evaluate(
    clips: Clips,
    checkpoint: Annotated[list[str] | None, typer.Option(help="name=folder, repeatable.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the results.")] = None,
    reference: Annotated[str | None, typer.Option(help="Whom all are compared with.")] = None,
    limit: Annotated[int, typer.Option(help="Clips at most.")] = 48,
    heads: Annotated[bool, typer.Option(help="The reference with 1 and 5 tokens a step, too.")] = False,
    loss: Annotated[str, typer.Option(help="What is lost: paste, text, or videomae:FOLDER.")] = "paste",
) -> None:
    """Loss against gazing ratio: checkpoints, heuristics, untrained weights and the greedy search."""
    from autogaze.training.evaluate import evaluate_all, table

    with one_line():
        named = dict(_pair(text) for text in checkpoint or [])
        home = reference or next(iter(reversed(named)), "greedy")
        report = evaluate_all(named, clips, home, limit, heads, loss)
    typer.echo(table(report))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n")
        typer.echo(f"written: {out}")


@app.command()
def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs, finished or not; of several seeds, say.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The page; report.html in the first run by default.")
    ] = None,
) -> None:
    """Curves, validation and the newest picture of each run, on one page that needs no server."""
    from autogaze.training.report import write

    with one_line():
        typer.echo(f"report: {write(runs, out or runs[0] / 'report.html')}")


def _pair(text: str) -> tuple[str, str]:
    name, mark, folder = text.partition("=")
    if not (name and mark and folder):
        raise ValueError(f"--checkpoint {text}: expected name=folder")
    return name, folder


@contextmanager
def one_line() -> Iterator[None]:
    """Errors that a user can mend, all of them ValueErrors in this package, as one line and exit code 1."""
    try:
        yield
    except ValueError as error:
        typer.echo(f"hlvid: {error}", err=True)
        raise typer.Exit(1) from error
