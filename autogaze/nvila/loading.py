"""Loading a checkpoint of ours: `model.safetensors` (vision and projector) strictly, `llm/` by transformers.

No tensor is drawn first and none is held twice: transformers reads the shards one by one onto the device.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autogaze.model.checkpoint import CheckpointError, differences, find_file
from autogaze.nvila.config import NVILAConfig

EYES, LLM = "model.safetensors", "llm"
QUANTIZATIONS = ("nf4", "fp4", "int8")
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
ATTENTIONS = ("sdpa", "eager", "flash_attention_2")
_NEEDED = (
    ("quantization", QUANTIZATIONS, "bitsandbytes"),
    ("device_map", DEVICE_MAPS, "accelerate"),
    ("attn_implementation", ATTENTIONS[2:], "flash_attn"),
)
"""What an option needs installed."""


@dataclass(frozen=True)
class LLMOptions:
    """How transformers loads the language model; None leaves it as it is.

    attn_implementation: of `ATTENTIONS`. quantization: of `QUANTIZATIONS`, by bitsandbytes. device_map: of
    `DEVICE_MAPS`, by accelerate, to spread it over several GPUs. Raises ValueError where a package is not installed.
    """

    attn_implementation: str | None = None
    quantization: str | None = None
    device_map: str | None = None

    def __post_init__(self) -> None:
        for name, values, package in _NEEDED:
            if (given := getattr(self, name)) in values and find_spec(package) is None:
                raise ValueError(
                    f"{name} is {given!r}, which needs {package}; install it, or leave {name} out"
                )

    def arguments(self, dtype: torch.dtype, device: torch.device | str) -> dict[str, Any]:
        """Of transformers' from_pretrained."""
        out: dict[str, Any] = {"dtype": dtype, "device_map": self.device_map or str(device)}
        if self.attn_implementation:
            out["attn_implementation"] = self.attn_implementation
        if self.quantization:
            from transformers import BitsAndBytesConfig

            four = {"load_in_4bit": True, "bnb_4bit_quant_type": self.quantization}
            kind = {"load_in_8bit": True} if self.quantization == "int8" else four
            out["quantization_config"] = BitsAndBytesConfig(**kind, bnb_4bit_compute_dtype=dtype)
        return out


def cache_name(llm: nn.Module) -> str:
    """What transformers calls keys and values so far: `cache` since 5.24, `past_key_values` until 5.39."""
    return "cache" if "cache" in inspect.signature(type(llm).forward).parameters else "past_key_values"


def llm_config(config: NVILAConfig) -> Any:
    from transformers import Qwen2Config

    return Qwen2Config(**{"max_position_embeddings": config.context, **config.llm})


def load_llm(
    source: str | Path,
    revision: str | None,
    config: NVILAConfig,
    dtype: torch.dtype,
    device: torch.device | str,
    options: LLMOptions,
) -> nn.Module:
    """The language model of a folder or hub id. Raises CheckpointError where tensors do not fit."""
    from transformers import Qwen2ForCausalLM

    where = f"checkpoint {source}, language model"
    if Path(source).is_dir() and not (Path(source) / LLM).is_dir():
        raise CheckpointError(
            f"{where}: no folder {LLM}; make it anew with 'hlvid make-checkpoint' or 'hlvid convert'"
        )
    place = {"subfolder": LLM, "revision": revision} if not Path(source).is_dir() else {}
    try:
        model, info = Qwen2ForCausalLM.from_pretrained(
            str(Path(source) / LLM) if Path(source).is_dir() else str(source),
            config=llm_config(config),
            output_loading_info=True,
            **place,
            **options.arguments(dtype, device),
        )
    except (OSError, RuntimeError, ImportError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise CheckpointError(f"{where}: {_line(error)}") from error
    problems = [
        f"{kind}: {name}" for kind in ("missing", "unexpected") for name in sorted(info[f"{kind}_keys"])
    ]
    problems += [f"shape of {name}" for name in sorted(map(str, info["mismatched_keys"]))]
    if problems:
        raise CheckpointError(f"{where}: does not fit the model\n  " + "\n  ".join(problems))
    return model  # type: ignore[no-any-return]


def eyes(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of everything but the language model."""
    return {name: x for name, x in model.state_dict().items() if not name.startswith(f"{LLM}.")}


def load_eyes(
    model: nn.Module, source: str | Path, revision: str | None, dtype: torch.dtype, device: torch.device | str
) -> None:
    """Vision and projector, which may be on `meta`. Raises CheckpointError listing all that does not fit."""
    from safetensors.torch import load_file

    path = find_file(source, EYES, revision)
    tensors: Mapping[str, Tensor] = load_file(str(path))
    problems = differences(eyes(model), tensors)
    if problems:
        raise CheckpointError(f"checkpoint {path}: does not fit the model\n  " + "\n  ".join(problems))
    placed = {name: tensor.to(device, dtype) for name, tensor in tensors.items()}
    model.load_state_dict(placed, strict=False, assign=True)


def _line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
