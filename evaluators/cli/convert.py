"""`hlvid convert`: the published NVILA-HD to a checkpoint that runs natively."""

from pathlib import Path
from typing import Annotated

import typer

from hlvid.errors import RunError


def convert(
    source: Annotated[str, typer.Argument(help="Published checkpoint: a folder or a hub id.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print where every tensor goes; index and config are enough.")
    ] = False,
    names: Annotated[
        Path | None, typer.Option("--map", help="YAML, 'PATTERN: NAME' or 'PATTERN: null', tried first.")
    ] = None,
    autogaze: Annotated[
        str | None, typer.Option(help="AutoGaze weights, a folder or hub id, instead of those it names.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Of a hub id.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Ask the published code, too, and compare step by step.")
    ] = False,
    video: Annotated[Path | None, typer.Option(help="For --check: any video file.")] = None,
    prompt: Annotated[str, typer.Option(help="For --check: the question.")] = "What does the sign say?",
    arguments: Annotated[
        str, typer.Option(help="For --check: as for --model_args, e.g. num_video_frames=16.")
    ] = "",
    device: Annotated[str | None, typer.Option(help="For --check: cpu or cuda.")] = None,
) -> None:
    """Convert a published NVILA-HD, shard by shard; exit 1 if a check finds a difference."""
    from autogaze.model.checkpoint import CheckpointError
    from autogaze.nvila.convert.conversion import plan_conversion, write
    from autogaze.nvila.convert.names import read_map
    from autogaze.nvila.convert.snapshot import Snapshot

    if not dry_run and out is None:
        raise RunError("convert: no --out; name a folder to write to, or give --dry-run")
    if check and (video is None or dry_run):
        raise RunError("convert: --check needs --video FILE and a conversion; leave out --dry-run")
    try:
        extra = read_map(names) if names else None
        plan = plan_conversion(Snapshot.of(source, revision), extra, autogaze)
        typer.echo("\n".join(plan.lines() if dry_run else plan.lines()[len(plan.entries) :]))
        if dry_run or out is None:
            return
        _free(out)
        write(plan, out, typer.echo)
    except CheckpointError as error:
        raise RunError(f"convert: {error}") from error
    typer.echo(f"written to {out}; --model nvila_hd --model_args pretrained={out}")
    if check and video is not None and not _same(source, out, video, prompt, arguments, device):
        raise typer.Exit(1)


def _free(out: Path) -> None:
    """Raise RunError where the folder holds something that is no conversion."""
    known = (out / "llm").is_dir() or (out / "config.json").is_file()
    if out.is_dir() and any(out.iterdir()) and not known:
        raise RunError(f"convert: --out {out}: not empty and no checkpoint; choose another folder")


def _same(source: str, out: Path, video: Path, prompt: str, arguments: str, device: str | None) -> bool:
    import torch

    from evaluators.models.nvila.arguments import NvilaArguments
    from evaluators.models.nvila.parity import compare
    from evaluators.runs.spec import parse_model_args

    given = NvilaArguments.read({**parse_model_args(arguments), "pretrained": source}, "convert --check")
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    steps = compare(source, str(out), video, prompt, given, where)
    for step in steps:
        typer.echo(f"{'same' if step.same else 'DIFFERS'}  {step.name}: {step.told}")
    return all(step.same for step in steps)
