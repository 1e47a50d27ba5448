"""Random weights to start from, drawn so that a short training run gets somewhere.

Nothing here is learned or taken from another checkpoint. What is not a plain draw of PyTorch is here because a
small budget has no time to find it:

* filters measure detail and change, see `initial_filters`; features carry both in directions of their own;
* a place is a row of cosines, a coarse token the mean of the places it covers;
* the upper layers ask for detail and change, and pass on the place they find: attention votes for where to look.

From plain draws, and from filters whose contrast the norm behind them takes away, runs of this size (700 steps)
learned where an overview pays and nothing of what a clip shows: gaze was the same for every clip.
"""

import math

import torch
from torch import Tensor, nn

from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Attention
from autogaze.training.initial_filters import DETAIL, apart, cosine_waves, measure

PLACE = 0.5
"""Size of the place signal in features and token embeddings."""

ASKING, ASKED = 3.0, (1.0, 0.5, 0.3)
"""Of the constant that every embedding carries to ask with; of what is asked for: fine detail, middle, change."""

COPY, STRAY = 1.0, 0.1
"""Of the identity in values and outputs of the upper layers, and what is left there of the plain draw."""

VOTE, NOISE = 0.1, 0.05
"""Of a token's place in its output row, and what is left there of the plain draw: first guesses are near even."""


def fresh(config: AutoGazeConfig, seed: int) -> AutoGaze:
    """An untrained model in training mode; the same seed gives the same weights."""
    state = torch.get_rng_state()
    try:
        torch.manual_seed(seed)
        model = AutoGaze(config)
        axes = directions(config.hidden_size)
        with torch.no_grad():
            _decoder(model)
            measure(model.gazing_model.vision_model, axes)
            _places(model, axes)
            _attention(model, axes)
    finally:
        torch.set_rng_state(state)  # a caller's own draws do not depend on how many were made here
    return model.train()


def directions(dim: int) -> Tensor:
    """(5, dim) orthonormal: fine detail, middle detail, change, the constant that asks, and one spare."""
    generator = torch.Generator().manual_seed(7)
    found: Tensor = torch.linalg.qr(torch.randn(dim, 5, generator=generator)).Q.T
    return found


def _decoder(model: AutoGaze) -> None:
    """Linear layers as Llama has them, N(0, 0.02); those that write to the residual stream smaller."""
    decoder = model.gazing_model.gaze_decoder
    for name, module in decoder.named_modules():
        if isinstance(module, nn.Linear):
            writes = name.endswith(("o_proj", "down_proj"))
            nn.init.normal_(module.weight, std=0.02 / math.sqrt(2 * model.config.layers) if writes else 0.04)


def _places(model: AutoGaze, axes: Tensor) -> None:
    """Positions of features, embeddings of tokens and output rows, from where they are in the frame."""
    config, network = model.config, model.gazing_model
    dim, finest = config.hidden_size, config.sides[-1]
    free = apart(axes)
    places = cosine_places(finest, dim) @ free
    network.connector.pos_embed.copy_(PLACE * places + ASKING * axes[3])
    tokens = torch.zeros(config.eos + 1, dim)
    start = 0
    for side in config.sides:
        rows = covered(side, finest) @ places
        rows = rows / rows.norm(dim=1, keepdim=True) * places.norm(dim=1).mean()
        tokens[start : start + side * side] = PLACE * rows + PLACE * torch.randn(dim) @ free
        start += side * side
    embedding = network.gaze_decoder.model.embed_tokens.weight
    embedding.copy_(tokens + 0.02 * torch.randn_like(tokens) + ASKING * axes[3])
    head = network.gaze_decoder.lm_head.weight.view(config.heads_ahead, config.eos + 1, dim)
    head.mul_(NOISE).add_(VOTE * tokens)


def _attention(model: AutoGaze, axes: Tensor) -> None:
    """The upper half of the layers look at detail and change, and hand on the place of what they see.

    Every head asks in its slowest rotary channel, which hardly turns with distance.
    """
    config = model.config
    width, free = config.hidden_size // config.heads, apart(axes)
    wanted = sum((weight * axis for weight, axis in zip(ASKED, axes[:DETAIL], strict=True)), torch.zeros(()))
    for layer in list(model.gazing_model.gaze_decoder.model.layers)[config.layers // 2 :]:
        attention = layer.self_attn
        assert isinstance(attention, Attention)
        for linear in (attention.v_proj, attention.o_proj):
            linear.weight.mul_(STRAY).add_(COPY * free)
        rows = torch.arange(config.heads) * width + width // 2 - 1
        attention.q_proj.weight[rows] = axes[3]
        attention.k_proj.weight[rows] = wanted


def cosine_places(side: int, dim: int) -> Tensor:
    """Places of a side x side grid, (side * side, dim): the lowest cosines over the grid but the constant.

    Two places share next to nothing, whatever their distance, so that sums of places can be read apart. Which cosine
    is in which channel is random, so that every head's share holds fine and coarse ones.
    """
    squares = (torch.arange(side)[:, None] ** 2 + torch.arange(side) ** 2).flatten()
    order = torch.argsort(squares, stable=True)[1 : dim + 1]
    waves = cosine_waves(side).flatten(1)[order]
    places = torch.zeros(side * side, dim)
    channels = torch.randperm(len(order), generator=torch.Generator().manual_seed(11))
    places[:, : len(order)] = waves[channels].T
    places *= (dim / 2) ** 0.5 * 1.4
    return places


def covered(side: int, finest: int) -> Tensor:
    """(side * side, finest * finest): what share of a token's area each cell of the finest grid is."""
    ends = torch.arange(side + 1) * finest / side
    cells = torch.arange(finest)
    low = torch.maximum(ends[:-1, None], cells)
    shares = (torch.minimum(ends[1:, None], cells + 1) - low).clamp(min=0)
    shares = shares / shares.sum(1, keepdim=True)
    return torch.einsum("ar,bc->abrc", shares, shares).reshape(side * side, finest * finest)
