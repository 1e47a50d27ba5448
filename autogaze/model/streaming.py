"""`Stream`: gaze frame after frame; the same gaze as for the whole clip at once.

stream = Stream(model, batch=1)
for frame in frames:                                       # (1, 1, 3, 224, 224), from AutoGazeImageProcessor
    gaze = stream.gaze(frame, ratio=0.2)                   # token indices count from this frame
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from autogaze.checks import budgets, check_draw, check_loss, check_video
from autogaze.float32 import full_float32
from autogaze.gaze import Gaze
from autogaze.model.choosing import Request
from autogaze.model.decoders import compute_dtype, decoder_for
from autogaze.model.network import resized
from autogaze.parallel import threads

if TYPE_CHECKING:
    from autogaze.model.autogaze import AutoGaze


class Stream:
    """A batch of videos under way: keys and values, the trunk's last inputs, tokens not yet read.

    batch: clips side by side. capacity: tokens to reserve room for; the stream grows beyond it.
    published_batching: let clips of the batch influence each other as in the published model. dtype: the precision of
    products; None takes the model's `compute_dtype`, else the surrounding autocast's, else the weights'.
    """

    def __init__(
        self,
        model: "AutoGaze",
        batch: int,
        capacity: int = 4096,
        published_batching: bool = False,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.config, self._network = model.config, model.gazing_model
        dtype = compute_dtype(dtype or model.compute_dtype, model.device)
        self._decoder = decoder_for(model.gazing_model, model.config, dtype)
        self._state = self._decoder.start(batch, capacity)
        self._trunk: list[Tensor] | None = None
        self._published = published_batching
        self.batch = batch

    @torch.no_grad()
    def gaze(
        self,
        video: Tensor,
        ratio: float | Sequence[float] | None = None,
        loss: float | None = None,
        temperature: float | None = None,
        generator: torch.Generator | None = None,
        top_k: int | None = None,
    ) -> Gaze:
        """Gaze at the next frames, float (B, T, 3, H, W) with T >= 1; positions count from the first of them.

        ratio: share of the 265 tokens, a number or one a frame. loss: predicted loss at which a frame is
        done. At least one of the two. Raises ValueError for anything else.
        """
        check_video(video, max_frames=None)
        if len(video) != self.batch:
            raise ValueError(f"video: {len(video)} clips, expected {self.batch} as in the frames before")
        if ratio is None and loss is None:
            raise ValueError(
                "gazing_ratio=None and task_loss_requirement=None: expected at least one of them"
            )
        limit = check_loss(loss)
        check_draw(temperature, top_k, self.config.heads_ahead)
        tokens, padded = [], []
        # The precision is ours to say; a surrounding autocast has been asked already, when this stream began.
        with torch.autocast(self._decoder.device.type, enabled=False), full_float32():
            features = self._features(video)
            for t, budget in enumerate(budgets(ratio, video.shape[1], self.config.eos)):
                request = Request(budget, limit, self._published, temperature, generator, top_k)
                chosen, empty = self._decoder.frame(self._state, features[:, t], request)
                tokens.append(chosen.masked_fill(empty, 0) + self.config.eos * t)
                padded.append(empty)
        per_frame = tuple(part.shape[1] for part in tokens)
        scales, patch = self.config.scale_list, self.config.patch_size
        return Gaze(torch.cat(tokens, 1), per_frame, torch.cat(padded, 1), scales, patch)

    def close(self) -> None:
        """The clips are done: what was set up for them may serve others."""
        self._decoder.finish(self._state)
        self._state = None

    def _features(self, video: Tensor) -> Tensor:
        """Feature tokens of all frames, (B, T, 196, C), in the precision of the weights or lower."""
        weights = self._network.connector.pos_embed.dtype
        video = resized(video.to(self._decoder.device, weights), self.config.input_img_size)
        with torch.autocast(video.device.type, self._decoder.dtype, enabled=self._decoder.dtype != weights):
            return self._of_trunk(video)

    def _of_trunk(self, video: Tensor) -> Tensor:
        if video.device.type != "cpu":
            features, self._trunk = self._network.features(video, self._trunk)
            return features
        # One clip at a time, on one thread: another number of either may take another convolution, which rounds
        # differently.
        with threads(1):
            each = [
                self._network.features(
                    clip[None], None if self._trunk is None else [past[b : b + 1] for past in self._trunk]
                )
                for b, clip in enumerate(video)
            ]
        blocks = range(self.config.vision_depth)
        # A copy, since the past is a view that would keep the whole clip's activations alive.
        self._trunk = [torch.cat([past[block] for _, past in each]) for block in blocks]
        return torch.cat([features for features, _ in each])
