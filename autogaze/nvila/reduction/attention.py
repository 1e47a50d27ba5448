"""How much attention every patch of a frame receives inside the vision encoder: the scores that methods rank by.

In the layer before the last, as VisionZip has it; SigLIP has no class token, so it is the mean over all of the
frame's patches as queries, and over heads. A frame's scores sum to 1. The attention is computed once more for
this, a frame at a time, which costs about a layer's worth of time.
"""

import torch
from torch import Tensor

from autogaze.encoders.patches import check_fit, pack
from autogaze.encoders.siglip import GazedSiglip, Layer, micro_batches
from autogaze.gaze import Gaze

LAYER = -2


def with_attention(encoder: GazedSiglip, pixels: Tensor, gaze: Gaze) -> tuple[Tensor, Tensor]:
    """As `encoder.packed(pixels, gaze)`, and the scores of the same tokens."""
    check_fit(pixels, gaze, encoder.config.grid)
    tower, packed = encoder.vision_model, pack(gaze)
    each = tower.config.bytes_per_token(tower.post_layernorm.weight.element_size())
    layers: list[Layer] = [layer for layer in tower.encoder.layers if isinstance(layer, Layer)]
    at = max(0, len(layers) + LAYER)
    features, scores = [], []
    for first, last in micro_batches(packed, each, encoder.memory_budget):
        part = packed.select(first, last)
        chosen = pixels.new_empty(0)
        for number, x in enumerate(tower.states(pixels[first:last], part)):
            if number == len(layers) + 1 + tower.config.select_layer:
                chosen = x
            if number == at:  # what goes into that layer
                scores.append(received(layers[at], x, [count for clip in part.counts for count in clip]))
        features.append(tower.feature(chosen))
    return torch.cat(features), torch.cat(scores)


def received(layer: Layer, x: Tensor, counts: list[int]) -> Tensor:
    """Mean attention that each token gets from the tokens of its frame: x (M, C), counts summing to M -> (M,)."""
    attention = layer.self_attn
    normed = layer.layer_norm1(x)
    q, k = (
        project(normed).unflatten(-1, (attention.heads, -1)).transpose(0, 1)
        for project in (attention.q_proj, attention.k_proj)
    )
    scores, start = [], 0
    for count in counts:
        frame = slice(start, start + count)
        weights = (q[:, frame] @ k[:, frame].transpose(1, 2) * q.shape[-1] ** -0.5).float().softmax(-1)
        scores.append(weights.mean(dim=(0, 1)))
        start += count
    return torch.cat(scores)
