"""`NVILAHD`: gazed SigLIP, token shuffle, projector, Qwen2. Any size; random weights until loaded.

Vision is taken clip batch by clip batch: what stays of 16 frames is their tokens for the language model. `llm/` is a
checkpoint of transformers', so that its quantisation, device maps and attention kernels work as they are.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from autogaze.encoders.siglip import MEMORY_BUDGET, GazedSiglip
from autogaze.model.checkpoint import open_to_others, save_tensors
from autogaze.nvila import loading
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.language import LanguageSide
from autogaze.nvila.processing import ClipBatch, expand, normalise
from autogaze.nvila.projector import Projector
from autogaze.nvila.reduction.encoded import FASTV, reduced_features
from autogaze.nvila.reduction.llm import prune
from autogaze.nvila.reduction.reduced import Reduction
from autogaze.nvila.settings import CLIP_FRAMES
from autogaze.nvila.stages import Stages
from autogaze.nvila.tokens import by_time, shuffle, shuffled_counts


class ContextOverflowError(ValueError):
    """The video's tokens do not fit the context. tokens: so far; chunks: those that fit; limit: the room."""

    def __init__(self, tokens: int, chunks: int, limit: int) -> None:
        self.tokens, self.chunks, self.limit = tokens, chunks, limit
        super().__init__(
            f"video: {tokens} tokens after {chunks} whole chunks of {CLIP_FRAMES} frames and part of the next, "
            f"there is room for {limit}"
        )


@dataclass(frozen=True)
class Seen:
    """A video as the language model gets it.

    embeddings: (L, hidden), tiles (frame, tile), or (chunk, tile, frame) with the grouping "tile"; then thumbnails.
    patches: tokens that there were; gazed: tokens that were encoded.
    """

    embeddings: Tensor
    patches: int
    gazed: int


class NVILAHD(LanguageSide):
    """memory_budget: bytes that a micro-batch of the encoder may take.

    reduction: set to drop or merge tokens on their way to the language model; the encoder then sees one scale.
    llm: a language model already loaded, instead of one with random weights.
    """

    def __init__(
        self, config: NVILAConfig, memory_budget: int = MEMORY_BUDGET, llm: nn.Module | None = None
    ) -> None:
        super().__init__()
        from transformers import Qwen2ForCausalLM

        self.config = config
        self.vision = GazedSiglip(config.vision, memory_budget)
        self.projector = Projector(*config.projector_sizes)
        self.llm: Any = llm or Qwen2ForCausalLM(loading.llm_config(config))
        self.reduction: Reduction | None = None

    @classmethod
    def from_config(
        cls,
        config: NVILAConfig,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> Self:
        """Random weights, the same for the same seed on one kind of device; made where they will be used."""
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            with torch.random.fork_rng(), torch.device(device):
                torch.manual_seed(seed)
                model = cls(replace(config, random=True))
        finally:
            torch.set_default_dtype(before)
        return model.to(device=device, dtype=dtype).eval()

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        config: NVILAConfig | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        llm: loading.LLMOptions | None = None,
    ) -> Self:
        """A checkpoint of ours. config: instead of the checkpoint's own, with the same tensors.

        llm: how the language model is loaded. Raises CheckpointError listing every tensor missing, surplus or
        mis-shaped.
        """
        config = config or NVILAConfig.from_pretrained(source, revision)
        language = loading.load_llm(source, revision, config, dtype, device, llm or loading.LLMOptions())
        with torch.device("meta"):  # the tensors come from the file; none is drawn first
            model = cls(config, llm=language)
        loading.load_eyes(model, source, revision, dtype, device)
        return model.eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json`, `model.safetensors` and `llm/`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.detach().contiguous() for name, tensor in loading.eyes(self).items()}
        save_tensors(tensors, folder / loading.EYES)
        self.llm.save_pretrained(folder / loading.LLM)
        for path in (folder / loading.LLM).glob("*.safetensors"):
            open_to_others(path)
        (folder / "config.json").write_text(json.dumps(self.config.to_dict(), indent=2) + "\n")

    @property
    def device(self) -> torch.device:
        return next(self.projector.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        return next(self.projector.parameters()).dtype

    @torch.no_grad()
    def encode(self, *batches: ClipBatch) -> Tensor:
        """Batches of clips of one kind and the same 16 frames to tokens of the language model, (L, hidden)."""
        return self._project([self.features(batch) for batch in batches], batches[0].kind)

    @torch.no_grad()
    def features(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        """What the encoder makes of a batch: float (M, C), and the tokens of its groups, long (B, T) or (groups,)."""
        pixels = normalise(batch.pixels, self.config.video).to(self.device, self.dtype)
        gaze = batch.gaze.to(self.device)
        if self.reduction is None or self.reduction.name == FASTV:
            return self.vision.packed(pixels, gaze), gaze.counts()
        return reduced_features(self.vision, pixels, gaze, self.reduction)

    def see(
        self, batches: Iterable[ClipBatch], room: int | None = None, stages: Stages | None = None
    ) -> Seen:
        """Encode a stream of clip batches.

        room: most tokens; ContextOverflowError as soon as they are more. None for any number.
        """
        stages = stages or Stages(self.device)
        parts: dict[str, list[Tensor]] = {"tile": [], "thumbnail": []}
        tokens = patches = gazed = 0
        for (kind, chunk), group in groupby(batches, key=lambda batch: (batch.kind, batch.chunk)):
            rows: list[tuple[Tensor, Tensor]] = []
            listed: list[Tensor] = []
            for batch in group:
                listed.append(batch.gaze.counts())
                if self.reduction is None:  # else only encoding tells
                    _within(tokens + self._wide(listed, kind), chunk, room)
                patches += batch.gaze.batch * batch.gaze.frames * batch.gaze.tokens
                gazed += int(listed[-1].sum())
                with stages.measure("encoder"):
                    rows.append(self.features(batch))
            with stages.measure("encoder"):
                parts[kind].append(self._project(rows, kind))
            tokens = _within(tokens + len(parts[kind][-1]), chunk, room)
        return Seen(torch.cat([*parts["tile"], *parts["thumbnail"]]), patches, gazed)

    @torch.no_grad()
    def _project(self, rows: Sequence[tuple[Tensor, Tensor]], kind: str) -> Tensor:
        """Features and counts of one kind and the same frames -> (L, hidden)."""
        features = torch.cat([features for features, _ in rows])
        if self._together(kind) and rows[0][1].dim() == 2:
            order, counts = by_time(torch.cat([counts for _, counts in rows]))
            features = features[order]
        else:
            counts = torch.cat([counts.flatten() for _, counts in rows])
        out: Tensor = self.projector(shuffle(features, counts, self.config.token_shuffle))
        return out

    def _together(self, kind: str) -> bool:
        """Whether the clips of a time step share a group: tiles do, thumbnails are different times."""
        return kind == "tile" and self.config.grouping == "time"

    def _wide(self, counts: Sequence[Tensor], kind: str) -> int:
        """Tokens for the language model of clips with so many visual tokens a frame, each (B, T)."""
        each = torch.cat(list(counts))
        groups = each.sum(0) if self._together(kind) else each
        return int(shuffled_counts(groups, self.config.token_shuffle).sum())

    @torch.no_grad()
    def embed(self, ids: Sequence[int], placeholder: int, seen: Seen) -> Tensor:
        """Prompt ids with one placeholder -> (1, S, hidden), the video's tokens in the placeholder's stead."""
        whole = torch.tensor(expand(ids, placeholder, len(seen.embeddings)), device=self.device)
        embeds = self.llm.get_input_embeddings()(whole)
        embeds[whole == placeholder] = seen.embeddings.to(embeds)
        out: Tensor = embeds[None]
        if self.reduction is not None and self.reduction.name == FASTV:
            start = list(ids).index(placeholder)
            return prune(self.llm, out, start, len(seen.embeddings), self.reduction.keep)
        return out


def _within(tokens: int, chunk: int, room: int | None) -> int:
    """The tokens so far; ContextOverflowError if they are more than there is room for."""
    if room is not None and tokens > room:
        raise ContextOverflowError(tokens, chunk, room)
    return tokens
