"""Weights to start from that save the runs the search for where to look, which takes them longer than all the rest.

Positions are sines of row and column, and the heads of the encoder's first layers look at their patch's neighbours
(ConViT's idea). The heads of the language model's first layer look one to four tokens back: copying a text that stood
before, which is all of answering, then comes within minutes.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from autogaze.encoders.siglip import GazedSiglip

NEIGHBOURS = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0), (0, -2), (0, 2), (1, 1))
"""Rows and columns from a patch to what a head looks at."""
LOCAL = 2
"""Layers of the encoder that begin so."""
PLACE, GAIN, STRAY = 0.5, 2.2, 0.02
"""Size of positions, of the weights that compare them, and of what is drawn beside these."""
BACK = 3.2
"""Size of the biases that look back."""
EMBEDDING = 0.05
SHARP = 4.0
"""Weight of the language model's last norm: with embeddings as small as that, logits would be too flat."""


@torch.no_grad()
def look_around(vision: GazedSiglip) -> None:
    """Set an encoder's positions, and what its first layers ask for."""
    table = vision.vision_model.embeddings.position_embedding.weight
    side, quarter = math.isqrt(len(table)), table.shape[1] // 4
    rates = 1.5 * 4.0 ** -(torch.arange(quarter) / quarter * 3)
    angles = torch.arange(side)[:, None] * rates
    rows = torch.cat([angles.sin(), angles.cos()], 1)[:, None].expand(side, side, -1)
    table.copy_(PLACE * torch.cat([rows, rows.transpose(0, 1)], -1).flatten(0, 1))
    layers: list[Any] = list(vision.vision_model.encoder.layers)
    for number, layer in enumerate(layers):
        for out in (layer.self_attn.out_proj, layer.mlp.fc2):
            nn.init.normal_(out.weight, std=0.04 / math.sqrt(len(layers)))
        if number < LOCAL:
            own = layer.self_attn
            queries, keys = zip(*(_neighbour(own, rates, n) for n in range(own.heads)), strict=True)
            for weight, parts in ((own.q_proj.weight, queries), (own.k_proj.weight, keys)):
                weight.copy_(GAIN * torch.cat(parts) + STRAY * torch.randn_like(weight))


def _neighbour(attention: Any, rates: Tensor, head: int) -> tuple[Tensor, Tensor]:
    """Queries' and keys' rows of a head, (width, dim) each: sines and cosines of place, the query's moved by the
    offset, so that their product is largest there."""
    dim, quarter = attention.q_proj.in_features, len(rates)
    query, key = torch.zeros(2, dim // attention.heads, dim)
    chosen = torch.linspace(0, quarter * 0.6, dim // attention.heads // 4).round().long()
    for axis, offset in enumerate(NEIGHBOURS[head % len(NEIGHBOURS)]):
        row = 4 * torch.arange(len(chosen)) + 2 * axis
        sine = 2 * quarter * axis + chosen
        key[row, sine] = key[row + 1, sine + quarter] = 1
        turn = rates[chosen] * offset
        query[row, sine], query[row, sine + quarter] = turn.cos(), turn.sin()
        query[row + 1, sine], query[row + 1, sine + quarter] = -turn.sin(), turn.cos()
    return query, key


@torch.no_grad()
def look_back(llm: Any) -> None:
    """Set what a Qwen2 begins with: small embeddings, a first layer whose head n sees the token n + 1 places back."""
    nn.init.normal_(llm.get_input_embeddings().weight, std=EMBEDDING)
    nn.init.constant_(llm.model.norm.weight, SHARP)
    for layer in llm.model.layers:
        own = layer.self_attn
        for linear in (own.q_proj, own.k_proj, own.v_proj, layer.mlp.gate_proj, layer.mlp.up_proj):
            linear.reset_parameters()
    own = llm.model.layers[0].self_attn
    rates = llm.model.rotary_emb.inv_freq
    half = len(rates)
    quick = (torch.arange(half) < 0.45 * half) * BACK  # fast turns tell neighbours apart
    for linear in (own.q_proj, own.k_proj):
        linear.weight.mul_(0.1)
    own.v_proj.bias.zero_()
    for n in range(llm.config.num_attention_heads):
        part, turn = slice(n * own.head_dim, (n + 1) * own.head_dim), -(n + 1) * rates
        own.k_proj.bias[part] = torch.cat([quick, 0 * quick])
        own.q_proj.bias[part] = torch.cat([quick * turn.cos(), quick * turn.sin()])
    nn.init.orthogonal_(own.o_proj.weight)  # what is copied stays apart from what is here
    own.o_proj.weight.mul_(0.7)
