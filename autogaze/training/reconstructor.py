"""A learned reconstructor: the pasted picture, and what a small block-causal ViT-MAE adds to it.

Example::

    model = Reconstructor.from_pretrained("runs/reconstructor/model")
    pictures = model(video, gaze, frames=[3])        # (B, 1, 3, 224, 224), normalised pixels
    found = greedy.search(frames, budgets, model)    # labels by a learned loss
    loss_of = judge(model)                           # what GRPO's reward takes

Somebody who looked at a patch knows its pixels, so a model of a few million parameters should not have to
learn copying. `paste` with its memory shows what was seen; the ViT-MAE (`autogaze.reconstruction.videomae`,
small) reads that picture, patch by patch, after everything gazed at so far, and paints the difference wherever
this frame's finest scale was not looked at: blocks smoothed, grey filled in, things moved on. Its last layer
starts at zero, so an untrained model is the paste reconstructor exactly.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from autogaze.gaze import Gaze
from autogaze.reconstruction.loss import L1, Loss
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.paste import rebuild, seen_scale
from autogaze.reconstruction.videomae import VideoMAE
from autogaze.training.judge import Judge

SMALL = VideoMAEConfig(
    hidden_size=192,
    intermediate_size=512,
    num_hidden_layers=3,
    num_attention_heads=6,
    decoder_hidden_size=128,
    decoder_intermediate_size=256,
    decoder_num_hidden_layers=3,
    decoder_num_attention_heads=4,
    layer_norm_eps=1e-6,
    max_num_frames=16,
)
"""1.9 million parameters, 3.7 MB in half precision."""


class Reconstructor(nn.Module):
    """Paste with memory plus a ViT-MAE; see the module's docstring."""

    def __init__(self, mae: VideoMAE) -> None:
        super().__init__()
        self.mae = mae

    @classmethod
    def fresh(cls, config: VideoMAEConfig = SMALL, seed: int = 0) -> Self:
        """An untrained model, which paints what paste paints."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            mae = VideoMAE(config)
        nn.init.zeros_(mae.decoder.decoder_pred.weight)
        nn.init.zeros_(mae.decoder.decoder_pred.bias)
        return cls(mae)

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Load what `save_pretrained` wrote, in float32 and eval mode. Raises CheckpointError."""
        return cls(VideoMAE.from_pretrained(source)).eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config.json and model.safetensors in half precision."""
        from safetensors.torch import save_file

        out = Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        config = {"architecture": "paste with memory + VideoMAE", **asdict(self.mae.config)}
        config["scales"] = "+".join(str(scale) for scale in self.mae.config.scales)
        (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        tensors = {name: tensor.half().contiguous() for name, tensor in self.mae.state_dict().items()}
        save_file(tensors, str(out / "model.safetensors"))

    def forward(self, video: Tensor, gaze: Gaze, frames: Sequence[int] | None = None) -> Tensor:
        """Paint frames; arguments, result and errors as of `VideoMAE`, frames of 224 px only."""
        pasted, added = self.parts(video, gaze, frames)
        return pasted + added

    def parts(self, video: Tensor, gaze: Gaze, frames: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """The pasted pictures and what the network adds to them; both as `forward`'s result."""
        chosen = list(range(gaze.frames)) if frames is None else list(frames)
        pasted = rebuild(video, gaze, memory=True, grey=0.0)[:, chosen]
        unsure = seen_scale(gaze)[:, chosen, None] != gaze.scales[-1]
        masks = gaze.masks()
        added = [self._mended(video, masks, pasted[:, [i]], t) for i, t in enumerate(chosen)]
        return pasted, torch.cat(added, 1) * unsure

    def _mended(self, video: Tensor, masks: Tensor, pasted: Tensor, t: int) -> Tensor:
        """What to add to the pasted frame t (B, 1, 3, S, S), read as if all of it had been looked at."""
        known = torch.cat([video[:, :t], pasted], 1)
        shown = masks[:, : t + 1].clone()
        shown[:, t, -(self.mae.config.grid.sides[-1] ** 2) :] = True
        out: Tensor = self.mae(known, Gaze.from_masks(shown), [t])
        return out


def judge(model: Reconstructor, loss: Loss | None = None) -> Judge:
    """The loss of every frame, each painted without the others: clips float (B, T, 3, 224, 224) in [0, 1]."""
    measure = L1() if loss is None else loss

    @torch.no_grad()
    def of(clips: Tensor, gaze: Gaze) -> Tensor:
        video = clips * 2 - 1
        values = [measure(model(video, gaze, [t]), video[:, t : t + 1]) for t in range(gaze.frames)]
        return torch.cat(values, 1)

    return of
