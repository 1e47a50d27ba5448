"""What is timed: selector, gazed encoder and language model at their true shapes, in one precision and attention.

Weights are random: latency does not depend on the values. The ungazed model is the frame-wise ViT: the patches of the
finest scale alone, each frame by itself, as a plain encoder sees a video.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import gaze_at
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.presets import selector_shape, shape
from autogaze.nvila.processing import normalise
from autogaze.nvila.stages import Stages
from autogaze.nvila.tokens import shuffle
from autogaze.selectors.base import Selector
from evaluators.core.memory import device_bytes
from evaluators.profiling.latency.footage import Footage
from evaluators.profiling.latency.request import Attention, Request
from evaluators.profiling.latency.timing import Timing, Work, measure
from hlvid.errors import RunError


@dataclass(frozen=True)
class Pipeline:
    """model: the whole NVILA-HD, or None where the encoder alone is timed. batch: tiles at a time."""

    config: NVILAConfig
    vision: GazedSiglip
    model: NVILAHD | None
    selector: Selector
    attention: Attention
    batch: int

    @classmethod
    def build(cls, request: Request, language: bool = False) -> "Pipeline":
        """Of the request's shape, in its precision. language: with the whole model, not the encoder alone."""
        config, kind, device = shape(request.shape), getattr(torch, request.dtype), request.device
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = NVILAHD.from_config(config, dtype=kind, device=device) if language else None
            vision = (
                model.vision if model else GazedSiglip(config.vision).to(device=device, dtype=kind).eval()
            )
            chosen = _selector(request)
        return cls(config, vision, model, chosen, request.attention, request.batch)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.vision.parameters()).device

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Inference with this pipeline's attention kernels."""
        from torch.nn.attention import SDPBackend, sdpa_kernel

        others = [SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]
        kernels = [*(others if self.attention == "fastest" else ()), SDPBackend.MATH]
        with torch.inference_mode(), sdpa_kernel(kernels):
            yield

    def timed(self, work: Work, rounds: int) -> Timing:
        """`work` after one round to warm up."""
        with self.attending():
            return measure(work, rounds=rounds, device=self.device)

    def look(
        self,
        footage: Footage,
        stages: Stages,
        ratio: float | None,
        loss: float | None = None,
        encode: bool = True,
    ) -> Mapping[str, Any]:
        """Gaze at and encode a footage, and read it with the language model if there is one; counts for the row.

        ratio, loss: as for `Selector.select`; both None is the ungazed, frame-wise model. encode: or gaze alone.
        """
        gazed, vision = ratio is not None or loss is not None, self.config.vision
        parts, patches, slots = [], 0, 0
        with self._mode(gazed):
            for clips in footage.clips(self.batch, self.device):
                if gazed:
                    with stages.measure("selector"):
                        gaze = gaze_at(clips, self.selector, vision.scales, vision.patch_size, ratio, loss)
                else:
                    gaze = self._finest(clips)
                if encode:
                    with stages.measure("encoder"):
                        parts.append(self.encode(clips, gaze))
                patches += int(gaze.counts().sum())
                slots += gaze.batch * gaze.frames * gaze.tokens
        counts: dict[str, Any] = {"tiles": footage.tiles, "patches": patches, "reached": patches / slots}
        if self.model and encode:
            counts["llm_tokens"] = self._read(torch.cat(parts), stages)
        return counts

    def encode(self, clips: Tensor, gaze: Gaze) -> Tensor:
        """Clips in [0, 1] and their gaze -> tokens of the language model, (L, hidden); (0, C) without one."""
        pixels = normalise(clips.clone(), self.config.video).to(next(self.vision.parameters()).dtype)
        features = self.vision.packed(pixels, gaze)
        if not self.model:
            return features[:0]
        wide = shuffle(features, gaze.counts().flatten(), self.config.token_shuffle)
        out: Tensor = self.model.projector(wide)
        return out

    def _read(self, tokens: Tensor, stages: Stages) -> int:
        assert self.model
        self._room(len(tokens))
        self.model.generate(tokens[None], 1, stages=stages)
        return len(tokens)

    def _room(self, tokens: int) -> None:
        """Attention without flash holds heads x tokens x tokens scores, twice; a host would rather be killed."""
        if self.attention == "math":
            heads, width = (
                self.config.llm["num_attention_heads"],
                next(self.vision.parameters()).element_size(),
            )
            need = 2 * heads * tokens**2 * width
            if need > device_bytes(self.device):
                raise MemoryError(
                    f"prefill of {tokens} tokens needs {need / 1e9:.0f} GB for scores; out of memory on this device"
                )

    def _finest(self, clips: Tensor) -> Gaze:
        grid = self.vision.vision_model.config.grid
        masks = torch.zeros(len(clips), clips.shape[1], grid.tokens, dtype=torch.bool, device=clips.device)
        masks[..., grid.tokens - grid.sides[-1] ** 2 :] = True
        return Gaze.from_masks(masks, self.config.vision.scales, self.config.vision.patch_size)

    @contextmanager
    def _mode(self, gazed: bool) -> Iterator[None]:
        tower = self.vision.vision_model
        before = tower.config
        if not gazed:
            tower.config = replace(before, attn_type="frame_independent")
        try:
            yield
        finally:
            tower.config = before


def _selector(request: Request) -> Selector:
    """The selector to time: AutoGaze from a checkpoint or with random weights of the shape's size, or another."""
    from autogaze import selectors
    from autogaze.model.autogaze import AutoGaze

    if request.selector != "autogaze" or request.checkpoint:
        learned = request.selector in selectors.LEARNED
        own = {"checkpoint": request.checkpoint, "device": request.device} if learned else {}
        try:
            return selectors.by_pixels(selectors.get(request.selector, **own))
        except ValueError as error:
            raise RunError(f"latency: {error}") from error
    with tempfile.TemporaryDirectory() as folder:  # the selector reads checkpoints; this one is nobody's
        AutoGaze(selector_shape(request.shape)).save_pretrained(folder)
        return selectors.get("autogaze", checkpoint=folder, device=request.device)
