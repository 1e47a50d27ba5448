"""Running a checkpoint by the code that it brings (`path=remote`), as the README of nvidia/NVILA-8B-HD-Video does.

For those who insist, and for `hlvid convert --check`: converted weights do the same natively, with any version of
transformers, one pass a video and constant memory. The code imports `autogaze.models.autogaze` and
`autogaze.vision_encoders.siglip`: in this project, ours. It opens the video itself, so what it saw is read from its
tensors. Settings left out are the README's.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autogaze.encoders.config import parse_scales
from autogaze.gaze import tokens_per_frame
from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.nvila.presets import README, shape
from autogaze.nvila.sampling import GREEDY
from autogaze.nvila.settings import VideoSettings
from evaluators.core.base import Answer, guarded
from evaluators.core.memory import Peak, device_bytes, is_out_of_memory
from evaluators.core.outcomes import text_ended
from evaluators.core.question_video import video_of
from evaluators.models.nvila.arguments import LOSSES, RATIOS, NvilaArguments
from evaluators.models.nvila.overflow import out_of_memory
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.video import Video

MAX_BATCH_SIGLIP = 32
EXACT = "exact"
PROCESSOR = (
    "num_video_frames",
    "num_video_frames_thumbnail",
    "max_tiles_video",
    *RATIOS,
    *LOSSES,
    "max_batch_size_autogaze",
)
IMPORTED = ("autogaze.models.autogaze", "autogaze.vision_encoders.siglip")
"""What the published code imports of us; named here, it is part of an answer's identity (`evaluators.core.closure`)."""
OURS_ALONE = ("selector", "reduction", "gaze_grid", "gazing_budget", "resize", "quantization")
"""Arguments that the published code knows nothing of."""


class Remote:
    """See the module. Raises RunError for arguments that only converted weights take."""

    kind = "remote"
    sampling = GREEDY

    def __init__(self, arguments: NvilaArguments, data: Mapping[str, Any], device: str, model: str) -> None:
        self.arguments, self.device, self.model = arguments, torch.device(device), model
        self.dtype = arguments.precision(self.device.type)
        refused = [name for name in OURS_ALONE if getattr(arguments, name) not in (None, "autogaze")]
        refused += ["choices"] if arguments.choices == "letters" else []
        refused += ["on_overflow"] if arguments.on_overflow != "answer" else []
        if refused:
            raise RunError(
                f"{model}: {refused[0]} is {getattr(arguments, refused[0])!r}, which the checkpoint's own code does "
                "not take; leave out path=remote, and it is converted"
            )
        try:
            self.video = self._video()
        except ValueError as error:
            raise RunError(f"{model}: {error}") from error
        self._vision = data.get("vision_config") or {}
        text = data.get("text_config")
        self.context = text.get("max_position_embeddings") if isinstance(text, dict) else None

    def settings(self) -> dict[str, Any]:
        """What the processor and the model are made with."""
        return {
            "processor": {key: list(v) if isinstance(v, tuple) else v for key, v in self.asked().items()},
            "max_batch_size_siglip": self.arguments.max_batch_size_siglip or MAX_BATCH_SIGLIP,
            "attn_implementation": self.arguments.attn_implementation,
            "dtype": self.dtype,
            "device": self.device.type,
            "max_new_tokens": self.arguments.max_new_tokens,
        }

    def selector_weights(self) -> None:
        """The checkpoint's own code looks."""

    def foreign_selector(self) -> None:
        """The checkpoint's own looks."""

    def answer(self, question: Question) -> Answer:
        """One question; too large a setting is an answer without text, see `overflow`."""
        path = video_of(question)
        with Video.open(path) as video:
            size = (video.width, video.height)
        details = {"path": self.kind, "decoder": "the checkpoint's own code", "native_pixels": [*size[::-1]]}

        def short(error: Exception) -> Answer:  # what fits is told for the published shape
            there = device_bytes(self.device)
            return out_of_memory(error, shape("8b"), self.video, size, self.dtype, there)

        with Peak(self.device) as peak:
            answer = guarded(lambda: self._ask(question, path), short)
        return Answer(answer.text, {**details, **answer.details, "peak_memory": peak.record()})

    @cached_property
    def processor(self) -> Any:
        """The checkpoint's own processor, with every value as asked."""
        from transformers import AutoProcessor

        processor = self._loaded(AutoProcessor, **self.asked())
        for name, value in self.asked().items():
            found = getattr(processor, name, None)
            if name != "use_fast" and found != value:
                raise RunError(
                    f"{self.model}: asked the processor for {name}={value}, it has {found}: its class takes no such "
                    "argument under this version of transformers; leave out path=remote, and it is converted"
                )
        return processor

    @cached_property
    def network(self) -> Any:
        """The checkpoint's own model."""
        from transformers import AutoModel

        attention = self.arguments.attn_implementation
        network = self._loaded(
            AutoModel,
            dtype=getattr(torch, self.dtype),
            **({"attn_implementation": attention} if attention else {}),
            **({"device_map": self.arguments.device_map} if self.arguments.device_map else {}),
            max_batch_size_siglip=self.arguments.max_batch_size_siglip or MAX_BATCH_SIGLIP,
        )
        return (network if self.arguments.device_map else network.to(self.device)).eval()

    @property
    def gaze_grid(self) -> str:
        """ "aligned" where AutoGaze counts as many patches a frame as the encoder, else "released"."""
        try:
            gazed = parse_scales(self.processor.target_scales), int(self.processor.target_patch_size)
            read = parse_scales(self._vision["scales"]), int(self._vision["patch_size"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return "not told by the checkpoint's code"
        return "aligned" if tokens_per_frame(*gazed) == tokens_per_frame(*read) else "released"

    def inputs(self, prompt: str, video: Any) -> Any:
        """What the processor makes of a question and a video, a path or pictures."""
        token = getattr(self.processor.tokenizer, "video_token", VIDEO_TOKEN)
        with torch.no_grad():
            return self.processor(text=f"{token}\n\n{prompt}", videos=video, return_tensors="pt")

    def generate(self, inputs: Mapping[str, Any], most: int) -> Tensor:
        """Ids of the answer. Pixels lie in lists and stay on the host: the model moves them clip by clip."""
        moved = {name: x.to(self.device) if isinstance(x, Tensor) else x for name, x in inputs.items()}
        with torch.no_grad():
            output = self.network.generate(**moved, max_new_tokens=most, **self._drawing())
        return _after(output[0].cpu(), inputs["input_ids"][0])

    def _drawing(self) -> dict[str, Any]:
        """Told in full: what is left out, transformers takes from the checkpoint."""
        return (
            {"do_sample": True, **asdict(self.sampling)}
            if self.sampling.temperature
            else {"do_sample": False}
        )

    def _stop(self) -> tuple[int, ...]:
        """Tokens that end an answer."""
        told = getattr(getattr(self.network, "generation_config", None), "eos_token_id", None)
        return () if told is None else tuple(told) if isinstance(told, list) else (told,)

    def asked(self) -> dict[str, Any]:
        """Arguments of the published processor."""
        asked = {name: getattr(self.video, name) for name in PROCESSOR}
        asked |= self.arguments.given("autogaze_model_id", "use_fast")
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}

    def _loaded(self, kind: Any, **arguments: Any) -> Any:
        """From the checkpoint with its code; errors of foreign code name the checkpoint."""
        place = {"revision": self.arguments.revision, "trust_remote_code": True}
        try:
            return kind.from_pretrained(self.arguments.pretrained, **place, **arguments)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            where = f"{self.model}: pretrained={self.arguments.pretrained}"
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            raise RunError(f"{where}: its code failed to load ({told}); leave out path=remote") from error

    def _video(self) -> VideoSettings:
        given = self.arguments.video()
        if self.arguments.gazing == "off":
            given |= {**dict.fromkeys(RATIOS, 1.0), **dict.fromkeys(LOSSES)}
        frames = given.get("num_video_frames", README.num_video_frames)
        given.setdefault("num_video_frames_thumbnail", min(README.num_video_frames_thumbnail, frames))
        return replace(README, **given)

    def _ask(self, question: Question, path: Path) -> Answer:
        inputs = self.inputs(question.prompt(), str(path))
        prompt, most = inputs["input_ids"].shape[1], self.arguments.max_new_tokens
        ids = self.generate(inputs, most)
        text = self.processor.tokenizer.decode(ids, skip_special_tokens=True)
        cut = len(ids) >= most and int(ids[-1]) not in self._stop()
        told = {"gaze_grid": self.gaze_grid, "tokens_llm": prompt, "tokens_out": len(ids)}
        details = {**audited(inputs, self.video), **text_ended(cut), **told}
        if self.context and prompt + most > self.context:
            details["tokens_over"] = prompt + most - self.context
        return Answer(text, details)


def audited(inputs: Mapping[str, Any], asked: VideoSettings) -> dict[str, Any]:
    """What the tensors say was seen, beside what was asked: frames, thumbnails, tiles, side, patches.

    Raises RunError where the processor's output has another form than the published one.
    """
    try:
        tiles, small = (inputs[f"pixel_values_videos_{kind}"][0] for kind in ("tiles", "thumbnails"))
        each, info = int(inputs["num_spatial_tiles_each_video"][0]), inputs["gazing_info"]
        padded = [info[f"if_padded_gazing_{kind}"][0] for kind in ("tiles", "thumbnails")]
    except (KeyError, IndexError, TypeError) as error:
        raise RunError(f"the checkpoint's processor gave no {error}; leave out path=remote") from error
    frames = tiles.shape[0] * tiles.shape[1] // each
    seen = {"frames": frames, "thumbnails": small.shape[0], "tiles": each, "side": tiles.shape[-1]}
    wanted = {"frames": asked.num_video_frames, "thumbnails": asked.num_video_frames_thumbnail}
    faults = [f"{wanted[name]} {name} became {seen[name]}" for name in wanted if wanted[name] != seen[name]]
    faults += [f"{each} tiles, at most {asked.max_tiles_video} asked"] if each > asked.max_tiles_video else []
    return {
        "frames": frames,
        "tiles": each,
        "tokens_selected": sum(int((~part.bool()).sum()) for part in padded),
        "audit": {"asked": wanted, "seen": seen, "verdict": "; ".join(faults) or EXACT},
    }


def _after(output: Tensor, prompt: Tensor) -> Tensor:
    """What follows the prompt; models that are fed embeddings give the new tokens alone."""
    n = len(prompt)
    return output[n:] if len(output) >= n and torch.equal(output[:n], prompt.cpu()) else output
