"""The decoding loop for accelerators: the same choices as `autogaze.model.decode`, in steps whose shapes never change.

Two steps, each of which is launched whole from the second time on (a CUDA graph): `_open` reads what was pending and a
frame's features, 206 rows a clip with a clip's own rows first; `_group` reads the ten tokens chosen last. Both choose
ten more. Lengths, who is still going and what is pending live on the device; the host learns how long the frame
became at its end. Runs on any device; on a CPU the other loop is faster, as it computes nothing for stopped clips.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.model.attending import Attention, attention_for
from autogaze.model.choosing import Request, write
from autogaze.model.config import AutoGazeConfig
from autogaze.model.fused import Fused, linear, rotate, split_heads
from autogaze.model.network import Network
from autogaze.model.static_state import StaticState, Watch, extent

# A finished state that holds more than this is not kept for the next clips: language models want the memory too.
KEPT_BYTES = 8 << 30


class StaticDecoder:
    """Weights and steps. Inference only. `dtype`: what products are computed in, the weights' own by default."""

    def __init__(self, network: Network, config: AutoGazeConfig, dtype: torch.dtype | None = None) -> None:
        self.config, self.weights = config, Fused(network, config, dtype)
        self.device, self.dtype = self.weights.device, self.weights.dtype
        self.attention: Attention = attention_for(self.device, self.dtype)
        self.write = write
        if self.device.type == "cuda":
            from autogaze.model.attending_kernel import Short
            from autogaze.model.choosing_kernel import write_fused

            self.write, self.attention = write_fused, Short(self.attention)
        self._spare: list[StaticState] = []

    def start(self, batch: int, capacity: int) -> StaticState:
        """An empty state for `batch` clips with room for `capacity` tokens each; it grows beyond."""
        for state in self._spare:
            if state.batch == batch and state.capacity >= capacity:
                self._spare.remove(state)
                state.clear()
                return state
        self._spare.clear()
        return StaticState.new(self.weights, self.config, batch, capacity)

    def finish(self, state: StaticState) -> None:
        """Give a state back, to start the next clips with: up to some size its recordings are worth its memory."""
        self._spare = [state] if state.bytes <= KEPT_BYTES else []

    def frame(self, state: StaticState, features: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Read one frame's features (B, 196, C), write its gaze: see `Decoder.frame`."""
        config, written = self.config, state.written
        # Within a batch of ten and a row more than is there: what stopped clips write behind their length.
        room = state.bound + config.features + request.budget + 2 * config.heads_ahead
        if room > state.capacity:
            state.grow(self.weights, room)
        end = extent(room)
        state.features.copy_(features)
        request = state.ask(request)
        stops, draws = request.requirement is not None, request.temperature is not None
        how = (end, stops, draws, request.top_k, request.published_batching)
        self._draw(state, request)
        state.steps.run(("open", *how), lambda: self._open(state, end, request))
        watch = Watch(written.alive)
        for _ in range(config.heads_ahead, request.budget, config.heads_ahead):
            if stops and watch.all_stopped():
                break
            self._draw(state, request)
            state.steps.run(("group", *how), lambda: self._group(state, end, request))
        state.bound += config.features + request.budget
        slots = int(written.used) if stops else request.budget
        return written.tokens[:, :slots].clone(), written.padded[:, :slots].clone()

    def _draw(self, state: StaticState, request: Request) -> None:
        """New noise in place: a recording can't draw from the caller's generator."""
        request.noise(state.noise)

    def _open(self, state: StaticState, end: int, request: Request) -> None:
        """Read pending tokens and features, choose the frame's first group."""
        config, written = self.config, state.written
        ahead = config.heads_ahead
        pending = written.group.gather(1, _real_first(written.real))
        count = written.real.sum(1)
        row = torch.arange(ahead + config.features, device=self.device)
        source = torch.where(row < count[:, None], row, ahead + row - count[:, None]).clamp_(max=len(row) - 1)
        rows = torch.cat([self.weights.embed[pending], state.features], 1)
        rows = rows.gather(1, source[..., None].expand(-1, -1, rows.shape[-1]))
        hidden = self._read(state, rows, state.lengths[:, None] + row, count + config.features - 1, end)
        state.lengths.add_(count + config.features)
        state.turned.copy_(state.lengths - ahead)
        written.begin()
        self._choose(state, hidden, request)

    def _group(self, state: StaticState, end: int, request: Request) -> None:
        """Read the group chosen last, choose another."""
        written, ahead = state.written, self.config.heads_ahead
        places = state.turned[:, None] + torch.arange(ahead, device=self.device)
        last = torch.full_like(state.lengths, ahead - 1)
        seen = written.group
        if request.published_batching:
            seen = torch.where(written.real, seen, self.config.eos)
        hidden = self._read(state, self.weights.embed[seen], places, last, end)
        state.lengths.add_(written.alive * ahead)
        if request.published_batching:
            self._keep_real(state)
        self._choose(state, hidden, request)

    def _keep_real(self, state: StaticState) -> None:
        """Published batches: a clip that has just stopped was read with its padding, which is dropped now."""
        written, row = state.written, torch.arange(self.config.heads_ahead, device=self.device)
        stopping = ~written.alive & written.alive.any()
        starts = state.lengths - written.alive * len(row)
        into = self._flat(state, starts[:, None] + row)
        source = self._flat(state, starts[:, None] + _real_first(written.real))
        for part in (state.keys, state.values):
            for layer in part:
                rows = layer.flatten(0, 1)
                rows.index_copy_(0, into, rows[source])
        state.lengths.add_(stopping * written.real.sum(1))
        written.real.logical_and_(~stopping[:, None])

    def _choose(self, state: StaticState, hidden: Tensor, request: Request) -> None:
        scores, losses = self.weights.foretell(hidden)
        noise = None if request.temperature is None else state.noise
        self.write(state.written, scores, losses, request, noise)

    def _read(self, state: StaticState, rows: Tensor, places: Tensor, last: Tensor, end: int) -> Tensor:
        """Run rows (B, n, C) at rotary `places` (B, n) through the layers; hidden (B, C) of row `last` (B) of each.

        They are stored behind `lengths`, which stay. Rows after the last are nobody's: no row before them sees them.
        """
        B, n, C = rows.shape
        eps, heads = self.config.rms_norm_eps, self.config.heads
        x, turn = rows.flatten(0, 1), state.turns[places.flatten()]
        into = self._flat(state, state.lengths[:, None] + torch.arange(n, device=self.device))
        asking = torch.arange(B, device=self.device) * n + last
        plan, final_plan = (
            self.attention.plan(state.lengths, n, end, state.capacity),
            self.attention.plan(state.lengths + last, 1, end, state.capacity),
        )
        for index, layer in enumerate(self.weights.layers):
            final = index == len(self.weights.layers) - 1
            h = F.rms_norm(x, (C,), layer.norm1, eps)
            if final:
                q = rotate(split_heads(linear(h[asking], layer.q), heads), turn[asking])
                k, v = linear(h, layer.kv).chunk(2, 1)
                k, x = rotate(split_heads(k, heads), turn), x[asking]
            else:
                qkv = linear(h, layer.qkv)
                q, k = rotate(split_heads(qkv[:, : 2 * C], 2 * heads), turn).chunk(2, 1)
                v = qkv[:, 2 * C :]
            state.keys[index].flatten(0, 1).index_copy_(0, into, k)
            state.values[index].flatten(0, 1).index_copy_(0, into, split_heads(v, heads))
            y = self.attention.attend(
                q.view(B, -1, *q.shape[1:]),
                state.keys[index],
                state.values[index],
                final_plan if final else plan,
            )
            x = x + linear(y.flatten(0, 1).flatten(1), layer.o)
            x = layer.feed_forward(x, eps)
        return F.rms_norm(x, (C,), self.weights.norm, eps)

    def _flat(self, state: StaticState, places: Tensor) -> Tensor:
        """Places (B, n) in each clip's cache as rows of all clips' caches one after the other, (B * n,)."""
        return (places + torch.arange(state.batch, device=self.device)[:, None] * state.capacity).flatten()


def _real_first(real: Tensor) -> Tensor:
    """Long, of bool (B, n): the order that brings True to the front and keeps the order otherwise."""
    return real.logical_not().to(torch.uint8).argsort(dim=1, stable=True)
