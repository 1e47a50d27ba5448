"""Random weights to start from, drawn so that a short training run gets somewhere.

Example::

    model = fresh(AutoGazeConfig(), seed=0)

Nothing here is learned or taken from another checkpoint. Three draws are not the plain ones of PyTorch, each
because a small budget has no time to find them: patch filters start as the lowest frequencies of a cosine
transform (natural images have most energy there), places as two-dimensional sinusoids (neighbours resemble
each other), and a token's embedding and output row as the place it covers.
"""

import math

import torch
from torch import Tensor, nn

from autogaze.config import AutoGazeConfig
from autogaze.model import AutoGaze

PLACE = 0.5
"""Size of the place signal beside the features, whose channels have about unit variance."""


def fresh(config: AutoGazeConfig, seed: int) -> AutoGaze:
    """An untrained model in training mode; the same seed gives the same weights."""
    state = torch.get_rng_state()
    try:
        torch.manual_seed(seed)
        model = AutoGaze(config)
        with torch.no_grad():
            _decoder(model)
            _vision(model)
            _places(model)
    finally:
        torch.set_rng_state(state)  # a caller's own draws do not depend on how many were made here
    return model.train()


def _decoder(model: AutoGaze) -> None:
    """Linear layers as Llama has them, N(0, 0.02); those that write to the residual stream smaller."""
    decoder = model.gazing_model.gaze_decoder
    for name, module in decoder.named_modules():
        if isinstance(module, nn.Linear):
            writes = name.endswith(("o_proj", "down_proj"))
            nn.init.normal_(module.weight, std=0.02 / math.sqrt(2 * model.config.layers) if writes else 0.04)


def _vision(model: AutoGaze) -> None:
    """Cosine patch filters over luma and two colour differences, centred on the published pixel range."""
    conv = model.gazing_model.vision_model.temporal_conv
    dim, patch = model.config.vision_dim, model.config.patch_size
    luma, colour = dim * 3 // 4, dim // 8
    axes = torch.tensor([[1.0, 1, 1], [1, 0, -1], [-0.5, 1, -0.5]])
    axes = axes / axes.norm(dim=1, keepdim=True)
    filters = torch.cat(
        [
            cosines(patch, count)[:, None] * axis.view(1, 3, 1, 1)
            for count, axis in ((luma, axes[0]), (colour, axes[1]), (dim - luma - colour, axes[2]))
        ]
    )
    conv.weight.copy_(filters[:, :, None])
    assert conv.bias is not None
    # Pixels reach the network in -3..1 (see AutoGazeImageProcessor): a middle grey, -1, shall read as zero.
    # What is added keeps a flat patch from being blown up to noise by the norm that follows.
    conv.bias.copy_(conv.weight.sum((1, 2, 3, 4)) + 0.3 * torch.randn(dim))


def cosines(patch: int, count: int) -> Tensor:
    """The `count` lowest two-dimensional cosines of a `patch` px square, (count, patch, patch).

    Scaled by their frequency, since the spectrum of natural images falls about as fast.
    """
    place = (torch.arange(patch) + 0.5) / patch
    lines = torch.cos(math.pi * torch.arange(patch)[:, None] * place)
    order = sorted((u * u + v * v, u, v) for u in range(patch) for v in range(patch))[:count]
    rows = [lines[u][:, None] * lines[v] * (1 + math.sqrt(square)) / patch**2 for square, u, v in order]
    return torch.stack(rows)


def _places(model: AutoGaze) -> None:
    """Positions of features, embeddings of tokens and output rows, from where they are in the frame."""
    config, network = model.config, model.gazing_model
    dim, finest = config.hidden_size, config.sides[-1]
    middle = (torch.arange(finest) + 0.5) / finest
    grid = torch.cartesian_prod(middle, middle)
    network.connector.pos_embed.copy_(PLACE * sinusoids(grid, dim))
    tokens = torch.zeros(config.eos + 1, dim)
    start = 0
    for side in config.sides:
        middle = (torch.arange(side) + 0.5) / side
        place = sinusoids(torch.cartesian_prod(middle, middle), dim)
        tokens[start : start + side * side] = PLACE * place + PLACE * torch.randn(dim)
        start += side * side
    network.gaze_decoder.model.embed_tokens.weight.copy_(tokens + 0.02 * torch.randn_like(tokens))
    head = network.gaze_decoder.lm_head.weight.view(config.heads_ahead, config.eos + 1, dim)
    head.add_(0.05 * tokens)


def sinusoids(places: Tensor, dim: int) -> Tensor:
    """Sines and cosines of places (M, 2) in [0, 1], at half a turn to 16 turns a frame: (M, dim)."""
    turns = torch.logspace(-1, 4, dim // 4, base=2.0) * 2 * math.pi
    angles = places[:, :, None] * turns
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(1)
