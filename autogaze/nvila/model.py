"""`NVILAHD`: gazed SigLIP, token shuffle, projector, Qwen2. Any size; random weights until loaded.

Example::

    model = NVILAHD.from_config(shape("tiny"), seed=0)
    seen = model.see(stream(video, plan, config, settings, selector), room=40_000)
    ids = model.generate(model.embed(prompt_ids, placeholder, seen), max_new_tokens=64, stop=(end,))
    model.save_pretrained("checkpoint")            # config.json, model.safetensors

Vision is taken clip batch by clip batch: what stays of a batch is its tokens for the language model.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from autogaze.encoders.siglip import MEMORY_BUDGET, GazedSiglip
from autogaze.model.checkpoint import find_file, load_strict
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.processing import ClipBatch, expand, normalise
from autogaze.nvila.projector import Projector
from autogaze.nvila.reduction.encoded import FASTV, reduced_features
from autogaze.nvila.reduction.llm import prune
from autogaze.nvila.reduction.reduced import Reduction
from autogaze.nvila.settings import CLIP_FRAMES
from autogaze.nvila.stages import Stages
from autogaze.nvila.tokens import shuffle, shuffled_counts


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

    embeddings: (L, hidden), tiles (chunk, tile, frame), then thumbnails.
    patches: tokens that there were; gazed: tokens that were encoded.
    """

    embeddings: Tensor
    patches: int
    gazed: int


class NVILAHD(nn.Module):
    """memory_budget: bytes that a micro-batch of the encoder may take.

    reduction: set to drop or merge tokens on their way to the language model; the encoder then sees one scale.
    """

    def __init__(self, config: NVILAConfig, memory_budget: int = MEMORY_BUDGET) -> None:
        super().__init__()
        from transformers import Qwen2Config, Qwen2ForCausalLM

        self.config = config
        self.vision = GazedSiglip(config.vision, memory_budget)
        self.projector = Projector(*config.projector_sizes)
        sizes = {"max_position_embeddings": config.context, **config.llm}
        self.llm = Qwen2ForCausalLM(Qwen2Config(**sizes))
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
    ) -> Self:
        """A checkpoint of ours. config: instead of the checkpoint's own, with the same tensors.

        Raises CheckpointError listing every tensor missing, surplus or mis-shaped.
        """
        model = cls(config or NVILAConfig.from_pretrained(source, revision)).to(dtype)
        load_strict(model, find_file(source, "model.safetensors", revision))
        return model.to(device).eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # clone: a tied head shares its memory with the embedding, which the format does not have
        tensors = {name: tensor.detach().clone().contiguous() for name, tensor in self.state_dict().items()}
        save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps(self.config.to_dict(), indent=2) + "\n")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.projector.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Their precision."""
        return next(self.projector.parameters()).dtype

    @torch.no_grad()
    def encode(self, batch: ClipBatch) -> Tensor:
        """A batch of clips to tokens of the language model, (L, hidden)."""
        pixels = normalise(batch.pixels, self.config.video).to(self.device, self.dtype)
        gaze = batch.gaze.to(self.device)
        if self.reduction is None or self.reduction.name == FASTV:
            features, counts = self.vision.packed(pixels, gaze), gaze.counts().flatten()
        else:
            features, counts = reduced_features(self.vision, pixels, gaze, self.reduction)
        wide = shuffle(features, counts, self.config.token_shuffle)
        out: Tensor = self.projector(wide)
        return out

    def see(self, batches: Iterable[ClipBatch], room: int, stages: Stages | None = None) -> Seen:
        """Encode a stream of clip batches. room: most tokens; ContextOverflowError as soon as they are more."""
        stages = stages or Stages(self.device)
        parts: dict[str, list[Tensor]] = {"tile": [], "thumbnail": []}
        tokens = patches = gazed = 0
        for batch in batches:
            counts = batch.gaze.counts()
            if self.reduction is None:  # else only encoding tells
                tokens = _within(tokens + self._wide(counts), batch.chunk, room)
            patches += batch.gaze.batch * batch.gaze.frames * batch.gaze.tokens
            gazed += int(counts.sum())
            with stages.measure("encoder"):
                encoded = self.encode(batch)
            parts[batch.kind].append(encoded)
            if self.reduction is not None:
                tokens = _within(tokens + len(encoded), batch.chunk, room)
        return Seen(torch.cat([*parts["tile"], *parts["thumbnail"]]), patches, gazed)

    def _wide(self, counts: Tensor) -> int:
        """Tokens for the language model of frames with so many visual tokens."""
        return int(shuffled_counts(counts, self.config.token_shuffle).sum())

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

    @torch.no_grad()
    def generate(
        self,
        embeds: Tensor,
        max_new_tokens: int,
        stop: Sequence[int] = (),
        allowed: Sequence[int] | None = None,
        stages: Stages | None = None,
    ) -> list[int]:
        """The most probable continuation of (1, S, hidden), up to a token of `stop` (left out).

        allowed: the answer is the likeliest of these ids, alone.
        """
        stages = stages or Stages(self.device)
        with stages.measure("prefill"):
            logits, cache = self._step(inputs_embeds=embeds)
        if allowed is not None:
            return [max(allowed, key=lambda token: float(logits[token]))]
        answer: list[int] = []
        with stages.measure("generation"):
            while len(answer) < max_new_tokens and (token := int(logits.argmax())) not in stop:
                answer.append(token)
                if len(answer) < max_new_tokens:
                    ids = torch.tensor([[token]], device=self.device)
                    logits, cache = self._step(input_ids=ids, past_key_values=cache)
        return answer

    def _step(self, **inputs: Any) -> tuple[Tensor, Any]:
        """Logits (vocabulary,) of the next token, and the keys and values so far."""
        out = self.llm(**inputs, use_cache=True, logits_to_keep=1)
        return out.logits[0, -1], out.past_key_values


def _within(tokens: int, chunk: int, room: int) -> int:
    """The tokens so far; ContextOverflowError if they are more than there is room for."""
    if tokens > room:
        raise ContextOverflowError(tokens, chunk, room)
    return tokens
