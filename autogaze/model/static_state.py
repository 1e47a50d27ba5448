"""What a batch of clips has read and written, in tensors that stay where they are; and recordings of steps over them.

A stopped clip stays in the batch. Its rows are computed with the others' and written behind its length, where nobody
reads them and its next rows take their place: no copy, no list of who is left, no shape that changes.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from autogaze.model.choosing import Request, Written
from autogaze.model.config import AutoGazeConfig
from autogaze.model.fused import Fused

# Keys that a step looks at grow by so many at a time: each extent is recorded once.
EXTENT = 512
Replay = Callable[[], None]


@dataclass
class StaticState:
    """Cache, counts and buffers of B clips; C channels, `capacity` tokens a clip.

    keys, values: (layers, B, capacity, heads, dim). lengths: long (B,), tokens stored. turned: long (B,), the rotary
    position of each clip's groups in this frame. features: float32 (B, 196, C), the frame's. noise: float (B, ahead,
    266). limit, heat: float32 (1,), the requirement and the temperature asked for. bound: tokens that any clip may have
    stored or pending, known without asking the device.
    """

    keys: Tensor
    values: Tensor
    lengths: Tensor
    turned: Tensor
    turns: Tensor
    features: Tensor
    noise: Tensor
    written: Written
    limit: Tensor
    heat: Tensor
    bound: int = 0
    steps: "Steps" = field(default_factory=lambda: Steps())

    @classmethod
    def new(cls, weights: Fused, config: AutoGazeConfig, batch: int, capacity: int) -> "StaticState":
        """Room for `capacity` tokens and one frame's rows more. Zeros: masked places are multiplied, by zero."""
        device, ahead = weights.device, config.heads_ahead
        capacity = extent(capacity + config.features + 2 * ahead)
        shape = (len(weights.layers), batch, capacity, config.heads, config.hidden_size // config.heads)
        zero = torch.zeros(batch, dtype=torch.long, device=device)
        return cls(
            keys=torch.zeros(shape, dtype=weights.dtype, device=device),
            values=torch.zeros(shape, dtype=weights.dtype, device=device),
            lengths=zero,
            turned=zero.clone(),
            turns=weights.turns(capacity),
            features=torch.zeros(batch, config.features, config.hidden_size, device=device),
            noise=torch.zeros(batch, ahead, config.eos + 1, device=device),
            written=Written.new(batch, config.eos, ahead, device),
            limit=torch.zeros(1, device=device),
            heat=torch.ones(1, device=device),
            steps=Steps(CudaRecorder if device.type == "cuda" else None),
        )

    @property
    def batch(self) -> int:
        return self.keys.shape[1]

    @property
    def bytes(self) -> int:
        """Of keys and values."""
        return self.keys.nbytes + self.values.nbytes

    @property
    def capacity(self) -> int:
        return self.keys.shape[2]

    def ask(self, request: Request) -> Request:
        """The same request with its numbers in this state's tensors, where recorded steps look for them."""
        self.written.budget.fill_(request.budget)
        limit, heat = None, None
        if request.requirement is not None:
            limit = self.limit.fill_(request.requirement)
        if request.temperature is not None:
            heat = self.heat.fill_(request.temperature)
        return replace(request, requirement=limit, temperature=heat)

    def clear(self) -> None:
        """As new; what was recorded stays valid, since every tensor stays where it is."""
        self.bound = 0
        self.lengths.zero_()
        self.written.real.zero_()

    def grow(self, weights: Fused, capacity: int) -> None:
        """Room for `capacity` tokens; recordings are of the old tensors, so they go."""
        extra = extent(max(capacity, 2 * self.capacity)) - self.capacity
        # Doubling keeps the copying of an endless stream linear in its length.
        self.keys, self.values = (
            torch.cat([part, part.new_zeros(*part.shape[:2], extra, *part.shape[3:])], 2)
            for part in (self.keys, self.values)
        )
        self.turns = weights.turns(self.capacity)
        self.steps.forget()


def extent(tokens: int) -> int:
    """`tokens`, rounded up to what a step's extent can be."""
    return -(-tokens // EXTENT) * EXTENT


class Steps:
    """Runs a step by its key: the first time as it is, the second time recording it, then replaying the recording.

    recorder: makes a recorder, which makes a recording of a step without running it, and returns what runs it; None
    never records.
    """

    def __init__(self, recorder: Callable[[], Callable[[Callable[[], None]], Replay]] | None = None) -> None:
        self._recorder = recorder
        self.forget()

    def run(self, key: Hashable, step: Callable[[], None]) -> None:
        """Run `step`. Steps of one key must do the same to the same tensors, whatever those hold."""
        if self._record is None or key not in self._known:
            self._known[key] = None
            step()
            return
        replay = self._known[key]
        if replay is None:
            replay = self._known[key] = self._record(step)
        replay()

    def forget(self) -> None:
        """Drop all recordings, and their recorder: CUDA takes back a pool once no recording uses it."""
        self._known: dict[Hashable, Replay | None] = {}
        self._record = self._recorder() if self._recorder is not None else None


class CudaRecorder:
    """Makes CUDA graphs. They share what they need in between, as they run one after another."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, step: Callable[[], None]) -> Replay:
        graph = torch.cuda.CUDAGraph()
        # Other threads may decode, or load, meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            step()
        return graph.replay


class Watch:
    """Whether all clips have stopped, as of `lag` groups ago.

    The host asks for a copy after each group and waits for an older one, so that the device always has work waiting.
    Groups after the last clip has stopped change nothing.
    """

    def __init__(self, alive: Tensor, lag: int | None = None) -> None:
        self._alive = alive
        self._cuda = alive.device.type == "cuda"
        self._lag = lag if lag is not None else 2 if self._cuda else 0
        self._said: list[tuple[Tensor, Any]] = []

    def all_stopped(self) -> bool:
        """To be asked once a group."""
        said = torch.empty((), dtype=torch.bool, pin_memory=self._cuda)
        said.copy_(self._alive.any(), non_blocking=True)
        event = torch.cuda.Event() if self._cuda else None  # type: ignore[no-untyped-call]
        if event is not None:
            event.record()
        self._said.append((said, event))
        if len(self._said) <= self._lag:
            return False
        going, event = self._said.pop(0)
        if event is not None:
            event.synchronize()
        return not bool(going)


def bytes_of_clip(config: AutoGazeConfig, frames: int, tokens: int, dtype: torch.dtype) -> int:
    """What a clip of `frames` frames and `tokens` tokens in all needs.

    Counted: keys and values, the masks of a prefill (as SDPA widens them), pixels, and the trunk's activations at once.
    """
    size = torch.empty((), dtype=dtype).element_size()
    held = extent(tokens + config.features + 2 * config.heads_ahead)
    cache = 2 * config.layers * held * config.hidden_size * size
    mask = held * (config.features + config.heads_ahead) * (1 + 4)
    pixels = frames * 3 * config.input_img_size**2 * 4
    trunk = 6 * frames * config.features * config.vision_dim * 4
    return cache + mask + pixels + trunk
