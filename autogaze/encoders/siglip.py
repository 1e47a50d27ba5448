"""SigLIP over gazed patches: an image encoder becomes a video encoder that sees only what was gazed at.

The weights are SigLIP's own under SigLIP's own names; nothing is learned. A token is its patch's pixels at
its scale through the patch embedding, plus the position embedding interpolated to that scale's grid; the
rest is SigLIP's. Padding never enters the network. (The published code lets each padded slot see itself
alone and returns the result, of which it says that it is meaningless; here such slots cost nothing and
return zeros.)

Memory: clips are taken in micro-batches whose activations fit `memory_budget`; a clip is never split.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.encoders.attention import Plan, attend, plan, products_in
from autogaze.encoders.config import SiglipConfig
from autogaze.encoders.loading import load_tower
from autogaze.encoders.patches import Packed, check_fit, gather_patches, pack, position_table
from autogaze.gaze import Gaze
from autogaze.model.checkpoint import read_config

MEMORY_BUDGET = 1 << 30
# Rows of a feed-forward layer taken at once without gradients: wide hidden rows then stay in the CPU's cache.
MLP_ROWS = 512


class Embeddings(nn.Module):
    """Patch and position embedding of the gazed patches."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.grid = config.grid
        side = config.image_size // config.patch_size
        self.patch_embedding = nn.Conv2d(3, config.hidden_size, config.patch_size, stride=config.patch_size)
        self.position_embedding = nn.Embedding(side * side, config.hidden_size)

    def forward(self, video: Tensor, packed: Packed) -> Tensor:
        """Video (B, T, 3, H, W) -> tokens (M, C)."""
        weight = self.patch_embedding.weight
        pixels = gather_patches(video, packed, self.grid).to(weight.dtype)
        table = position_table(self.position_embedding.weight, self.grid.sides)
        return F.linear(pixels, weight.flatten(1), self.patch_embedding.bias) + table[packed.token]


class SelfAttention(nn.Module):
    """Multi-head attention over packed tokens."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.heads = config.num_attention_heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, blocks: Plan) -> Tensor:
        """(M, C) -> (M, C)."""
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)) for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        out: Tensor = self.out_proj(attend(q, k, v, blocks).flatten(1))
        return out


class MLP(nn.Module):
    """Two layers with a tanh-approximated GELU between."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() or x.device.type != "cpu":
            return self._rows(x)
        return torch.cat([self._rows(rows) for rows in torch.split(x, MLP_ROWS)])

    def _rows(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return out


class Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.self_attn = SelfAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, blocks: Plan) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x), blocks)
        out: Tensor = x + self.mlp(self.layer_norm2(x))
        return out


class Encoder(nn.Module):
    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))


class VisionTransformer(nn.Module):
    """Everything below a checkpoint's `vision_model.`, without the pooling head."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, video: Tensor, packed: Packed) -> Tensor:
        """The features that `select_layer` names: video (B, T, 3, H, W) -> (M, C)."""
        depth = len(self.encoder.layers) + 1 + self.config.select_layer
        states = self.states(video, packed)
        return self.feature(next(itertools.islice(states, depth, None)))  # layers above are not run

    def feature(self, state: Tensor) -> Tensor:
        """What becomes of the selected hidden state: the last one goes through the norm, others stay."""
        if self.config.select_layer != -1:
            return state
        out: Tensor = self.post_layernorm(state)
        return out

    def states(self, video: Tensor, packed: Packed) -> Iterator[Tensor]:
        """Hidden states (M, C) one at a time: the embedding, then what every layer makes of it."""
        x = self.embeddings(video, packed)
        blocks = plan(packed.counts, self.config.attn_type, x.device, dtype=products_in(x))
        yield x
        for layer in self.encoder.layers:
            x = layer(x, blocks)
            yield x


class GazedSiglip(nn.Module):
    """SigLIP's vision tower on gazed patches.

    memory_budget: bytes that the activations of a micro-batch may take.
    """

    def __init__(self, config: SiglipConfig, memory_budget: int = MEMORY_BUDGET) -> None:
        super().__init__()
        if memory_budget < 1:
            raise ValueError(f"memory_budget={memory_budget}: expected a positive number of bytes")
        self.config = config
        self.memory_budget = memory_budget
        self.vision_model = VisionTransformer(config)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        memory_budget: int = MEMORY_BUDGET,
        **changes: Any,
    ) -> Self:
        """Load a SigLIP or SigLIP2 checkpoint, a local folder or a hub id, in eval mode.

        changes: `scales` and `attn_type`, or any other field of SiglipConfig that overrules the checkpoint.
        Raises CheckpointError listing every tensor that is missing, surplus or of another shape. Tensors of
        the text tower and of the pooling head are not looked at.
        """
        config = SiglipConfig.from_json(read_config(source, revision), **changes)
        model = cls(config, memory_budget)
        load_tower(model, source, revision)
        return model.eval()

    def forward(self, video: Tensor, gaze: Gaze) -> Tensor:
        """Encode the gazed patches.

        video: float (B, T, 3, H, W), normalised as SigLIP has it (mean and std 0.5); resized to every scale.
        Returns (B, N, C), one feature vector a slot of `gaze.positions`, zeros at padded slots.
        Raises ValueError when video, gaze and the encoder's grid do not fit.
        """
        return pack(gaze).unpack(self.packed(video, gaze), gaze.positions.shape[1])

    def packed(self, video: Tensor, gaze: Gaze) -> Tensor:
        """The same features without padding: (M, C), ordered by clip, then slot."""
        return encode(self.vision_model, video, gaze, self.memory_budget)


def encode(tower: VisionTransformer, video: Tensor, gaze: Gaze, memory_budget: int = MEMORY_BUDGET) -> Tensor:
    """Features (M, C) of the real tokens of `gaze`, in micro-batches; see `GazedSiglip.packed`."""
    check_fit(video, gaze, tower.config.grid)
    packed = pack(gaze)
    each = tower.config.bytes_per_token(tower.post_layernorm.weight.element_size())
    parts = [
        tower(video[first:last], packed.select(first, last))
        for first, last in micro_batches(packed, each, memory_budget)
    ]
    return torch.cat(parts)


def micro_batches(packed: Packed, bytes_per_token: int, budget: int) -> Iterator[tuple[int, int]]:
    """Ranges of clips whose tokens fit `budget` bytes together; a clip too large for it goes alone."""
    first, tokens = 0, 0
    for clip, counts in enumerate(packed.counts):
        size = sum(counts)
        if clip > first and (tokens + size) * bytes_per_token > budget:
            yield first, clip
            first, tokens = clip, 0
        tokens += size
    yield first, len(packed.counts)
