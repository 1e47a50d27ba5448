"""Which tokens come next: the best or a draw among those not yet chosen in the frame, and where a clip stops.

`choose` is the rule, for both decoding loops. `Written` is a frame's outcome in tensors whose shapes never change,
and `write` puts a group into it without asking the host anything; on a GPU `choosing_kernel` does that in one launch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Request:
    """How one frame is to be gazed.

    budget: tokens at most, 1 to 265. requirement: predicted loss at which a clip stops, or None. temperature:
    sample at this temperature with `generator`; None takes the most probable token. top_k: sample among the so many
    most probable of each head, as transformers' default of 50 has it; None among all. The two numbers may be tensors of
    one element, so that a recorded step can be told others.
    """

    budget: int
    requirement: float | Tensor | None = None
    published_batching: bool = False
    temperature: float | Tensor | None = None
    generator: torch.Generator | None = None
    top_k: int | None = None

    def noise(self, like: Tensor) -> Tensor | None:
        """Gumbel noise of the shape of `like`, float (B, heads ahead, 266), for one group; None if nothing is drawn.

        For every clip whether it goes on or not, so that what a clip draws does not depend on when others stop.
        """
        if self.temperature is None:
            return None
        return like.exponential_(generator=self.generator).log_().neg_()


def choose(
    scores: Tensor,
    losses: Tensor,
    blocked: Tensor,
    first: bool | Tensor,
    request: Request,
    noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The next n tokens of A clips, long (A, n), and which of them are padding, bool (A, n).

    scores: float (A, n, 266). losses: float (A, n), predicted for the moment the token has been seen. blocked: bool
    (A, 266), tokens that may not be chosen; what is chosen gets blocked. first: whether this is the frame's first
    group, whose first token is never padding. noise: Gumbel (A, n, 266) where the request samples.
    """
    size = scores.shape[1]
    scores = temper(scores.masked_fill(blocked[:, None], -torch.inf), request, noise)
    group = []
    for ahead in range(size):
        token = scores[:, ahead].argmax(-1)
        scores.scatter_(2, token.view(-1, 1, 1).expand(-1, size, 1), -torch.inf)
        group.append(token)
    chosen = torch.stack(group, 1)
    blocked.scatter_(1, chosen, True)
    if request.requirement is None:
        return chosen, torch.zeros_like(chosen, dtype=torch.bool)
    pad = losses[:, :size] <= request.requirement
    pad[:, 0] &= ~first if isinstance(first, Tensor) else not first
    return chosen, pad


def temper(scores: Tensor, request: Request, noise: Tensor | None) -> Tensor:
    """Scores whose best is a draw from softmax(scores / temperature) (the Gumbel trick); as they are without noise."""
    if noise is None or request.temperature is None:
        return scores
    if request.top_k is not None and request.top_k < scores.shape[-1]:
        least = scores.topk(request.top_k, -1).values[..., -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    return scores / request.temperature + noise


@dataclass
class Written:
    """One frame's lists under way, all on one device; `ahead` tokens a group, W = 266 words.

    tokens: long (B, room), EOS where nothing is written; padded: bool (B, room). blocked: bool (B, W). group: long (B,
    ahead), each clip's last group; real: bool, its tokens that the decoder has still to read. alive: bool (B). slots:
    long (1,), written so far by those alive; used: long (1,), slots of the clip that
    went on longest. budget: long (1,).
    """

    tokens: Tensor
    padded: Tensor
    blocked: Tensor
    group: Tensor
    real: Tensor
    alive: Tensor
    slots: Tensor
    used: Tensor
    budget: Tensor

    @classmethod
    def new(cls, batch: int, eos: int, ahead: int, device: torch.device) -> "Written":
        """Nothing written, nothing to read. The last group of a full frame may reach beyond the budget."""
        room = -(-eos // ahead) * ahead
        empty = torch.full((batch, room), eos, device=device)
        none = torch.zeros(batch, ahead, dtype=torch.bool, device=device)
        one = torch.zeros(1, dtype=torch.long, device=device)
        blocked = torch.zeros(batch, eos + 1, dtype=torch.bool, device=device)
        alive = torch.ones(batch, dtype=torch.bool, device=device)
        return cls(empty, empty == eos, blocked, none.long(), none, alive, one, one.clone(), one.clone())

    def begin(self) -> None:
        """A new frame: everybody goes on; `group` and `real` stay, being what is still to be read."""
        eos = self.blocked.shape[1] - 1
        self.tokens.fill_(eos)
        self.padded.fill_(True)
        self.blocked.zero_()
        self.blocked[:, eos].fill_(True)
        self.alive.fill_(True)
        self.slots.zero_()
        self.used.zero_()


def write(
    written: Written, scores: Tensor, losses: Tensor, request: Request, noise: Tensor | None = None
) -> None:
    """Choose the next group of every clip and write those of clips that go on; others' outcome stays as it is."""
    ahead = torch.arange(scores.shape[1], device=scores.device)
    chosen, pad = choose(scores, losses, written.blocked, written.slots == 0, request, noise)
    at = written.slots + ahead
    inside, alive = at < written.budget, written.alive[:, None]
    eos = written.blocked.shape[1] - 1
    written.tokens.index_copy_(1, at, torch.where(alive & inside, chosen, eos))
    written.padded.index_copy_(1, at, ~(alive & inside) | pad)
    written.group.copy_(torch.where(alive, chosen, written.group))
    written.real.copy_(torch.where(alive, inside & ~pad, written.real))
    advance(written, len(ahead))
    written.alive.logical_and_(~(inside & pad).any(1))


def advance(written: Written, ahead: int) -> None:
    """Count a group; before `alive` changes, since a frame is as long as its last group that anybody wrote."""
    end = torch.minimum(written.slots + ahead, written.budget)
    written.used.copy_(torch.where(written.alive.any(), end, written.used))
    written.slots.add_(ahead)
