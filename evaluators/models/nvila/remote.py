"""Running a checkpoint that brings its own code, as the README of nvidia/NVILA-8B-HD-Video does.

Example::

    remote = Remote(arguments, config_json, device="cuda", model="nvila_hd")
    remote.answer(question).details["seconds"]     # {"decode": …, "selector": …, "encoder": …, "prefill": …, …}

Its code imports `autogaze.models.autogaze`, `autogaze.vision_encoders.siglip` and
`autogaze.datasets.video_utils`: in this project, ours. It opens the video itself; stages are timed by hooks
on its modules. Settings left out are the README's, not those of its preprocessor_config.
"""

import traceback
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.nvila.grid import thumbnails, tile_grid, uniform
from autogaze.nvila.model import ContextOverflowError
from autogaze.nvila.presets import README, shape
from autogaze.nvila.settings import VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.selectors import get
from evaluators.core.base import Answer
from evaluators.core.memory import Peak, device_bytes, is_out_of_memory, release
from evaluators.models.nvila.arguments import LOSSES, RATIOS, NvilaArguments
from evaluators.models.nvila.outcome import OK, out_of_memory, overflow
from evaluators.models.nvila.remote_parts import GazeWith, count_tokens, time_model, to_device
from evaluators.profiling.plan import PROMPT_TOKENS
from hlvid.dataset.question import Question
from hlvid.errors import HlvidError, RunError
from hlvid.video import Video

MAX_BATCH_SIGLIP = 32
CONTEXT = 40_960


class Remote:
    """single: `nvila_video`, a checkpoint without tiles and gaze; its processor gets the frame count alone."""

    kind = "remote"

    def __init__(
        self, arguments: NvilaArguments, data: dict[str, Any], device: str, model: str, single: bool = False
    ) -> None:
        self.arguments, self.device, self.model, self.single = arguments, torch.device(device), model, single
        if arguments.choices == "letters":
            raise RunError(f"{model}: choices is 'letters'; a checkpoint with its own code answers freely")
        if arguments.reduction:
            raise RunError(
                f"{model}: reduction is {arguments.reduction!r}; it works with checkpoints of our layout"
            )
        try:
            self.video = self._video()
        except ValueError as error:
            raise RunError(f"{model}: {error}") from error
        text = data.get("text_config") or data.get("llm_cfg") or {}
        self.context = (
            int(text.get("max_position_embeddings") or CONTEXT) if isinstance(text, dict) else CONTEXT
        )
        self.stages = Stages(self.device)

    @property
    def dtype(self) -> str:
        """Precision of the weights."""
        if self.arguments.dtype != "auto":
            return self.arguments.dtype
        return "bfloat16" if self.device.type == "cuda" else "float32"

    def settings(self) -> dict[str, Any]:
        """What the processor and the model are made with."""
        return {
            "processor": {key: list(v) if isinstance(v, tuple) else v for key, v in self._asked().items()},
            "max_batch_size_siglip": self.arguments.max_batch_size_siglip or MAX_BATCH_SIGLIP,
            "gazing": self.arguments.gazing,
            "selector": self.arguments.selector or "autogaze",
            "seed": self.arguments.seed,
            "dtype": self.dtype,
            "device": self.device.type,
            "max_new_tokens": self.arguments.max_new_tokens,
        }

    def answer(self, question: Question) -> Answer:
        """One question; too large a setting is an answer without text, see `outcome`."""
        path = question.video_path
        if path is None or not path.is_file():
            raise RunError(
                f"video {path or question.video} not found; run 'hlvid verify' to see what is missing"
            )
        with Video.open(path) as video:
            size, details = (video.width, video.height), self._about(video)
        self._load()
        self.stages.seconds.clear()
        with Peak(self.device) as peak:
            answer = self._guarded(question, str(path), size)
        seconds = {name: round(value, 4) for name, value in self.stages.seconds.items()}
        return Answer(
            answer.text, {**details, **answer.details, "seconds": seconds, "peak_memory": peak.record()}
        )

    @cached_property
    def processor(self) -> Any:
        """The checkpoint's own processor, its selector replaced where another one is asked for."""
        from transformers import AutoProcessor

        processor = AutoProcessor.from_pretrained(
            self.arguments.pretrained,
            revision=self.arguments.revision,
            trust_remote_code=True,
            **self._asked(),
        )
        name = self.arguments.selector
        if name not in (None, "autogaze"):
            hook = "_get_gazing_info_from_videos"
            if not hasattr(processor, hook):
                raise RunError(
                    f"{self.model}: selector={name}: the checkpoint's processor has no {hook} to replace"
                )
            own = get(name, **({"seed": self.arguments.seed} if name == "random" else {}))
            setattr(processor, hook, GazeWith(own, processor, self.video, self.stages))
        return processor

    @cached_property
    def network(self) -> Any:
        """The checkpoint's own model."""
        from transformers import AutoModel

        network = AutoModel.from_pretrained(
            self.arguments.pretrained,
            revision=self.arguments.revision,
            trust_remote_code=True,
            dtype=getattr(torch, self.dtype),
            max_batch_size_siglip=self.arguments.max_batch_size_siglip or MAX_BATCH_SIGLIP,
        )
        return network.to(self.device).eval()

    def _load(self) -> None:
        """Load and hook once; errors of foreign code name the checkpoint."""
        if "network" in self.__dict__:
            return
        try:
            processor, network = self.processor, self.network
        except HlvidError:
            raise
        except Exception as error:
            where = f"{self.model}: pretrained={self.arguments.pretrained}"
            raise RunError(f"{where}: its code failed to load ({type(error).__name__}: {error})") from error
        gazer = getattr(processor, "_autogaze_model", None)
        time_model(network, gazer if isinstance(gazer, torch.nn.Module) else None, self.stages)

    def _video(self) -> VideoSettings:
        given = self.arguments.video()
        if self.arguments.gazing == "off" or self.arguments.selector == "everything":
            given |= {**dict.fromkeys(RATIOS, 1.0), **dict.fromkeys(LOSSES)}
        elif self.arguments.selector not in (None, "autogaze"):
            given |= dict.fromkeys(LOSSES)
        frames = given.get("num_video_frames", README.num_video_frames)
        given.setdefault("num_video_frames_thumbnail", min(README.num_video_frames_thumbnail, frames))
        return replace(README, **given)

    def _asked(self) -> dict[str, Any]:
        """Arguments of the published processor."""
        asked = {name: getattr(self.video, name) for name in PROCESSOR}
        if self.single:
            asked = {"num_video_frames": self.video.num_video_frames}
        for name in ("autogaze_model_id", "use_fast"):
            if getattr(self.arguments, name) is not None:
                asked[name] = getattr(self.arguments, name)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}

    def _about(self, video: Video) -> dict[str, Any]:
        """What can be said beforehand. The remote code samples by itself: its indices are an assumption."""
        indices = uniform(video.frame_count, self.video.num_video_frames)
        grid = tile_grid(video.width, video.height, self.video.max_tiles_video)
        small = thumbnails(len(indices), self.video.num_video_frames_thumbnail)
        return {
            "path": self.kind,
            "frames": len(indices),
            "frame_indices": indices,
            "thumbnail_indices": [indices[place] for place in small],
            "frame_indices_assumed": True,
            "native_pixels": [video.height, video.width],
            "tile_grid": [grid.rows, grid.columns],
            "pixels": list(grid.size),
            "decoder": "the checkpoint's own code",
        }

    def _guarded(self, question: Question, path: str, size: tuple[int, int]) -> Answer:
        """The answer, or the one that says why context or memory were not enough."""
        config = shape("8b")  # what fits is told for the published shape
        try:
            return self._ask(question, path)
        except ContextOverflowError as error:
            return overflow(error, config, self.video, size, PROMPT_TOKENS + self.arguments.max_new_tokens)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            traceback.clear_frames(error.__traceback__)
            result = out_of_memory(error, config, self.video, size, self.dtype, device_bytes(self.device))
        release()
        return result

    def _ask(self, question: Question, path: str) -> Answer:
        token = getattr(self.processor.tokenizer, "video_token", VIDEO_TOKEN)
        before = self.stages.seconds.get("selector", 0.0)
        with self.stages.measure("decode"), torch.no_grad():
            inputs = self.processor(text=f"{token}\n\n{question.prompt()}", videos=path, return_tensors="pt")
        # The processor decodes and gazes in one call; the hook on the selector tells the two apart.
        self.stages.add("decode", before - self.stages.seconds.get("selector", 0.0))
        prompt = inputs["input_ids"].shape[1]
        most = self.arguments.max_new_tokens
        counted = {**count_tokens(inputs, self.processor), "tokens_llm": prompt}
        if prompt + most > self.context:
            raise ContextOverflowError(prompt + most, 0, self.context)
        with torch.no_grad():
            output = self.network.generate(
                **to_device(inputs, self.device), max_new_tokens=most, do_sample=False
            )
        text = self.processor.tokenizer.decode(
            _after(output[0].cpu(), inputs["input_ids"][0]), skip_special_tokens=True
        )
        return Answer(text.strip(), {**counted, "outcome": OK})


PROCESSOR = (
    "num_video_frames",
    "num_video_frames_thumbnail",
    "max_tiles_video",
    *RATIOS,
    *LOSSES,
    "max_batch_size_autogaze",
)


def _after(output: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
    """What follows the prompt; models that are fed embeddings give the new tokens alone."""
    n = len(prompt)
    return output[n:] if len(output) >= n and torch.equal(output[:n], prompt.cpu()) else output
