"""The decoding loop: feature tokens of one frame in, the list of tokens to gaze at out.

The decoder reads the frame's 196 feature tokens, then writes tokens in groups of ten until the budget is
spent or the predicted loss is low enough. `Decoder` holds the weights rearranged for speed, `DecodeState`
what a batch of clips has seen so far; the loop knows nothing of pixels, tiles or files.

What makes it lean, with the same result: nothing but the last position goes through the last layer and the
heads; a padded token is never stored, so no attention mask exists; keys and values are written in place; a
clip that has stopped takes no further part.

Each clip is gazed as the published model gazes it in a batch of its own. `published_batching` reproduces what
the published model does to a clip that stops before its batch: its last group is read again with the padding
visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.model.choosing import Request, choose
from autogaze.model.config import AutoGazeConfig
from autogaze.model.fused import Fused, linear, rotate, split_heads
from autogaze.model.kvcache import ClipCache
from autogaze.model.network import Network


@dataclass
class DecodeState:
    """What a batch of clips has read and written so far.

    pending: each clip's tokens not yet in the cache. turned_to: where each clip's groups of this frame are
    placed for the rotary embedding (see `Decoder.frame`).
    """

    cache: ClipCache
    pending: list[Tensor] = field(default_factory=list)
    turned_to: list[int] = field(default_factory=list)


class Decoder:
    """The loop for CPUs. Inference only. `dtype`: what products are computed in, the weights' own by default."""

    def __init__(self, network: Network, config: AutoGazeConfig, dtype: torch.dtype | None = None) -> None:
        self.config, self.weights = config, Fused(network, config, dtype)
        self.device, self.dtype = self.weights.device, self.weights.dtype
        self._turns = torch.empty(0, device=self.device)

    def start(self, batch: int, capacity: int) -> DecodeState:
        """An empty state for `batch` clips with room for `capacity` tokens each; it grows beyond."""
        dim = self.config.hidden_size // self.config.heads
        cache = ClipCache(
            self.config.layers, self.config.heads, dim, batch, capacity, self.device, self.dtype
        )
        none = torch.empty(0, dtype=torch.long, device=self.device)
        return DecodeState(cache, [none] * batch)

    def finish(self, state: DecodeState) -> None:
        """Nothing is kept: a state costs nothing to make."""

    def frame(self, state: DecodeState, features: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Read one frame's features (B, 196, C), write its gaze: tokens long (B, n), padded bool (B, n).

        n is the number of slots of the clip that went on longest; other clips are padded (with EOS).

        Positions: tokens read together with a frame's features, and the features, are counted through. Groups
        written in the frame all take the positions of the frame's last ten features. That is what the
        published model does (its position ids are computed once a frame), so its weights expect it.
        """
        state.cache.reserve(self.config.features + request.budget + 2 * self.config.heads_ahead)
        clips = list(range(len(features)))
        rows = [torch.cat([self.weights.embed[state.pending[b]], features[b].float()]) for b in clips]
        hidden = self._read(state.cache, rows, clips, state.cache.lengths)
        state.turned_to = [length - self.config.heads_ahead for length in state.cache.lengths]
        return self._write(state, hidden, request)

    def _write(self, state: DecodeState, hidden: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Group after group for the clips that have not stopped; `hidden` are all clips' last positions."""
        batch = len(hidden)
        tokens = torch.full((batch, request.budget), self.config.eos, device=self.device)
        padded = torch.ones(batch, request.budget, dtype=torch.bool, device=self.device)
        blocked = torch.zeros(batch, self.config.eos + 1, dtype=torch.bool, device=self.device)
        blocked[:, self.config.eos] = True
        noise = torch.empty(batch, self.config.heads_ahead, self.config.eos + 1, device=self.device)
        active, slots = list(range(batch)), 0
        while True:
            size = min(self.config.heads_ahead, request.budget - slots)
            drawn = request.noise(noise)
            mine = None if drawn is None else drawn[active, :size]
            scores, losses = self.weights.foretell(hidden)
            group, pad = choose(scores[:, :size], losses, blocked, slots == 0, request, mine)
            tokens[active, slots : slots + size] = group
            padded[active, slots : slots + size] = pad
            slots += size
            stopped = pad.any(1).tolist() if request.requirement is not None else [False] * len(active)
            going = [row for row, stop in enumerate(stopped) if not stop]
            ended = [row for row, stop in enumerate(stopped) if stop]
            if slots == request.budget or not going:
                self._leave_pending(state, group, pad, active, range(len(active)))
                break
            if request.published_batching:
                self._read_padded(state, group, pad, active, ended)
            else:
                self._leave_pending(state, group, pad, active, ended)
            if ended:
                blocked, group = blocked[going], group[going]
                active = [active[row] for row in going]
            hidden = self._read(state.cache, list(self.weights.embed[group]), active, state.turned_to)
        return tokens[:, :slots], padded[:, :slots]

    def _leave_pending(
        self, state: DecodeState, group: Tensor, pad: Tensor, active: Sequence[int], rows: Sequence[int]
    ) -> None:
        """A clip's last group is read together with the next frame; padding is dropped."""
        for row in rows:
            state.pending[active[row]] = group[row][~pad[row]]

    def _read_padded(
        self, state: DecodeState, group: Tensor, pad: Tensor, active: Sequence[int], rows: Sequence[int]
    ) -> None:
        """Published batches: a stopped clip's last group is read with its padding, which is then dropped."""
        for row in rows:
            clip = active[row]
            start = state.cache.lengths[clip]
            seen = group[row].masked_fill(pad[row], self.config.eos)
            self._read(state.cache, [self.weights.embed[seen]], [clip], state.turned_to)
            state.cache.keep(clip, start, (~pad[row]).nonzero()[:, 0])
            state.pending[clip] = group[row][:0]

    def _read(
        self, cache: ClipCache, rows: Sequence[Tensor], clips: Sequence[int], places: Sequence[int]
    ) -> Tensor:
        """Run each clip's new rows through the layers into the cache; hidden (clips, C) at their last row.

        places[b]: rotary position of clip b's first new row; the others follow.
        """
        counts = [len(part) for part in rows]
        x = torch.cat(list(rows)) if len(rows) > 1 else rows[0]
        turn = self._rope([places[clip] for clip in clips], counts)
        last = torch.tensor(counts).cumsum(0).to(self.device) - 1
        channels, eps = self.config.hidden_size, self.config.rms_norm_eps
        for index, layer in enumerate(self.weights.layers):
            final = index == len(self.weights.layers) - 1
            h = F.rms_norm(x, (channels,), layer.norm1, eps)
            if final:
                q = rotate(split_heads(linear(h[last], layer.q), self.config.heads), turn[last])
                k, v = linear(h, layer.kv).chunk(2, dim=1)
                k = rotate(split_heads(k, self.config.heads), turn)
                x = x[last]
            else:
                qkv = linear(h, layer.qkv)
                v = qkv[:, 2 * channels :]
                qk = split_heads(qkv[:, : 2 * channels], 2 * self.config.heads)
                q, k = rotate(qk, turn).chunk(2, dim=1)
            y = cache.attend(index, q, k, split_heads(v, self.config.heads), clips, counts, final)
            x = layer.feed_forward(x + linear(y, layer.o), eps)
        cache.advance(clips, counts)
        return F.rms_norm(x, (channels,), self.weights.norm, eps)

    def _rope(self, starts: Sequence[int], counts: Sequence[int]) -> Tensor:
        """Unit complex numbers (R, 1, head dim / 2) that turn queries and keys to their positions."""
        end = max(start + count for start, count in zip(starts, counts, strict=True))
        if len(self._turns) < end:
            self._turns = self.weights.turns(2 * end)
        parts = [self._turns[start : start + n] for start, n in zip(starts, counts, strict=True)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]
