"""Parts of the ViT-MAE over packed tokens: its layers, under the Hugging Face names, and tokens' places."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.encoders.attention import Plan, attend
from autogaze.encoders.patches import Grid
from autogaze.reconstruction.mae_config import Stack


class SelfAttention(nn.Module):
    """The projections of attention, all but the last."""

    def __init__(self, shape: Stack) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query = nn.Linear(shape.width, shape.width)
        self.key = nn.Linear(shape.width, shape.width)
        self.value = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, blocks: Plan) -> Tensor:
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)) for project in (self.query, self.key, self.value)
        )
        return attend(q, k, v, blocks).flatten(1)


class Dense(nn.Module):
    """A linear map that the checkpoint calls `dense`."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dense(x)
        return out


class Attention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, shape: Stack) -> None:
        super().__init__()
        self.attention = SelfAttention(shape)
        self.output = Dense(shape.width, shape.width)

    def forward(self, x: Tensor, blocks: Plan) -> Tensor:
        out: Tensor = self.output(self.attention(x, blocks))
        return out


class Layer(nn.Module):
    """Pre-norm transformer layer with an exact GELU."""

    def __init__(self, shape: Stack) -> None:
        super().__init__()
        self.layernorm_before = nn.LayerNorm(shape.width, shape.eps)
        self.attention = Attention(shape)
        self.layernorm_after = nn.LayerNorm(shape.width, shape.eps)
        self.intermediate = Dense(shape.width, shape.hidden)
        self.output = Dense(shape.hidden, shape.width)

    def forward(self, x: Tensor, blocks: Plan) -> Tensor:
        x = x + self.attention(self.layernorm_before(x), blocks)
        out: Tensor = x + self.output(F.gelu(self.intermediate(self.layernorm_after(x))))
        return out


class ClassFirst:
    """Puts a class token before the tokens of every clip, as a frame of its own, and takes it out again.

    clip: long (M,), ascending; counts: tokens a frame, clip by clip.
    """

    def __init__(self, clip: Tensor, counts: tuple[tuple[int, ...], ...]) -> None:
        sizes = torch.tensor([1 + sum(row) for row in counts], device=clip.device)
        self.counts = tuple((1, *row) for row in counts)
        self.cls = sizes.cumsum(0) - sizes
        self.rest = torch.arange(len(clip), device=clip.device) + clip + 1

    def join(self, cls: Tensor, tokens: Tensor) -> Tensor:
        """cls (B, C), tokens (M, C) -> (B + M, C)."""
        out = tokens.new_empty(len(cls) + len(tokens), tokens.shape[-1])
        return out.index_copy(0, self.cls, cls).index_copy(0, self.rest, tokens)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B + M, C) -> tokens (M, C), cls (B, C)."""
        return x[self.rest], x[self.cls]


def scale_of_token(grid: Grid, device: torch.device) -> Tensor:
    """Long (tokens,): the index of every token's scale."""
    sizes = torch.tensor([side * side for side in grid.sides], device=device)
    return torch.arange(len(sizes), device=device).repeat_interleave(sizes)


def line_table(table: Tensor, sides: Sequence[int]) -> Tensor:
    """The decoder's position embeddings, (g * g, C) -> (tokens, C).

    ViT-MAE's decoder interpolates them along the row-major line of patches, not over the square, and the
    published weights were trained so.
    """
    line = table.T[None, :, None]
    parts = [
        table
        if side * side == len(table)
        else F.interpolate(line, size=(1, side * side), mode="bicubic", align_corners=False)[0, :, 0].T
        for side in sides
    ]
    return torch.cat(parts)
