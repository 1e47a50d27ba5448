"""Keys and values of the tokens written so far, preallocated, one length a clip; and attention over them.

Keys lie transposed, (head, channel, token), so that the scores of ten queries are a matrix product that streams over
tokens without repacking. Clips of one length attend in one product, others clip by clip: ragged lengths cost nothing on
a CPU. (The loop for accelerators keeps its own, `autogaze.model.static_state`.)
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Scores held at a time on a CPU, 4 MB: of long prefills a fifth faster than what fits a core's own cache.
BLOCK = 1 << 20
# Scores of clips that attend together: fewer, larger steps are worth more, up to 16 MB.
TOGETHER = 1 << 22


class ClipCache:
    """Keys (layers, batch, heads, dim, capacity), values (layers, batch, heads, capacity, dim).

    `lengths[b]` tokens of clip b are stored.
    """

    def __init__(
        self,
        layers: int,
        heads: int,
        dim: int,
        batch: int,
        capacity: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.lengths = [0] * batch
        self._keys = torch.empty(layers, batch, heads, dim, capacity, device=device, dtype=dtype)
        self._values = torch.empty(layers, batch, heads, capacity, dim, device=device, dtype=dtype)
        self._scores = torch.empty(BLOCK, device=device, dtype=dtype)
        self._future = torch.empty(0, 0, device=device, dtype=dtype)

    def attend(
        self,
        layer: int,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        clips: Sequence[int],
        counts: Sequence[int],
        last_only: bool,
    ) -> Tensor:
        """Store k and v behind what is there and let every query see its clip's tokens up to its own.

        k, v: (R, heads, dim), the new rows of all `clips` one after the other, `counts` of them each. q: the
        same, or with `last_only` just each clip's last row, (len(clips), heads, dim). Returns (rows of q,
        heads * dim). Lengths stay as they are until `advance`, since every layer stores at the same place.
        """
        if self._alike(clips, counts, q):
            return self._together(layer, q, k, v, counts[0])
        out = torch.empty_like(q)
        row = query = 0
        for clip, count in zip(clips, counts, strict=True):
            start, end = self.lengths[clip], self.lengths[clip] + count
            keys, values = self._keys[layer, clip], self._values[layer, clip]
            keys[:, :, start:end] = k[row : row + count].permute(1, 2, 0)
            values[:, start:end] = v[row : row + count].transpose(0, 1)
            rows = 1 if last_only else count
            mine = q[query : query + rows].transpose(0, 1)
            y = self._weigh(mine, keys[:, :, :end], values[:, :end], start)
            out[query : query + rows] = y.transpose(0, 1)
            row, query = row + count, query + rows
        return out.flatten(1)

    def _alike(self, clips: Sequence[int], counts: Sequence[int], q: Tensor) -> bool:
        """Whether all clips take part, with as many tokens each, and their scores are few enough for one step."""
        batch = len(self.lengths)
        if not 1 < batch == len(clips) or len(set(counts)) > 1 or len(set(self.lengths)) > 1:
            return False
        return q.shape[0] * q.shape[1] * (self.lengths[0] + counts[0]) <= TOGETHER

    def _together(self, layer: int, q: Tensor, k: Tensor, v: Tensor, count: int) -> Tensor:
        """`attend` for clips of one length: their heads are the batch of one matrix product."""
        keys, values = self._keys[layer], self._values[layer]
        batch, heads, dim, _ = keys.shape
        start, end = self.lengths[0], self.lengths[0] + count
        keys[..., start:end] = k.view(batch, count, heads, dim).permute(0, 2, 3, 1)
        values[:, :, start:end] = v.reshape(batch, count, heads, dim).transpose(1, 2)
        rows = len(q) // batch
        asked = q.reshape(batch, rows, heads, dim).transpose(1, 2).reshape(batch * heads, rows, dim)
        y = self._weigh(asked, keys.flatten(0, 1)[..., :end], values.flatten(0, 1)[:, :end], start)
        return y.view(batch, heads, rows, dim).transpose(1, 2).reshape(batch * rows, heads * dim)

    def _weigh(self, q: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
        """Softmax attention of q (heads, rows, dim), a clip's heads or more clips'; a row sees new ones up to its own.

        In blocks of rows, as many of them in company as alone, since a product of other sizes may round differently;
        of all heads at once, since one matrix product alone is split along its sum among threads, and would round
        differently with each number of them.
        """
        heads, rows, dim = q.shape
        size = max(1, BLOCK // (self._keys.shape[2] * values.shape[1]))
        if rows <= size:
            return self._block(q, keys, values, start, self._mask(rows) if rows > 1 else None)
        out, mask = q.new_empty(heads, rows, dim), self._mask(rows)
        for at in range(0, rows, size):
            part = slice(at, at + size)
            out[:, part] = self._block(q[:, part], keys, values, start, mask[part])
        return out

    def _block(self, q: Tensor, keys: Tensor, values: Tensor, start: int, mask: Tensor | None) -> Tensor:
        scores = self._scratch(q.shape[0] * q.shape[1] * values.shape[1]).view(*q.shape[:2], -1)
        torch.bmm(q, keys, out=scores)
        if mask is not None:
            scores[:, :, start:].add_(mask)
        torch.softmax(scores, -1, out=scores)
        return torch.bmm(scores, values)

    def _mask(self, rows: int) -> Tensor:
        """Minus infinity above the diagonal, (rows, rows)."""
        if len(self._future) < rows:
            self._future = self._future.new_full((rows, rows), float("-inf")).triu_(1)
        return self._future[:rows, :rows]

    def _scratch(self, size: int) -> Tensor:
        """A buffer for scores that grows if a larger one is needed."""
        if self._scores.numel() < size:
            self._scores = self._scores.new_empty(size)
        return self._scores[:size]

    def advance(self, clips: Sequence[int], counts: Sequence[int]) -> None:
        """The rows just stored in all layers now count."""
        for clip, count in zip(clips, counts, strict=True):
            self.lengths[clip] += count

    def keep(self, clip: int, start: int, kept: Tensor) -> None:
        """Of the tokens from `start` on, keep those at the offsets `kept` (long, ascending) only."""
        index = kept + start
        end = start + len(kept)
        self._keys[:, clip, ..., start:end] = self._keys[:, clip][..., index]
        self._values[:, clip, :, start:end] = self._values[:, clip][:, :, index]
        self.lengths[clip] = end

    def reserve(self, tokens: int) -> None:
        """Make room for `tokens` more in every clip."""
        capacity = self._values.shape[3]
        extra = max(self.lengths) + tokens - capacity
        if extra > 0:
            # Doubling keeps the copying of an endless stream linear in its length.
            extra = max(extra, capacity)
            self._keys = F.pad(self._keys, (0, extra))
            self._values = F.pad(self._values, (0, 0, 0, extra))
