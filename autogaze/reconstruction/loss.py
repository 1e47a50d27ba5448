"""How far a reconstruction is from the frame: one call whatever the terms.

Pictures are "normalised pixels": (value in [0, 1] - 0.5) / 0.5. Feature terms undo that and normalise as their
network was trained.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from autogaze.encoders.patches import resize

LAST_STATES = 4
FRAMES_AT_ONCE = 16


class Loss(Protocol):
    """What compares pictures with targets, both float (B, F, 3, H, W) -> (B, F)."""

    def __call__(self, pictures: Tensor, targets: Tensor) -> Tensor: ...


class L1(nn.Module):
    """Mean absolute difference of normalised pixels."""

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        check_pair(pictures, targets)
        return (pictures - targets).abs().mean((2, 3, 4))


class FeatureLoss(nn.Module):
    """Mean squared difference of a vision network's features: its last four hidden states, concatenated.

    network: a frozen transformers vision model that returns `hidden_states`. size: px a side it is fed with.
    mean, std: what it was trained on, three numbers each.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, *, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.size = size
        for name, values in (("mean", mean), ("std", std)):
            if len(values) != 3:
                raise ValueError(f"{name}={tuple(values)}: expected three numbers, one a channel")
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """A checkpoint that transformers can load, DINOv2 (with registers) or SigLIP2, folder or hub id."""
        from transformers import AutoConfig, AutoImageProcessor, AutoModel, SiglipVisionModel

        siglip = AutoConfig.from_pretrained(source).model_type.startswith("siglip")
        network = (SiglipVisionModel if siglip else AutoModel).from_pretrained(source)
        processor = AutoImageProcessor.from_pretrained(source)
        size = _input_side(processor)
        return cls(network, size=size, mean=processor.image_mean, std=processor.image_std)

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        check_pair(pictures, targets)
        with torch.no_grad():
            wanted = self.features(targets)
        return (self.features(pictures) - wanted).square().mean((2, 3))

    def features(self, pictures: Tensor) -> Tensor:
        """(B, F, 3, H, W) -> (B, F, tokens, 4 x width)."""
        frames = (pictures.flatten(0, 1) * 0.5 + 0.5 - self.mean) / self.std
        parts = []
        for some in torch.split(resize(frames, self.size), FRAMES_AT_ONCE):
            states = self.network(pixel_values=some, output_hidden_states=True).hidden_states
            parts.append(torch.cat(states[-LAST_STATES:], dim=-1))
        return torch.unflatten(torch.cat(parts), 0, pictures.shape[:2])


class ReconstructionLoss(nn.Module):
    """A weighted sum of terms: `ReconstructionLoss([(1.0, L1()), (0.3, feature_loss)])`."""

    def __init__(self, terms: Sequence[tuple[float, nn.Module]]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("terms=[]: expected at least one pair (weight, loss)")
        self.weights = [weight for weight, _ in terms]
        self.terms = nn.ModuleList(term for _, term in terms)

    @classmethod
    def published(cls, dinov2: str | Path | None = None, siglip2: str | Path | None = None) -> Self:
        """1.0 x L1, plus 0.3 x the features of each checkpoint given."""
        terms: list[tuple[float, nn.Module]] = [(1.0, L1())]
        terms += [(0.3, FeatureLoss.from_pretrained(s)) for s in (dinov2, siglip2) if s is not None]
        return cls(terms)

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        parts = [
            weight * term(pictures, targets) for weight, term in zip(self.weights, self.terms, strict=True)
        ]
        return torch.stack(parts).sum(0)


def check_pair(pictures: Tensor, targets: Tensor) -> None:
    """Raise ValueError unless both are (B, F, 3, H, W) of one shape."""
    if pictures.shape != targets.shape or pictures.ndim != 5 or pictures.shape[2] != 3:
        raise ValueError(
            f"pictures {tuple(pictures.shape)}, targets {tuple(targets.shape)}: "
            "expected one shape (B, F, 3, H, W)"
        )


def _input_side(processor: Any) -> int:
    """Px a side of what an image processor hands on: its crop where it crops, else its resize."""
    size = processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size
    for key in ("height", "shortest_edge"):
        if key in size:
            return int(size[key])
    raise ValueError(f"image processor: size {dict(size)} names neither height nor shortest_edge")
