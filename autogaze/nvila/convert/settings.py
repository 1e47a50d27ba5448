"""Our configuration from a published checkpoint's files: shapes first, then config.json, then its code.

Where two sources disagree it is an error that names both; where none speaks, what the spec's sources found is taken
and a note says so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autogaze.encoders.config import SiglipConfig, parse_scales
from autogaze.gaze import tokens_per_frame
from autogaze.nvila.config import MODEL_TYPE, VIDEO_TOKEN, NVILAConfig
from autogaze.nvila.convert.code import Code, read_code
from autogaze.nvila.convert.processor import gaze_grid, selector, statistics
from autogaze.nvila.convert.refused import RefusedError, reading
from autogaze.nvila.convert.snapshot import Snapshot, Stored
from autogaze.nvila.convert.text import ChatTokenizer
from autogaze.nvila.presets import README

TOWER = "vision_tower.vision_model."
SELECT_LAYER = -2
TEMPLATE_COST = 29
"""Tokens that template and system turn were seen to cost with the published checkpoint."""

_NOT_SIZES = {"architectures", "dtype", "torch_dtype", "transformers_version", "model_type", "_name_or_path"}
_GENERATION = (
    *("bos_token_id", "eos_token_id", "pad_token_id", "do_sample", "transformers_version"),
    *("_from_model_config", "temperature", "top_p", "top_k"),  # of sampling, which is told as such
)
_NEEDED = (
    *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "vocab_size", "max_position_embeddings", "tie_word_embeddings"),
)


def read_settings(
    snapshot: Snapshot,
    tensors: Mapping[str, Stored],
    tokenizer: ChatTokenizer | None,
    autogaze: str | None = None,
) -> tuple[NVILAConfig, list[str]]:
    """Our configuration and notes on where it comes from.

    tokenizer: None where its files are not at hand (a dry run on index and config alone). autogaze: the selector's
    weights, instead of what the checkpoint names. Raises RefusedError.
    """
    config = snapshot.json("config.json")
    code = read_code({name: snapshot.text(name) or "" for name in snapshot.matching("*.py")})
    notes = [f"{name} does not parse, so it was not read" for name in code.unread]
    with reading("config.json: vision_config"):
        vision = _vision(config, tensors, code, notes)
    with reading("config.json: text_config"):
        llm = _language(config, tensors)
    processor = snapshot.json("processor_config.json")
    with reading("processor_config.json"):
        scales, patch = gaze_grid(processor, code, notes)
    with reading("preprocessor_config.json"):
        mean, std = statistics(snapshot.json("preprocessor_config.json"))
    video = replace(README, resize="pil", image_mean=mean, image_std=std)
    if tokens_per_frame(scales, patch) != vision.grid.tokens:
        video = replace(video, gaze_grid="released")
        notes.append(
            f"AutoGaze counts {tokens_per_frame(scales, patch):,} patches a frame and the encoder "
            f"{vision.grid.tokens:,}: kept as published (gaze_grid=released); gaze_grid=aligned is the other"
        )
    source = {"source": snapshot.source, "commit": snapshot.commit}
    out = NVILAConfig(
        vision=vision,
        llm=llm,
        video=video,
        context=int(llm["max_position_embeddings"]),
        released_scales=scales,
        released_patch=patch,
        autogaze=selector(autogaze, processor, code, notes),
        source={key: value for key, value in source.items() if value},
    )
    with reading("generation_config.json"):
        return _with_text(out, config, snapshot, code, tokenizer, notes), notes


def refuse_other_layouts(snapshot: Snapshot) -> None:
    """Raise RefusedError for VILA's own layout, for ours, and for what is no checkpoint."""
    config = snapshot.json("config.json")
    kind = str(config.get("model_type"))
    if not config:
        raise RefusedError("no config.json; this is no checkpoint")
    if kind == MODEL_TYPE:
        raise RefusedError("of our layout already; give it to --model_args pretrained= as it is")
    if kind.startswith("llava") or "mm_projector_cfg" in config:
        raise RefusedError(
            "in VILA's own layout, as NVILA-8B-Video is (the paper's baseline: another projector, pooling "
            "and prompt), which is not converted; nvidia/NVILA-8B-HD-Video is, and --model nvila_video looks with its "
            "weights at whole frames"
        )


def _vision(
    config: Mapping[str, Any], tensors: Mapping[str, Stored], code: Code, notes: list[str]
) -> SiglipConfig:
    """The tower: patch and table by their shapes, held to config.json; the layer by config.json or the code."""
    given = _section(config, "vision_config")
    patch = tensors.get(f"{TOWER}embeddings.patch_embedding.weight")
    table = tensors.get(f"{TOWER}embeddings.position_embedding.weight")
    values = {"patch_size": given.get("patch_size"), "image_size": given.get("image_size")}
    if patch is not None and patch.shape and table is not None and table.shape:
        side = patch.shape[-1]
        shown = {"patch_size": side, "image_size": round(table.shape[0] ** 0.5) * side}
        for name, value in shown.items():
            if given.get(name, value) != value:
                raise RefusedError(
                    f"config.json: vision_config.{name} is {given[name]!r}, the tensors' shapes say {value} "
                    f"({tuple(patch.shape)}, {tuple(table.shape)}); one of the two is of another model"
                )
        values = shown
    for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "scales"):
        if name not in given:
            raise RefusedError(
                f"config.json: vision_config has no {name}; add it (the published code has a default for it)"
            )
    if None in values.values():
        raise RefusedError(
            "config.json: vision_config has no patch_size or no image_size, and no shard is at hand to tell"
        )
    if "attn_type" not in given:
        notes.append(
            "config.json: vision_config has no attn_type: block_causal, the tower's default, is taken"
        )
    layer = _layer(config, code, notes)
    return SiglipConfig.from_json(
        {**given, **values}, scales=parse_scales(given["scales"]), select_layer=layer
    )


def _layer(config: Mapping[str, Any], code: Code, notes: list[str]) -> int:
    stated = config.get("mm_vision_select_layer")
    if isinstance(stated, int):
        if code.layers and stated not in code.layers:
            raise RefusedError(
                f"config.json: mm_vision_select_layer is {stated}, the code reads hidden_states at "
                f"{', '.join(map(str, code.layers))}; one of the two is of another model"
            )
        return stated
    if len(code.layers) == 1:
        return code.layers[0]
    if len(code.layers) > 1:
        raise RefusedError(
            f"the code reads hidden_states at {code.layers}; state mm_vision_select_layer in config.json"
        )
    if code.last:
        notes.append("the code reads last_hidden_state: the tower's last layer and its norm are taken")
        return -1
    notes.append(
        f"no code says which hidden state is the feature: {SELECT_LAYER}, as its whole family has it, is taken"
    )
    return SELECT_LAYER


def _language(config: Mapping[str, Any], tensors: Mapping[str, Stored]) -> dict[str, Any]:
    """Arguments of Qwen2Config: what config.json gives, and the class's defaults for the sizes it leaves out."""
    from transformers import Qwen2Config

    given = _section(config, "text_config")
    if given.get("model_type", "qwen2") != "qwen2":
        raise RefusedError(
            f"config.json: text_config.model_type is {given['model_type']!r}; only qwen2 is known"
        )
    plain = {name: value for name, value in given.items() if name not in _NOT_SIZES}
    whole = Qwen2Config(**plain)
    sizes = {name: getattr(whole, name) for name in _NEEDED}
    if "tie_word_embeddings" not in plain:
        sizes["tie_word_embeddings"] = bool(config.get("tie_word_embeddings", False))
    table = tensors.get("llm.model.embed_tokens.weight")
    if table is not None and table.shape and table.shape != (sizes["vocab_size"], sizes["hidden_size"]):
        raise RefusedError(
            f"config.json: text_config says vocab_size {sizes['vocab_size']} and hidden_size {sizes['hidden_size']}, "
            f"llm.model.embed_tokens.weight is {table.shape}; one of the two is of another model"
        )
    return {**plain, **sizes}


def _with_text(
    out: NVILAConfig,
    config: Mapping[str, Any],
    snapshot: Snapshot,
    code: Code,
    tokenizer: ChatTokenizer | None,
    notes: list[str],
) -> NVILAConfig:
    """Chat template and stop tokens, and the placeholder's id held to the tokenizer."""
    generation = snapshot.json("generation_config.json")
    stop = generation.get("eos_token_id", config.get("eos_token_id"))
    stops = (
        tuple(int(token) for token in (stop if isinstance(stop, list) else [stop]))
        if stop is not None
        else ()
    )
    if generation.get("do_sample"):
        notes.append("generation_config.json samples; answers here are greedy")
    if unused := sorted(name for name in generation if name not in _GENERATION):
        notes.append(
            f"generation_config.json: {', '.join(unused)}: not used, --gen_kwargs and arguments decide"
        )
    if tokenizer is None:
        notes.append("no tokenizer files at hand: chat template and placeholder were not looked at")
        return replace(out, stop=stops)
    own, told = tokenizer.id(VIDEO_TOKEN), config.get("video_token_id")
    if told is None or own != told:
        raise RefusedError(f"config.json: video_token_id is {told}, the tokenizer has {VIDEO_TOKEN} at {own}")
    if tokenizer.size > int(out.llm["vocab_size"]):
        raise RefusedError(
            f"tokenizer: {tokenizer.size} tokens, the embedding has {out.llm['vocab_size']} rows"
        )
    if code.template is False:
        notes.append("the code calls no apply_chat_template: prompts are read as they are")
        return replace(out, stop=stops)
    chat = tokenizer.chat()
    cost = tokenizer.cost(chat)
    if cost != TEMPLATE_COST:
        notes.append(
            f"the chat template costs {cost} tokens; {TEMPLATE_COST} were seen with the published checkpoint"
        )
    return replace(out, stop=stops, chat=chat)


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    if not isinstance(found, dict):
        raise RefusedError(
            f"config.json: no {name}; this is no checkpoint in the layout of NVILA-8B-HD-Video"
        )
    return found
