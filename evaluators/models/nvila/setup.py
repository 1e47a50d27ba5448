"""What a checkpoint of ours and the arguments come to: video settings, selector, precision, what decides answers.

Nothing is loaded; `evaluators.models.nvila.native` does, and a forecast needs no more than this.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.reduction.reduced import Reduction
from autogaze.nvila.settings import VideoSettings
from autogaze.selectors import kind_of
from evaluators.models.nvila.arguments import LOSSES, RATIOS, NvilaArguments
from evaluators.profiling.plan import PROMPT_TOKENS
from hlvid.errors import RunError

WHOLE_FRAME = 448
"""Side in pixels of the frames of `nvila_video`."""


class Setup:
    """single: whole frames at one scale instead of tiles, no gaze (`nvila_video`).

    Raises RunError for values that the checkpoint does not take, and options whose package is not installed.
    """

    def __init__(
        self, arguments: NvilaArguments, data: dict[str, Any], device: str, model: str, single: bool = False
    ) -> None:
        self.arguments, self.device, self.model, self.single = arguments, torch.device(device), model, single
        self.dtype = arguments.precision(self.device.type)
        if single:
            _refuse_gazing(arguments, model)
        try:
            config = NVILAConfig.from_dict(data)
            self.config = config.single_scale(WHOLE_FRAME) if single else config
            self.borrowed = single and config.vision.scales != self.config.vision.scales
            """Whether the weights were made for tiles, not for whole frames."""
            if arguments.reduction:  # these methods know one scale, and frames by themselves
                self.config = config.single_scale(config.tile)
            self.video = self._video(config.video)
            self.loading = arguments.llm()
        except ValueError as error:
            raise RunError(f"{model}: {error}") from error

    @property
    def letters(self) -> bool:
        """Whether the answer is the likeliest option letter, not generated text."""
        return self.arguments.choices == "letters" or (
            self.arguments.choices == "auto" and self.config.random
        )

    def settings(self) -> dict[str, Any]:
        """Defaults filled in, as JSON values."""
        return {
            "video": self.video.to_dict(),
            "gazing": "off" if self.selector_name is None else "on",
            "selector": self.selector_name,
            "seed": self.arguments.seed or 0,
            "autogaze_model_id": self.arguments.autogaze_model_id or self.config.autogaze,
            "scales": list(self.config.vision.scales),
            "patch_size": self.config.vision.patch_size,
            "select_layer": self.config.vision.select_layer,
            "grouping": self.config.grouping,
            "chat": list(self.config.chat),
            "context": self.config.context,
            "on_overflow": self.arguments.on_overflow,
            "attn_implementation": self.arguments.attn_implementation,
            "quantization": self.arguments.quantization,
            "dtype": self.dtype,
            "device": self.device.type,
            "max_new_tokens": self.arguments.max_new_tokens,
            "choices": "letters" if self.letters else "free",
            "random_weights": self.config.random,
            **(
                {"reduction": self.arguments.reduction, "keep": self.arguments.keep} if self.reduction else {}
            ),
        }

    @property
    def reduction(self) -> Reduction | None:
        """What becomes of the visual tokens before the language model."""
        name, keep = self.arguments.reduction, self.arguments.keep
        return Reduction(name, keep) if name is not None and keep is not None else None

    @property
    def selector_name(self) -> str | None:
        """As in the registry; None without gazing."""
        if self.single or self.arguments.gazing == "off" or self.arguments.selector == "everything":
            return None
        return self.arguments.selector or "autogaze"

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the selector needs beside pixels."""
        return tuple(getattr(kind_of(self.selector_name), "needs", ())) if self.selector_name else ()

    @property
    def refuses(self) -> bool:
        """Whether a question with too many tokens is left unanswered."""
        return self.arguments.on_overflow == "refuse"

    @property
    def reserve(self) -> int:
        """Tokens for the longest prompt there is in a benchmark of short questions, and the answer."""
        return PROMPT_TOKENS + self.arguments.max_new_tokens

    def _video(self, own: VideoSettings) -> VideoSettings:
        """The checkpoint's settings, with what was given on top."""
        given = self.arguments.video()
        if self.single:
            given |= {"max_tiles_video": 1, "num_video_frames_thumbnail": 0, "gaze_grid": "aligned"}
        if self.selector_name is None:
            given |= dict.fromkeys((*RATIOS, *LOSSES))
        elif self.selector_name != "autogaze":
            given |= dict.fromkeys(LOSSES)
        frames = given.get("num_video_frames")
        if isinstance(frames, int) and "num_video_frames_thumbnail" not in given:
            given["num_video_frames_thumbnail"] = min(own.num_video_frames_thumbnail, max(frames, 0))
        return replace(own, **given)


def _refuse_gazing(arguments: NvilaArguments, model: str) -> None:
    """Whole frames have no tiles, no thumbnails and no gaze to set."""
    grids = ("gaze_grid", "gazing_budget")
    tiled = ("max_tiles_video", "num_video_frames_thumbnail", *grids, "selector", "reduction")
    for name in arguments.given(*tiled, *RATIOS, *LOSSES):
        raise RunError(f"{model}: {name} has no meaning for whole frames without gaze; leave it out")
