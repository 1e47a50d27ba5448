"""The decoding loop: feature tokens of one frame in, the list of tokens to gaze at out.

The decoder reads the frame's 196 feature tokens, then writes tokens in groups of ten until the budget is
spent or the predicted loss is low enough. `Decoder` holds the weights rearranged for speed, `DecodeState`
what a batch of clips has seen so far; the loop knows nothing of pixels, tiles or files.

    decoder = Decoder(network, config)
    state = decoder.start(batch=2, capacity=6304)
    tokens, padded = decoder.frame(state, features[:, 0], Request(budget=53))      # (2, 53) each

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
from torch import Tensor, nn

from autogaze.model.config import AutoGazeConfig
from autogaze.model.kvcache import Cache, new_cache
from autogaze.model.network import Layer, Network, rms_norm, rope_frequencies

# BLAS computes a product in tiles, and what is left over at its edges by other kernels, which round differently: a
# clip alone would then differ from the same clip in a batch in the last bit. Products of whole tiles have no edges.
# Twelve rows are whole tiles of SSE, AVX2 and AVX-512 kernels (4, 6, 12 rows); columns are 192, 384 or multiples.
ROWS, COLUMNS = 12, 384


@dataclass(frozen=True)
class Request:
    """How one frame is to be gazed.

    budget: tokens at most, 1 to 265. requirement: predicted loss at which a clip stops, or None. temperature:
    sample at this temperature with `generator`; None takes the most probable token.
    """

    budget: int
    requirement: float | None = None
    published_batching: bool = False
    temperature: float | None = None
    generator: torch.Generator | None = None


@dataclass
class DecodeState:
    """What a batch of clips has read and written so far.

    pending: each clip's tokens not yet in the cache. turned_to: where each clip's groups of this frame are
    placed for the rotary embedding (see `Decoder.frame`).
    """

    cache: Cache
    pending: list[Tensor] = field(default_factory=list)
    turned_to: list[int] = field(default_factory=list)


class Decoder:
    """The weights of the gaze decoder, fused and reordered, and the loop over them. Inference only."""

    def __init__(self, network: Network, config: AutoGazeConfig) -> None:
        self.config = config
        body = network.gaze_decoder.model
        self.embed = body.embed_tokens.weight.detach()
        self.device, self.dtype = self.embed.device, self.embed.dtype
        self.layers = [_FusedLayer(layer, config) for layer in body.layers]
        self.norm = body.norm.weight.detach()
        heads = (network.gaze_decoder.lm_head, network.gaze_decoder.task_loss_prediction_head)
        both = torch.cat([head.weight.detach() for head in heads])
        self.heads = _transposed(F.pad(both, (0, 0, 0, -len(both) % COLUMNS)))
        self._frequencies = rope_frequencies(config).to(self.device)
        self._turns = torch.empty(0, device=self.device)

    def start(self, batch: int, capacity: int) -> DecodeState:
        """An empty state for `batch` clips with room for `capacity` tokens each; it grows beyond."""
        dim = self.config.hidden_size // self.config.heads
        cache = new_cache(len(self.layers), self.config.heads, dim, batch, capacity, self.device, self.dtype)
        none = torch.empty(0, dtype=torch.long, device=self.device)
        return DecodeState(cache, [none] * batch)

    def frame(self, state: DecodeState, features: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Read one frame's features (B, 196, C), write its gaze: tokens long (B, n), padded bool (B, n).

        n is the number of slots of the clip that went on longest; other clips are padded (with EOS).

        Positions: tokens read together with a frame's features, and the features, are counted through. Groups
        written in the frame all take the positions of the frame's last ten features. That is what the
        published model does (its position ids are computed once a frame), so its weights expect it.
        """
        state.cache.reserve(self.config.features + request.budget + 2 * self.config.heads_ahead)
        clips = list(range(len(features)))
        rows = [torch.cat([self.embed[state.pending[b]], features[b]]) for b in clips]
        hidden = self._read(state.cache, rows, clips, state.cache.lengths)
        state.turned_to = [length - self.config.heads_ahead for length in state.cache.lengths]
        return self._write(state, hidden, request)

    def _write(self, state: DecodeState, hidden: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Group after group for the clips that have not stopped; `hidden` are all clips' last positions."""
        batch = len(hidden)
        tokens = torch.full((batch, request.budget), self.config.eos, device=self.device)
        padded = torch.ones(batch, request.budget, dtype=torch.bool, device=self.device)
        blocked = torch.zeros(batch, self.config.eos + 1, device=self.device)
        blocked[:, self.config.eos] = -torch.inf
        active, slots = list(range(batch)), 0
        while True:
            size = min(self.config.heads_ahead, request.budget - slots)
            group, pad = self._choose(hidden, blocked, size, slots == 0, request)
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
            hidden = self._read(state.cache, list(self.embed[group]), active, state.turned_to)
        return tokens[:, :slots], padded[:, :slots]

    def _choose(
        self, hidden: Tensor, blocked: Tensor, size: int, first: bool, request: Request
    ) -> tuple[Tensor, Tensor]:
        """The next `size` tokens of every clip and which of them are padding; what is chosen gets blocked."""
        config = self.config
        out = _linear(hidden, self.heads).float()
        words = (config.eos + 1) * config.heads_ahead
        scores, losses = out[:, :words], out[:, words : words + config.heads_ahead]
        scores = scores.view(len(hidden), config.heads_ahead, -1)[:, :size] + blocked[:, None]
        group = []
        for ahead in range(size):
            token = _pick(scores[:, ahead], request)
            scores.scatter_(2, token.view(-1, 1, 1).expand(-1, size, 1), -torch.inf)
            group.append(token)
        chosen = torch.stack(group, 1)
        blocked.scatter_(1, chosen, -torch.inf)
        if request.requirement is None:
            return chosen, torch.zeros_like(chosen, dtype=torch.bool)
        pad = losses[:, :size] <= request.requirement
        if first:
            pad[:, 0] = False
        return chosen, pad

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
            self._read(state.cache, [self.embed[seen]], [clip], state.turned_to)
            state.cache.keep(clip, start, (~pad[row]).nonzero()[:, 0])
            state.pending[clip] = group[row][:0]

    def _read(
        self, cache: Cache, rows: Sequence[Tensor], clips: Sequence[int], places: Sequence[int]
    ) -> Tensor:
        """Run each clip's new rows through the layers into the cache; hidden (clips, C) at their last row.

        places[b]: rotary position of clip b's first new row; the others follow.
        """
        counts = [len(part) for part in rows]
        x = torch.cat(list(rows)) if len(rows) > 1 else rows[0]
        turn = self._rope([places[clip] for clip in clips], counts)
        last = torch.tensor(counts).cumsum(0).to(self.device) - 1
        for index, layer in enumerate(self.layers):
            final = index == len(self.layers) - 1
            h = rms_norm(x, layer.norm1, self.config.rms_norm_eps)
            if final:
                q = _rotate(_heads(_linear(h[last], layer.q), self.config.heads), turn[last])
                k, v = _linear(h, layer.kv).chunk(2, dim=1)
                k = _rotate(_heads(k, self.config.heads), turn)
                x = x[last]
            else:
                qkv = _linear(h, layer.qkv)
                v = qkv[:, 2 * self.config.hidden_size :]
                qk = _heads(qkv[:, : 2 * self.config.hidden_size], 2 * self.config.heads)
                q, k = _rotate(qk, turn).chunk(2, dim=1)
            y = cache.attend(index, q, k, _heads(v, self.config.heads), clips, counts, final)
            x = x + _linear(y, layer.o)
            gate, up = _linear(rms_norm(x, layer.norm2, self.config.rms_norm_eps), layer.gate_up).chunk(2, 1)
            x = x + _linear(F.silu(gate) * up, layer.down)
        cache.advance(clips, counts)
        return rms_norm(x, self.norm, self.config.rms_norm_eps)

    def _rope(self, starts: Sequence[int], counts: Sequence[int]) -> Tensor:
        """Unit complex numbers (R, 1, head dim / 2) that turn queries and keys to their positions."""
        end = max(start + count for start, count in zip(starts, counts, strict=True))
        if len(self._turns) < end:
            angles = torch.arange(2 * end, device=self.device)[:, None] * self._frequencies
            self._turns = torch.polar(torch.ones_like(angles), angles)[:, None]
        parts = [self._turns[start : start + n] for start, n in zip(starts, counts, strict=True)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]


class _FusedLayer:
    """One layer's weights; projections of the same input joined.

    Rotary embedding turns channel i against channel i + half. Reordering the rows of the query and key
    projections puts the two next to each other, so that the turn is one product of complex numbers; scores do
    not change. Queries come out scaled by 1 / sqrt(head dim), as attention wants them.
    """

    def __init__(self, layer: nn.Module, config: AutoGazeConfig) -> None:
        assert isinstance(layer, Layer)
        attention, mlp = layer.self_attn, layer.mlp
        dim = config.hidden_size // config.heads
        order = torch.arange(dim).view(2, dim // 2).T.flatten()
        rows = (torch.arange(config.heads)[:, None] * dim + order).flatten()
        q = attention.q_proj.weight.detach()[rows] * dim**-0.5
        k, v = attention.k_proj.weight.detach()[rows], attention.v_proj.weight.detach()
        self.q, self.kv, self.qkv = _transposed(q), _transposed(k, v), _transposed(q, k, v)
        self.o = _transposed(attention.o_proj.weight.detach())
        self.gate_up = _transposed(mlp.gate_proj.weight.detach(), mlp.up_proj.weight.detach())
        self.down = _transposed(mlp.down_proj.weight.detach())
        self.norm1 = layer.input_layernorm.weight.detach()
        self.norm2 = layer.post_attention_layernorm.weight.detach()


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    """`x @ weight`, bit for bit the same for a row whatever the other rows are."""
    extra = -len(x) % ROWS
    if extra == 0:
        return x @ weight
    return (F.pad(x, (0, 0, 0, extra)) @ weight)[: len(x)]


def _transposed(*weights: Tensor) -> Tensor:
    """Weights of linear layers side by side as (in, out), contiguous: for few rows 1.7 times as fast."""
    return torch.cat(weights).T.contiguous()


def _heads(x: Tensor, heads: int) -> Tensor:
    return x.reshape(len(x), heads, -1)


def _rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn x (R, heads, dim), channels in pairs, by complex numbers (R, 1, dim / 2); in float32."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:2], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


def _pick(scores: Tensor, request: Request) -> Tensor:
    """One token a row of scores (A, 266): the best, or a draw at the request's temperature."""
    if request.temperature is None:
        return scores.argmax(-1)
    chances = (scores / request.temperature).softmax(-1)
    return torch.multinomial(chances, 1, generator=request.generator)[:, 0]
