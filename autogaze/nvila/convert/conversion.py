"""The plan of a conversion, and carrying it out: every tensor of theirs is used or listed, every one of ours filled."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from autogaze.model.checkpoint import CheckpointError, save_tensors
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.convert.names import ours
from autogaze.nvila.convert.refused import RefusedError, reading
from autogaze.nvila.convert.settings import read_settings, refuse_other_layouts
from autogaze.nvila.convert.snapshot import Snapshot, Stored
from autogaze.nvila.convert.text import ChatTokenizer
from autogaze.nvila.loading import EYES, LLM, llm_config
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.tokenizer import FILE

HEAD = "llm.lm_head.weight"
AUTOGAZE = "autogaze"
INDEX = "model.safetensors.index.json"
MARK = ".hlvid-convert"
"""In a folder that a conversion was begun in, which may be written anew; whoever shares folders locks it."""


@dataclass(frozen=True)
class Entry:
    """A tensor of theirs, and our name for it; None where it is left out, `why` then says so."""

    theirs: str
    ours: str | None
    stored: Stored
    why: str = ""


@dataclass(frozen=True)
class ConversionPlan:
    """Everything that will be written. notes: choices that no configuration stated, and where they come from."""

    snapshot: Snapshot
    config: NVILAConfig
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    tokenizer: ChatTokenizer | None

    def lines(self) -> list[str]:
        """The mapping, a tensor a line, then the settings and the notes."""
        width = max(len(entry.theirs) for entry in self.entries)
        out = []
        for entry in self.entries:
            shape = "x".join(map(str, entry.stored.shape)) if entry.stored.shape is not None else "?"
            out.append(f"{entry.theirs:{width}}  ->  {entry.ours or f'left out ({entry.why})'}  [{shape}]")
        vision, llm = self.config.vision, self.config.llm
        return [
            *out,
            f"{len(self.entries)} tensors, {sum(entry.ours is None for entry in self.entries)} left out",
            f"tower: patch {vision.patch_size}, table of {vision.image_size // vision.patch_size} a side, scales "
            f"{'+'.join(map(str, vision.scales))}, hidden state {vision.select_layer}, {vision.attn_type}",
            f"language model: {llm['num_hidden_layers']} layers of {llm['hidden_size']}, context "
            f"{self.config.context:,}",
            f"gaze grid: {self.config.video.gaze_grid}, {self.config.gaze_grid(self.config.video).tokens:,} patches a "
            f"frame; AutoGaze: {self.config.autogaze}",
            *(f"note: {note}" for note in self.notes),
        ]


def plan_conversion(
    snapshot: Snapshot,
    extra: Mapping[str, str | None] | None = None,
    autogaze: str | None = None,
    fetch: bool = False,
) -> ConversionPlan:
    """Read everything but the tensors. extra: patterns of names before our table; see `names`.

    fetch: once index and configuration fit, fetch the shards of a hub id and hold the configuration to their shapes.
    Raises CheckpointError listing every tensor unknown, missing, doubled or of another shape.
    """
    try:
        refuse_other_layouts(snapshot)
        tensors = snapshot.tensors()
        with reading("tokenizer"):
            tokenizer = ChatTokenizer.of(snapshot)
        config, notes = read_settings(snapshot, tensors, tokenizer, autogaze)
        with reading("config.json"), torch.device("meta"):
            own = {name: tuple(x.shape) for name, x in NVILAHD(config).state_dict().items()}
    except RefusedError as error:
        raise CheckpointError(f"checkpoint {snapshot.source}: {error}") from error
    tied = bool(config.llm["tie_word_embeddings"])
    entries, problems = _entries(tensors, extra or {}, tied)
    problems += _differences(entries, own, tied)
    if problems:
        raise CheckpointError(
            f"checkpoint {snapshot.source}: cannot be converted\n  " + "\n  ".join(problems)
        )
    if fetch and snapshot.shards and any(stored.shape is None for stored in tensors.values()):
        snapshot.fetch()
        return plan_conversion(snapshot, extra, autogaze)
    return ConversionPlan(snapshot, config, tuple(entries), tuple(notes), tokenizer)


def _entries(
    tensors: Mapping[str, Stored], extra: Mapping[str, str | None], tied: bool
) -> tuple[list[Entry], list[str]]:
    """Names mapped, and those that no pattern knows."""
    entries, problems = [], []
    for name, stored in tensors.items():
        try:
            place = ours(name, extra)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        why = "" if place else "not used"
        if place == HEAD and tied:
            place, why = None, "the head is tied to the embedding"
        entries.append(Entry(name, place, stored, why))
    return entries, problems


def _differences(entries: list[Entry], own: Mapping[str, tuple[int, ...]], tied: bool) -> list[str]:
    """One line for each tensor of ours that is not filled exactly once with its shape, and for each surplus one."""
    filled: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.ours:
            filled[entry.ours].append(entry)
    wanted = {name: shape for name, shape in own.items() if not (tied and name == HEAD)}
    problems = [f"missing: {name} {shape}" for name, shape in wanted.items() if name not in filled]
    for name, sources in filled.items():
        told = " and ".join(entry.theirs for entry in sources)
        if name not in wanted:
            problems.append(f"surplus: {told} would be {name}, which the configuration has no place for")
        elif len(sources) > 1:
            problems.append(f"doubled: {told} would both be {name}")
        elif sources[0].stored.shape not in (None, wanted[name]):
            problems.append(
                f"shape of {told}: {sources[0].stored.shape}, the configuration says {wanted[name]}"
            )
    return problems


def claim(folder: Path) -> None:
    """Make the folder one to convert into. Raises CheckpointError where it holds what no conversion put there."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise CheckpointError(
            f"{folder}: not empty, and no conversion was begun in it; choose another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def write(plan: ConversionPlan, folder: Path, told: Callable[[str], None] = lambda _: None) -> None:
    """Write our layout; at most one shard and the vision tower are in memory. told: is called for each shard.

    A folder without config.json is a conversion that did not come to its end; run again, it is written anew.
    Raises CheckpointError when a shard or the tokenizer is not at hand, the folder holds anything else, or the disk is
    too small.
    """
    from safetensors import SafetensorError

    if plan.tokenizer is None or not plan.snapshot.shards:
        lacking = (
            "no safetensors" if plan.tokenizer else "no tokenizer.json, and no vocab.json with merges.txt"
        )
        raise CheckpointError(f"checkpoint {plan.snapshot.source}: {lacking}; a dry run alone does without")
    claim(folder)
    old = [folder / "config.json", folder / EYES, *(folder / LLM).glob("*.safetensors*")]
    old = [path for path in old if path.is_file()]
    size = sum(plan.snapshot.path(shard).stat().st_size for shard in plan.snapshot.shards)
    free = shutil.disk_usage(folder).free + sum(path.stat().st_size for path in old)
    if free < size:
        raise CheckpointError(
            f"{folder}: {size / 1e9:.1f} GB will be written and {free / 1e9:.1f} GB are free; free space or choose "
            "another folder"
        )
    for path in old:
        path.unlink()
    try:
        _write(plan, plan.tokenizer, folder, told)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder}: the conversion stopped ({error}); it is no checkpoint yet; mend that and run again"
        ) from error


def _write(plan: ConversionPlan, tokenizer: ChatTokenizer, folder: Path, told: Callable[[str], None]) -> None:
    """config.json, which makes it a checkpoint, comes last."""
    language = folder / LLM
    language.mkdir(exist_ok=True)
    place = {entry.theirs: entry.ours for entry in plan.entries}
    eyes: dict[str, Tensor] = {}
    index: dict[str, str] = {}
    total, shards = 0, plan.snapshot.shards
    for number, shard in enumerate(shards, 1):
        told(f"{shard} ({number} of {len(shards)})")
        part: dict[str, Tensor] = {}
        for target, tensor in _mapped(plan.snapshot.path(shard), place):
            if target.startswith(f"{LLM}."):
                part[target.removeprefix(f"{LLM}.")] = tensor
            else:
                eyes[target] = tensor.clone()
        if part:
            name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
            save_tensors(part, language / name)
            index |= dict.fromkeys(part, name)
            total += sum(tensor.nbytes for tensor in part.values())
    _json(language / INDEX, {"metadata": {"total_size": total}, "weight_map": index})
    llm_config(plan.config).save_pretrained(language)
    save_tensors(eyes, folder / EYES)
    tokenizer.save(folder / FILE)
    _json(folder / "config.json", _with_selector(plan.config, folder).to_dict())


def _mapped(shard: Path, place: Mapping[str, str | None]) -> Iterator[tuple[str, Tensor]]:
    """Our names and the tensors of a shard, those left out apart."""
    from safetensors import safe_open

    with safe_open(str(shard), "pt") as file:
        for name in file.keys():  # noqa: SIM118  the file is no mapping
            if target := place[name]:
                yield target, file.get_tensor(name)


def _with_selector(config: NVILAConfig, folder: Path) -> NVILAConfig:
    """AutoGaze's weights, if they are a folder here, go with the checkpoint: it then works in any place."""
    source = Path(config.autogaze) if config.autogaze else None
    if source is None or not source.is_dir():
        return config
    if source.resolve() != (folder / AUTOGAZE).resolve():
        shutil.copytree(source, folder / AUTOGAZE, dirs_exist_ok=True)
    return replace(config, autogaze=AUTOGAZE)


def _json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
