"""The gaze decoder's weights as both decoding loops want them: fused, transposed, in the precision to compute in.

Precision is as under the published flash path's autocast: matrix products, keys and values in `dtype`; the residual
stream, norms, rotary turns and heads in float32 always.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Layer, Network, rope_frequencies

# BLAS computes a product in tiles, and what is left over at its edges by other kernels, which round differently: a
# clip alone would then differ from the same clip in a batch in the last bit. Products of whole tiles have no edges.
# Twelve rows are whole tiles of SSE, AVX2 and AVX-512 kernels (4, 6, 12 rows); columns are 192, 384 or multiples.
ROWS, COLUMNS = 12, 384


class Fused:
    """Weights of embedding, layers, norm and heads; a copy, detached. `dtype`: what products are computed in."""

    def __init__(self, network: Network, config: AutoGazeConfig, dtype: torch.dtype | None = None) -> None:
        body = network.gaze_decoder.model
        self.embed = body.embed_tokens.weight.detach().float()
        self.device = self.embed.device
        self.dtype = dtype or body.embed_tokens.weight.dtype
        self.layers = [FusedLayer(layer, config, self.dtype) for layer in body.layers]
        self.norm = body.norm.weight.detach().float()
        heads = (network.gaze_decoder.lm_head, network.gaze_decoder.task_loss_prediction_head)
        both = torch.cat([head.weight.detach().float() for head in heads])
        self.heads = _transposed(F.pad(both, (0, 0, 0, -len(both) % COLUMNS)))
        self._words, self._ahead = config.eos + 1, config.heads_ahead
        self._frequencies = rope_frequencies(config).to(self.device)

    def foretell(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden (A, C) -> float32 scores (A, heads ahead, 266) of the next tokens, losses (A, heads ahead)."""
        out = linear(hidden, self.heads)
        words = self._words * self._ahead
        return out[:, :words].view(len(out), self._ahead, self._words), out[:, words : words + self._ahead]

    def turns(self, end: int) -> Tensor:
        """Unit complex numbers (end, 1, head dim / 2) that turn queries and keys to positions 0 to end - 1."""
        angles = torch.arange(end, device=self.device)[:, None] * self._frequencies
        return torch.polar(torch.ones_like(angles), angles)[:, None]


class FusedLayer:
    """One layer's weights; projections of the same input joined.

    Rotary embedding turns channel i against channel i + half. Reordering the rows of the query and key
    projections puts the two next to each other, so that the turn is one product of complex numbers; scores do
    not change. Queries come out scaled by 1 / sqrt(head dim), as attention wants them.
    """

    def __init__(self, layer: nn.Module, config: AutoGazeConfig, dtype: torch.dtype) -> None:
        assert isinstance(layer, Layer)
        attention, mlp = layer.self_attn, layer.mlp
        dim = config.hidden_size // config.heads
        order = torch.arange(dim).view(2, dim // 2).T.flatten()
        rows = (torch.arange(config.heads)[:, None] * dim + order).flatten()
        q = attention.q_proj.weight.detach().float()[rows] * dim**-0.5
        k, v = attention.k_proj.weight.detach().float()[rows], attention.v_proj.weight.detach().float()
        self.q, self.kv, self.qkv = (_transposed(*w).to(dtype) for w in ((q,), (k, v), (q, k, v)))
        self.o = _transposed(attention.o_proj.weight.detach()).to(dtype)
        self.gate_up = _transposed(mlp.gate_proj.weight.detach(), mlp.up_proj.weight.detach()).to(dtype)
        self.down = _transposed(mlp.down_proj.weight.detach()).to(dtype)
        self.norm1 = layer.input_layernorm.weight.detach().float()
        self.norm2 = layer.post_attention_layernorm.weight.detach().float()

    def feed_forward(self, x: Tensor, eps: float) -> Tensor:
        """Float32 (R, C), the residual stream with what the SwiGLU adds."""
        gate, up = linear(F.rms_norm(x, x.shape[-1:], self.norm2, eps), self.gate_up).chunk(2, 1)
        return x + linear(F.silu(gate) * up, self.down)


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """(R, in) @ (in, out) in the weight's precision, on a CPU bit for bit the same for a row in any company."""
    x = x.to(weight.dtype)
    extra = -len(x) % ROWS if x.device.type == "cpu" else 0
    if extra == 0:
        return x @ weight
    return (F.pad(x, (0, 0, 0, extra)) @ weight)[: len(x)]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(R, C) -> (R, heads, C / heads)."""
    return x.reshape(len(x), heads, -1)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn x (R, heads, dim), channels in pairs, by complex numbers (R, 1, dim / 2); in float32."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:2], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


def _transposed(*weights: Tensor) -> Tensor:
    """Weights of linear layers side by side as (in, out), contiguous: for few rows 1.7 times as fast."""
    return torch.cat(weights).T.contiguous()
