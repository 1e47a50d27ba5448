"""`hlvid convert`: the published NVILA-HD to a checkpoint that runs natively."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hlvid.errors import RunError
from hlvid.files import locked

if TYPE_CHECKING:
    from evaluators.models.nvila.arguments import NvilaArguments


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
    from autogaze.nvila.convert.conversion import MARK, claim, plan_conversion, write
    from autogaze.nvila.convert.names import read_map
    from autogaze.nvila.convert.snapshot import Snapshot

    if not dry_run and out is None:
        raise RunError("convert: no --out; name a folder to write to, or give --dry-run")
    given = _asked(source, revision, video, dry_run, arguments) if check else None
    try:
        extra = read_map(names) if names else None
        plan = plan_conversion(Snapshot.of(source, revision), extra, autogaze, fetch=not dry_run)
        typer.echo("\n".join(plan.lines() if dry_run else plan.lines()[len(plan.entries) :]))
        if dry_run or out is None:
            return
        claim(out)
        busy = RunError(
            f"convert: --out {out}: another process converts into it; choose another folder, or wait"
        )
        with locked(out / MARK, busy):
            write(plan, out, typer.echo)
    except CheckpointError as error:
        raise RunError(f"convert: {error}") from error
    typer.echo(f"written to {out}; --model nvila_hd --model_args pretrained={out}")
    if given and video is not None and not _same(given, out, video, prompt, device):
        raise typer.Exit(1)


def _asked(
    source: str, revision: str | None, video: Path | None, dry_run: bool, arguments: str
) -> "NvilaArguments":
    """What both are asked with. Raises RunError for what would fail after the conversion."""
    from evaluators.models.nvila.arguments import NvilaArguments
    from evaluators.runs.spec import parse_model_args
    from hlvid.video import Video

    if video is None or dry_run:
        raise RunError("convert: --check needs --video FILE and a conversion; leave out --dry-run")
    with Video.open(video):
        pass
    given = {"revision": revision, **parse_model_args(arguments), "pretrained": source}
    return NvilaArguments.read(given, "convert --check")


def _same(given: "NvilaArguments", out: Path, video: Path, prompt: str, device: str | None) -> bool:
    import torch

    from evaluators.models.nvila.parity import compare

    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    steps = compare(given.pretrained, str(out), video, prompt, given, where)
    for step in steps:
        typer.echo(f"{'same' if step.same else 'DIFFERS'}  {step.name}: {step.told}")
    return all(step.same for step in steps)
