"""Writes a tiny checkpoint in the layout of nvidia/NVILA-8B-HD-Video, with code on transformers' own base classes.

The files are those that the hub lists; names and shapes of tensors follow shared/spec/nvila_published.md.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import pre_tokenizers

TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou look at videos.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MERGES = ("Ġ t", "h e", "Ġt he", "g n", "s i", "si gn")
ADDED = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "[BOS]",
    "[PAD]",
    "<vila/sentinel>",
    "<image>",
    "<vila/video>",
)
VISION = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 448,
    "patch_size": 14,
    "hidden_act": "gelu_pytorch_tanh",
    "scales": "56+112+196+392",
    "attn_type": "block_causal",
}
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 288,
    "max_position_embeddings": 4096,
    "rope_theta": 1000000.0,
    "model_type": "qwen2",
}
PROCESSOR = {
    "crop_size": None,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "image_processor_type": "SiglipImageProcessor",
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"height": 392, "width": 392},
    "target_scales": [56, 112, 196, 392],  # goes to the image processor, never to NVILA's
}


def write(folder: Path, autogaze: Path, *, tied: bool = False, index: bool = True, head: bool = True) -> Path:
    """Everything but what the hub's repository does not have either: AutoGaze's weights stay where they are.

    tied: no tensor for the language model's head. index: under the name that the published one has. head: the
    tower's pooling head lies beside it.
    """
    folder.mkdir(parents=True)
    for source in sorted((Path(__file__).parent / "published").glob("*.py.txt")):
        (folder / source.name.removesuffix(".txt")).write_text(source.read_text())
    _tokenizer(folder)
    code = "modeling_nvila.NVILAForConditionalGeneration"
    _json(
        folder / "config.json",
        {
            "architectures": ["NVILAForConditionalGeneration"],
            "model_type": "nvila",
            "auto_map": {"AutoConfig": "configuration_nvila.NVILAConfig", "AutoModel": code},
            "text_config": {**TEXT, "tie_word_embeddings": tied},
            "vision_config": VISION,
            "image_token_id": _id("<image>"),
            "video_token_id": _id("<vila/video>"),
            "tie_word_embeddings": tied,
        },
    )
    eos = {
        "bos_token_id": _id("<|endoftext|>"),
        "eos_token_id": _id("<|im_end|>"),
        "transformers_version": "4.55.4",
    }
    _json(folder / "generation_config.json", eos)
    _json(folder / "preprocessor_config.json", PROCESSOR)
    auto = {"AutoProcessor": "processing_nvila.NVILAProcessor"}
    _json(
        folder / "processor_config.json",
        {"auto_map": auto, "processor_class": "NVILAProcessor", "autogaze_model_id": str(autogaze)},
    )
    _weights(folder, tied, index, head)
    return folder


def _id(token: str) -> int:
    return 256 + len(MERGES) + ADDED.index(token)


def _tokenizer(folder: Path) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*alphabet, *(merge.replace(" ", "") for merge in MERGES)]
    _json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    _json(folder / "added_tokens.json", {token: _id(token) for token in ADDED})
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    config: dict[str, Any] = {
        "tokenizer_class": "Qwen2Tokenizer",
        "add_prefix_space": False,
        "added_tokens_decoder": {str(_id(token)): {"content": token, **flags} for token in ADDED},
        "additional_special_tokens": list(ADDED[1:]),
        "bos_token": "[BOS]",
        "eos_token": "<|im_end|>",
        "pad_token": "[PAD]",
        "unk_token": None,
        "errors": "replace",
        "model_max_length": 4096,
    }
    _json(folder / "tokenizer_config.json", config)
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def _weights(folder: Path, tied: bool, index: bool, head: bool) -> None:
    """Drawn wide enough that another layer, group or patch gives other answers; three shards."""
    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in shapes(tied, head).items():
        if name.endswith("norm.weight") or (name.endswith("weight") and len(shape) == 1):
            tensors[name] = 1 + 0.1 * torch.randn(shape, generator=draw)
        else:
            scale = 0.1 if len(shape) == 1 else 1.5 * shape[-1] ** -0.5
            tensors[name] = scale * torch.randn(shape, generator=draw)
    names, where = sorted(tensors), {}
    for number in range(3):
        shard = f"model-{number + 1:05d}-of-00003.safetensors"
        part = names[number * len(names) // 3 : (number + 1) * len(names) // 3]
        save_file({name: tensors[name] for name in part}, str(folder / shard), metadata={"format": "pt"})
        where |= dict.fromkeys(part, shard)
    total = sum(tensor.nbytes for tensor in tensors.values())
    name = "pytorch_model.bin.index.json" if index else "model.safetensors.index.json"
    _json(folder / name, {"metadata": {"total_size": total}, "weight_map": where})


def shapes(tied: bool, head: bool, vision: Any = None, text: Any = None) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published state dict, from the spec's table."""
    v, t = {**VISION, **(vision or {})}, {**TEXT, **(text or {})}
    c, wide, patch = v["hidden_size"], v["intermediate_size"], v["patch_size"]
    out: dict[str, tuple[int, ...]] = {}

    def linear(name: str, rows: int, columns: int, bias: bool = True) -> None:
        out[f"{name}.weight"] = (rows, columns)
        if bias:
            out[f"{name}.bias"] = (rows,)

    def norm(name: str, width: int) -> None:
        out[f"{name}.weight"] = out[f"{name}.bias"] = (width,)

    tower = "vision_tower.vision_model"
    out[f"{tower}.embeddings.patch_embedding.weight"] = (c, 3, patch, patch)
    out[f"{tower}.embeddings.patch_embedding.bias"] = (c,)
    out[f"{tower}.embeddings.position_embedding.weight"] = ((v["image_size"] // patch) ** 2, c)
    for layer in range(v["num_hidden_layers"]):
        at = f"{tower}.encoder.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(f"{at}.self_attn.{part}", c, c)
        linear(f"{at}.mlp.fc1", wide, c)
        linear(f"{at}.mlp.fc2", c, wide)
        norm(f"{at}.layer_norm1", c)
        norm(f"{at}.layer_norm2", c)
    norm(f"{tower}.post_layernorm", c)
    if head:
        out[f"{tower}.head.probe"] = (1, 1, c)
    h, kv = t["hidden_size"], t["hidden_size"] // t["num_attention_heads"] * t["num_key_value_heads"]
    norm("mm_projector.layers.1", 9 * c)
    linear("mm_projector.layers.2", 3 * c, 9 * c)
    norm("mm_projector.layers.4", 3 * c)
    linear("mm_projector.layers.5", h, 3 * c)
    linear("mm_projector.layers.7", h, h)
    out["llm.model.embed_tokens.weight"] = (t["vocab_size"], h)
    for layer in range(t["num_hidden_layers"]):
        at = f"llm.model.layers.{layer}"
        linear(f"{at}.self_attn.q_proj", h, h)
        linear(f"{at}.self_attn.k_proj", kv, h)
        linear(f"{at}.self_attn.v_proj", kv, h)
        linear(f"{at}.self_attn.o_proj", h, h, bias=False)
        for part, rows, columns in (("gate", t["intermediate_size"], h), ("up", t["intermediate_size"], h)):
            linear(f"{at}.mlp.{part}_proj", rows, columns, bias=False)
        linear(f"{at}.mlp.down_proj", h, t["intermediate_size"], bias=False)
        for part in ("input_layernorm", "post_attention_layernorm"):
            out[f"{at}.{part}.weight"] = (h,)
    out["llm.model.norm.weight"] = (h,)
    if not tied:
        out["llm.lm_head.weight"] = (t["vocab_size"], h)
    return out


def _json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False))


__all__ = ["ADDED", "TEMPLATE", "shapes", "write"]
