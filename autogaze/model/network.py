"""The layers of AutoGaze: frames to feature tokens, and a small Llama that writes token lists after them.

Holds parameters under the checkpoint's names and the plain forward pass over a whole sequence (training,
teacher forcing). Writing a gaze token by token is `autogaze.model.decode`, which reads these weights but brings its
own loop.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.model.config import AutoGazeConfig


class TrunkBlock(nn.Module):
    """3 x 3 x 3 convolution that sees this frame and the two before it, then ReLU."""

    def __init__(self, dim: int, temporal_kernel: int, spatial_kernel: int) -> None:
        super().__init__()
        self.past = temporal_kernel - 1
        kernel = (temporal_kernel, spatial_kernel, spatial_kernel)
        edge = (spatial_kernel - 1) // 2
        self.conv3d = nn.Conv3d(dim, dim, kernel, padding=(0, edge, edge))

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, C, T, h, w), past (B, C, 2, h, w) or None at the start -> output like x, the new past."""
        if past is None:
            past = x.new_zeros(x.shape[0], x.shape[1], self.past, *x.shape[3:])
        x = torch.cat([past, x], dim=2)
        return F.relu(self.conv3d(x)), x[:, :, x.shape[2] - self.past :]


class VisionModel(nn.Module):
    """Patch embedding, layer norm over channels, trunk, projection."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        dim, patch = config.vision_dim, config.patch_size
        self.temporal_conv = nn.Conv3d(3, dim, (1, patch, patch), stride=(1, patch, patch))
        self.norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList(
            TrunkBlock(dim, config.trunk_temporal_kernel, config.trunk_spatial_kernel)
            for _ in range(config.vision_depth)
        )
        self.out_proj = nn.Conv3d(dim, config.hidden_size, 1)

    def forward(self, video: Tensor, past: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """Video (B, T, 3, H, W) -> features (B, T, h * w, C), and each block's last inputs."""
        x = self.temporal_conv(video.transpose(1, 2))
        x = self.norm(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
        new_past = []
        for index, block in enumerate(self.blocks):
            x, kept = block(x, past[index] if past else None)
            new_past.append(kept)
        return self.out_proj(x).flatten(3).permute(0, 2, 3, 1), new_past


class Connector(nn.Module):
    """Adds each feature token's place in the frame."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(config.features, config.hidden_size))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.pos_embed


class RMSNorm(nn.Module):
    """Root-mean-square norm, in float32 whatever comes in."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight, self.eps)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """`weight * x / rms(x)`, the root mean square taken in float32."""
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.heads = config.heads
        self.q_proj = nn.Linear(dim, dim, bias=False)
        self.k_proj = nn.Linear(dim, dim, bias=False)
        self.v_proj = nn.Linear(dim, dim, bias=False)
        self.o_proj = nn.Linear(dim, dim, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, wanted: Tensor | None = None
    ) -> Tensor:
        """x (B, S, C); cos, sin (B, 1, S, head dim); mask bool (B, 1, S, S), or None for plain causal.

        wanted: long (W,), the rows whose outcome (B, W, C) is asked for; None for all. All rows are looked at.
        """
        asking = slice(None) if wanted is None else wanted
        q, k, v = (
            project(rows).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project, rows in ((self.q_proj, x[:, asking]), (self.k_proj, x), (self.v_proj, x))
        )
        q = q * cos[:, :, asking] + _rotate_half(q) * sin[:, :, asking]
        k = k * cos + _rotate_half(k) * sin
        if wanted is not None:
            causal = torch.arange(x.shape[1], device=x.device) <= wanted[:, None]
            mask = causal[None, None] if mask is None else mask[:, :, wanted]
        q, k = q.to(v.dtype), k.to(v.dtype)  # within autocast the turns are more precise
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        out: Tensor = self.o_proj(y.transpose(1, 2).flatten(2))
        return out


def _rotate_half(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


class MLP(nn.Module):
    """SwiGLU."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """One pre-norm Llama layer."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = MLP(config)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, wanted: Tensor | None = None
    ) -> Tensor:
        seen = self.self_attn(self.input_layernorm(x), cos, sin, mask, wanted)
        x = (x if wanted is None else x[:, wanted]) + seen
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class LlamaBody(nn.Module):
    """Token embedding, layers, final norm."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.eos + 1, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class GazeDecoder(nn.Module):
    """The Llama body with its two heads: the next tokens, and the loss expected once they are seen."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.config = config
        self.model = LlamaBody(config)
        self.lm_head = nn.Linear(config.hidden_size, (config.eos + 1) * config.heads_ahead, bias=False)
        self.task_loss_prediction_head = nn.Linear(config.hidden_size, config.heads_ahead, bias=False)

    def forward(self, embeds: Tensor, attended: Tensor) -> Tensor:
        """embeds (B, S, C), attended bool (B, S), False at padding -> hidden states (B, S, C)."""
        positions = attended.long().cumsum(-1) - 1
        cos, sin = rotary(positions.clamp(min=0), self.config, embeds.dtype)
        mask = causal_mask(attended)
        for layer in self.model.layers:
            embeds = layer(embeds, cos, sin, mask)
        hidden: Tensor = self.model.norm(embeds)
        return hidden


def rotary(positions: Tensor, config: AutoGazeConfig, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines that turn queries and keys to positions (B, S): (B, 1, S, head dim) each."""
    angles = positions[..., None] * rope_frequencies(config).to(positions.device)
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def causal_mask(attended: Tensor) -> Tensor | None:
    """Bool (B, 1, S, S): every token sees the attended ones up to itself, and always itself.

    None, plain causal, where all are attended, which runs faster.
    """
    if bool(attended.all()):
        return None
    S = attended.shape[1]
    causal = torch.ones(S, S, dtype=torch.bool, device=attended.device).tril()
    itself = torch.eye(S, dtype=torch.bool, device=attended.device)
    return ((causal & attended[:, None]) | itself)[:, None]


class Network(nn.Module):
    """All of AutoGaze's parameters, as the checkpoint's `gazing_model.…`."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.vision_model = VisionModel(config)
        self.connector = Connector(config)
        self.gaze_decoder = GazeDecoder(config)

    def features(self, video: Tensor, past: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """Video (B, T, 3, 224, 224) -> feature tokens (B, T, 196, C), and the trunk's past."""
        x, new_past = self.vision_model(video, past)
        return self.connector(x), new_past


def resized(video: Tensor, side: int) -> Tensor:
    """Video (B, T, 3, H, W) at side x side px, bicubic, as published; one that has the size as it is."""
    if video.shape[-2:] == (side, side):
        return video
    flat = F.interpolate(video.flatten(0, 1), (side, side), mode="bicubic", align_corners=False)
    return flat.view(*video.shape[:3], side, side)


def rope_frequencies(config: AutoGazeConfig) -> Tensor:
    """Float32 (head dim / 2,): radians a position, after the llama3 scaling of slow components."""
    dim = config.hidden_size // config.heads
    steps = torch.arange(0, dim, 2, dtype=torch.int64).float() / dim
    frequencies = torch.pow(config.rope_theta, steps).reciprocal()
    scaling = config.rope_scaling
    if not scaling:
        return frequencies
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    # Turns that a component makes over the context the model was first trained on: few turns, slow component.
    turns = scaling["original_max_position_embeddings"] * frequencies / (2 * math.pi)
    slowed = frequencies / scaling["factor"]
    blend = ((turns - low) / (high - low)).clamp(0, 1)
    scaled: Tensor = slowed + (frequencies - slowed) * blend
    return scaled
