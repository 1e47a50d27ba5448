"""Gaze that the network in training writes itself: sampled, and told by the replayed search what it was worth.

Trained on the search's lists alone, a network never sees what follows its own choices. In later frames it then
goes by a picture that it has not got: at a ratio of 0.1 it lost 0.026 in a clip's first frame and 0.039 in the
eighth. Replaying its own lists costs a search, and says of every token what it would have gained there (DAgger,
Ross et al. 2011).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.choosing import Request
from autogaze.model.config import AutoGazeConfig
from autogaze.model.decoders import decoder_for
from autogaze.model.network import Network
from autogaze.training.batches import PROCESSOR
from autogaze.training.config import TrainConfig
from autogaze.training.labels import LabelledClip
from autogaze.training.objectives import search_of
from autogaze.training.schedule import frame_budgets, mean_ratio


@torch.no_grad()
def roll_out(
    network: Network,
    sizes: AutoGazeConfig,
    features: Tensor,
    counts: Sequence[int],
    temperature: float,
    draw: np.random.Generator,
    limit: float | None = None,
    top_k: int | None = None,
) -> Gaze:
    """Sample gazes, features float (B, T, 196, C), of `counts` tokens a frame; with `limit` they stop early."""
    decoder = decoder_for(network, sizes)
    room = features.shape[1] * sizes.features + sum(counts) + 2 * sizes.heads_ahead
    state = decoder.start(len(features), room)
    generator = torch.Generator(features.device).manual_seed(int(draw.integers(2**62)))
    tokens, padded = [], []
    for t, count in enumerate(counts):
        request = Request(count, limit, temperature=temperature, generator=generator, top_k=top_k)
        chosen, empty = decoder.frame(state, features[:, t], request)
        tokens.append(chosen.masked_fill(empty, 0) + sizes.eos * t)
        padded.append(empty)
    decoder.finish(state)
    return Gaze(torch.cat(tokens, 1), tuple(part.shape[1] for part in tokens), torch.cat(padded, 1))


def there_and_back(frames: Tensor, count: int) -> Tensor:
    """The first `count` frames (0: all); a clip that is too short runs backwards, then forwards again."""
    last = len(frames) - 1
    if count <= last + 1:
        return frames[: count or None]
    place = torch.arange(count) % max(1, 2 * last)
    return frames[torch.minimum(place, 2 * last - place)]


@torch.no_grad()
def own_list(
    network: Network, sizes: AutoGazeConfig, frames: Tensor, config: TrainConfig, draw: np.random.Generator
) -> LabelledClip:
    """Let the network gaze at frames, uint8 (T, 3, 224, 224), and replay it: its tokens, the loss after each.

    Half the clips have as many tokens in every frame, as in use, half have more in the first, as labels do.
    """
    settings = config.ntp
    with torch.autocast(config.device.split(":")[0], torch.bfloat16, config.precision == "bfloat16"):
        features, _ = network.features(PROCESSOR.pixels(frames)[None].to(config.device))
    if draw.random() < 0.5:
        counts = frame_budgets(len(frames), draw, *settings.own_ratios, tokens=sizes.eos)
    else:
        counts = (max(1, int(sizes.eos * mean_ratio(draw, *settings.own_ratios))),) * len(frames)
    heat = float(draw.uniform(*settings.own_temperature))
    gaze = roll_out(network, sizes, features.float(), counts, heat, draw)
    tokens = torch.split((gaze.positions[0] % sizes.eos).cpu(), list(counts))
    search, order, losses = search_of(settings.objective, config.memory), [], []
    for pixels, part in zip(frames.numpy().astype(np.float32) / np.float32(255), tokens, strict=True):
        order.append(tuple(part.tolist()))
        losses.append(search.replay(pixels, order[-1]).losses)
    return LabelledClip(frames, tuple(order), tuple(losses))
