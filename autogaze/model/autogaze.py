"""`AutoGaze`: which patches of a clip are worth looking at. The published model, in plain PyTorch.

    model = AutoGaze.from_pretrained("nvidia/AutoGaze")             # or a folder
    gaze = model.gaze(video, ratio=0.1)                             # (B, T <= 16, 3, 224, 224) -> Gaze
    output = model({"video": video}, gazing_ratio=0.1)              # the published call, the published dict

Pixels come from `AutoGazeImageProcessor`. Every clip is gazed as if it were alone, whatever it is batched
with; `model.published_batching = True` gives the published batches instead, in which clips influence each
other.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from autogaze import grids
from autogaze.checks import budgets, check_loss, check_video
from autogaze.gaze import Gaze
from autogaze.model.calibration import Calibration
from autogaze.model.checkpoint import find_file, load_strict, save_tensors
from autogaze.model.config import AutoGazeConfig
from autogaze.model.decoders import compute_dtype
from autogaze.model.network import Network, resized
from autogaze.model.static_state import bytes_of_clip
from autogaze.model.streaming import Stream
from autogaze.model.teacher import Forced, teacher_force
from autogaze.parallel import at_once, side_by_side

# Arguments of transformers' from_pretrained that published code passes and that change nothing here.
_WITHOUT_EFFECT = {"attn_implementation", "trust_remote_code", "low_cpu_mem_usage"}


class AutoGaze(nn.Module):
    """The gaze model. Weights are random until loaded; `config` defaults to the published sizes.

    calibration: None as published, where a loss asked for is compared with the predicted one. Set it (see
    `autogaze.model.calibration`), and a loss asked for is the loss that is reached on average.
    compute_dtype: precision of matrix products, keys and values; residual stream, norms, rotary turns and heads stay
    float32. None: the surrounding autocast's, else the weights' own. bfloat16 is what the published model does with
    flash attention.
    """

    def __init__(self, config: AutoGazeConfig | None = None) -> None:
        super().__init__()
        self.config = config or AutoGazeConfig()
        self.gazing_model = Network(self.config)
        self.published_batching = False
        self.calibration: Calibration | None = None
        self.compute_dtype: torch.dtype | None = None

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        dtype: torch.dtype | None = None,
        torch_dtype: torch.dtype | None = None,
        device_map: str | None = None,
        compute_dtype: torch.dtype | None = None,
        use_flash_attn: bool = False,
        **published: Any,
    ) -> Self:
        """Load `config.json` and `model.safetensors` from a folder or a hub id, in evaluation mode.

        dtype: of the weights. compute_dtype: of products (see the class); `use_flash_attn` is the published name of
        compute_dtype=bfloat16, whichever kernel then serves it.

        Raises CheckpointError (a ValueError) when files are missing or any tensor is missing, surplus or
        mis-shaped.
        """
        unknown = sorted(set(published) - _WITHOUT_EFFECT)
        if unknown:
            raise ValueError(f"from_pretrained: unknown arguments {unknown}")
        model = cls(AutoGazeConfig.from_pretrained(source, revision))
        load_strict(model, find_file(source, "model.safetensors", revision))
        model.to(dtype=dtype or torch_dtype or torch.float32, device=device_map or "cpu")
        model.compute_dtype = compute_dtype or (torch.bfloat16 if use_flash_attn else None)
        return model.eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`; the published package reads them too."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config.to_dict(), indent=2) + "\n")
        tensors = {name: tensor.detach().contiguous() for name, tensor in self.state_dict().items()}
        save_tensors(tensors, folder / "model.safetensors")

    @property
    def num_vision_tokens_each_frame(self) -> int:
        """Tokens of a frame over all scales, 265 as published."""
        return self.config.num_vision_tokens_each_frame

    @property
    def device(self) -> torch.device:
        return self.gazing_model.connector.pos_embed.device

    @property
    def dtype(self) -> torch.dtype:
        return self.gazing_model.connector.pos_embed.dtype

    def gaze(
        self,
        video: Tensor,
        *,
        ratio: float | Sequence[float] | None = None,
        loss: float | None = None,
        temperature: float | None = None,
        generator: torch.Generator | None = None,
        top_k: int | None = None,
    ) -> Gaze:
        """Choose the tokens of clips, float (B, 1 <= T <= 16, 3, H, W) as the processor makes them.

        ratio: share of the 265 tokens a frame may take, a number or one a frame, in (0, 1]. loss: a frame is
        done once its predicted reconstruction loss is this low. With both, the ratio is the cap; one is
        needed.
        temperature: sample instead of taking the most probable token, with `generator`, among all tokens or each
        head's `top_k` most probable (transformers' default, and so the published model's, is 50).
        Frames that are not 224 px are resized (bicubic). Raises ValueError naming what is wrong.
        """
        check_video(video, self.config.max_num_frames)
        video = video.to(self.device)
        frames, limit = video.shape[1], self._stop_at(loss)
        room, dtype = self._room(frames, ratio), compute_dtype(self.compute_dtype, self.device)

        def gaze(clips: Tensor) -> Gaze:
            ahead = 2 * self.config.heads_ahead
            stream = Stream(self, len(clips), room + ahead, self.published_batching, dtype)
            found = stream.gaze(clips, ratio, limit, temperature, generator, top_k)
            stream.close()
            return found

        # Clips that influence each other, or share a generator, stay together.
        together = self.published_batching or temperature is not None
        return gaze(video) if together else side_by_side(gaze, video, self.clips_at_once(frames, ratio))

    def clips_at_once(self, frames: int, ratio: float | Sequence[float] | None) -> int:
        """Clips of so many frames that go together: see `autogaze.parallel.at_once`."""
        dtype = compute_dtype(self.compute_dtype, self.device) or self.dtype
        return at_once(self.device, bytes_of_clip(self.config, frames, self._room(frames, ratio), dtype))

    def _room(self, frames: int, ratio: float | Sequence[float] | None) -> int:
        """Tokens of a clip, features and gaze."""
        return frames * self.config.features + sum(budgets(ratio, frames, self.config.eos))

    def gaze_for(
        self,
        video: Tensor,
        target_scales: Sequence[int],
        target_patch_size: int,
        *,
        ratio: float | Sequence[float] | None = None,
        loss: float | None = None,
    ) -> Gaze:
        """`gaze` for an encoder with another grid; video (B, T, 3, S, S), S the last target scale."""
        check_video(video, self.config.max_num_frames)
        tiles, layout = grids.cut(video, self.config, target_scales, target_patch_size)
        return grids.lay(self.gaze(tiles, ratio=ratio, loss=loss), layout)

    def teacher_forced(self, video: Tensor, gaze: Gaze) -> Forced:
        """Probabilities and predicted losses of a given gaze; differentiable. See `autogaze.model.teacher`."""
        check_video(video, self.config.max_num_frames)
        video = resized(video.to(self.device, self.dtype), self.config.input_img_size)
        # Made in inference mode, which bars them from what is differentiated: pixels are copied, weights say so.
        video = video.clone() if video.is_inference() else video
        weights = self.gazing_model.connector.pos_embed
        with torch.set_grad_enabled(torch.is_grad_enabled() and not weights.is_inference()):
            return teacher_force(self.gazing_model, self.config, video, gaze.to(self.device))

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        target_scales: Sequence[int] | None = None,
        target_patch_size: int | None = None,
        gazing_info: Mapping[str, Any] | None = None,
        temperature: float = 1,
        gazing_ratio: float | Sequence[float] | None = None,
        task_loss_requirement: float | None = None,
        generate_only: bool = False,
        use_cache: bool = False,
        past_key_values: Stream | None = None,
        past_inputs_embeds: Stream | None = None,
        past_attention_mask: Stream | None = None,
        past_conv_values: Stream | None = None,
    ) -> dict[str, Any]:
        """The published call with the published dict (see `Gaze.to_published`) and its extra entries.

        Unless `generate_only`, also `log_action_probs` and `task_loss_prediction`, float (B, N). With
        `use_cache` the four `past_…` entries hold what the next call needs to go on; hand them back as they
        are. In training mode tokens are sampled at `temperature`.
        """
        video = self._video(inputs)
        if gazing_ratio is None and task_loss_requirement is None:
            gazing_ratio, task_loss_requirement = self.config.default_request
        retarget = target_scales is not None and target_patch_size is not None
        if not retarget and (target_scales is not None or target_patch_size is not None):
            raise ValueError(
                f"target_scales={target_scales}, target_patch_size={target_patch_size}: expected both or neither"
            )
        if retarget and not grids.is_native(self.config, target_scales or (), target_patch_size or 0):
            gaze = self.gaze_for(
                video,
                target_scales or (),
                target_patch_size or 0,
                ratio=gazing_ratio,
                loss=task_loss_requirement,
            )
            return self._published(gaze, task_loss_requirement)
        if gazing_info:
            gaze, stream = (
                Gaze.from_published(gazing_info, self.config.scale_list, self.config.patch_size),
                None,
            )
        else:
            draw = temperature if self.training else None
            stream = past_key_values or Stream(self, len(video), published_batching=self.published_batching)
            check_video(video, None if use_cache else self.config.max_num_frames)
            gaze = stream.gaze(video, gazing_ratio, self._stop_at(task_loss_requirement), draw)
        output = self._published(gaze, task_loss_requirement, stream if use_cache else None)
        if not generate_only and past_key_values is None:
            forced = self.teacher_forced(video, gaze)
            output["log_action_probs"] = torch.log(forced.probabilities + 1e-8)
            output["task_loss_prediction"] = forced.losses
        return output

    def _stop_at(self, loss: float | None) -> float | None:
        """The predicted loss to stop at."""
        limit = check_loss(loss)
        return limit if limit is None or self.calibration is None else self.calibration.threshold(limit)

    def _video(self, inputs: Mapping[str, Tensor]) -> Tensor:
        if "video" not in inputs:
            raise ValueError(f"inputs: entries {sorted(inputs)}, expected 'video'")
        return inputs["video"]

    def _published(self, gaze: Gaze, loss: float | None, stream: Stream | None = None) -> dict[str, Any]:
        """The published dict; a stream, one object, goes out under the four names callers pass on."""
        names = ("past_key_values", "past_input_embeds", "past_attention_mask", "past_conv_values")
        limit = check_loss(loss)
        return {
            **gaze.to_published(),
            "scales": list(self.config.scale_list),
            "frame_sampling_rate": 1,
            "num_vision_tokens_each_frame": gaze.tokens,
            "log_action_probs": None,
            "task_loss_prediction": None,
            "has_task_loss_requirement": limit is not None,
            "task_loss_requirement": None
            if limit is None
            else torch.full((gaze.batch, gaze.frames), limit, device=gaze.positions.device),
            **dict.fromkeys(names, stream),
        }
