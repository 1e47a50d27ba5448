"""Small checkpoints of other people's architectures, with their real processors, made without a download."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hlvid.dataset.question import Question
from hlvid.tasks.doc import doc_of

CHAT = (
    "{% for message in messages %}{{ message['role'] }}: "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'video' %}VIDEO{% elif part['type'] == 'image' %}IMAGE"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}\n{% endfor %}assistant: "
)
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": False,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames of 320 x 180 at 12 fps."""
    path = tmp_path_factory.mktemp("clips") / "clip_av_video_0_000.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(24):
            picture = np.full((180, 320, 3), 10 * index, np.uint8)
            picture[40:100, 10 * index : 10 * index + 40] = (250, 40, 10)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.fixture
def questions(clip: Path) -> list[Question]:
    """Three questions about the clip."""
    options = {"A": "red", "B": "green", "C": "blue", "D": "grey"}
    return [
        Question(
            id=str(index),
            video=clip.name,
            source="av_video_0",
            category="av",
            stem=f"What colour is box {index}?",
            options=options,
            answer="A",
            video_path=clip,
        )
        for index in range(3)
    ]


@pytest.fixture
def requests_for() -> Callable[..., list[Any]]:
    """requests_for(model, questions): gives the model its docs, returns its requests."""

    def build(model: Any, questions: Sequence[Question]) -> list[Any]:
        from lmms_eval.api.instance import Instance

        model.task_dict["hlvid"] = {"test": [doc_of(question, "sha256:toy") for question in questions]}
        settings = {"max_new_tokens": 3, "temperature": 0}
        requests = []
        for index, question in enumerate(questions):
            middle = (settings, list) if model.is_simple else (list, settings)
            requests.append(
                Instance(
                    request_type="generate_until",
                    arguments=(question.prompt(), *middle, index, "hlvid", "test"),
                    idx=0,
                    metadata={"task": "hlvid", "doc_id": index, "repeats": 1},
                )
            )
        return requests

    return build


def _tokenizer(specials: dict[str, str]) -> Any:
    """Every byte a token: enough for any text, and no download."""
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2TokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(
        [AddedToken(text, special=True) for text in ("<eos>", "<pad>", *specials.values())]
    )
    ready = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<eos>", pad_token="<pad>", extra_special_tokens=specials
    )
    if transformers.__version__ < "5":  # Qwen's processors then take their own class alone
        ready.__class__ = Qwen2TokenizerFast
    return ready


QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
}


def _qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {f"{name}_id": text for name, text in QWEN.items()}
    return {name: tokenizer.convert_tokens_to_ids(text) for name, text in names.items()}


def _save(folder: Path, model: Any, processor: Any) -> Path:
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def qwen2_5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2.5-VL, with its 768-token cap as published."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
    )
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    tokenizer = _tokenizer(QWEN)
    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "out_hidden_size": 32}
    config = Qwen2_5_VLConfig(
        text_config={**TEXT, "vocab_size": len(tokenizer), "rope_scaling": ROPE},
        vision_config={**vision, "fullatt_block_indexes": [0]},
        **_qwen_ids(tokenizer),
    )
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT.replace("VIDEO", "<|vision_start|><|video_pad|><|vision_end|>").replace(
            "IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"
        ),
    )
    folder = tmp_path_factory.mktemp("qwen2_5")
    return _save(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


@pytest.fixture(scope="session")
def qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2-VL, which lmms-eval knows for simple tasks alone."""
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
    )
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    tokenizer = _tokenizer(QWEN)
    config = Qwen2VLConfig(
        text_config={**TEXT, "vocab_size": len(tokenizer), "rope_scaling": ROPE},
        vision_config={"depth": 1, "embed_dim": 32, "num_heads": 2, "mlp_ratio": 1, "hidden_size": 32},
        **_qwen_ids(tokenizer),
    )
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT.replace("VIDEO", "<|vision_start|><|video_pad|><|vision_end|>"),
    )
    folder = tmp_path_factory.mktemp("qwen2")
    return _save(folder, Qwen2VLForConditionalGeneration(config), processor)


@pytest.fixture(scope="session")
def qwen3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen3-VL."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
    )
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    tokenizer = _tokenizer(QWEN)
    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "out_hidden_size": 32}
    config = Qwen3VLConfig(
        text_config={**TEXT, "head_dim": 16, "vocab_size": len(tokenizer), "rope_scaling": ROPE},
        vision_config={**vision, "deepstack_visual_indexes": [0], "num_position_embeddings": 16},
        **_qwen_ids(tokenizer),
    )
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(),
        chat_template=CHAT.replace("VIDEO", "<|vision_start|><|video_pad|><|vision_end|>"),
    )
    folder = tmp_path_factory.mktemp("Qwen3-VL")
    return _save(folder, Qwen3VLForConditionalGeneration(config), processor)


@pytest.fixture(scope="session")
def llava_onevision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LLaVA-OneVision: SigLIP at 384 px, frames squeezed to squares."""
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
    )

    tokenizer = _tokenizer({"image_token": "<image>", "video_token": "<video>"})
    vision = {"model_type": "siglip_vision_model", "hidden_size": 16, "intermediate_size": 16}
    config = LlavaOnevisionConfig(
        text_config={"model_type": "qwen2", **TEXT, "vocab_size": len(tokenizer)},
        vision_config={
            **vision,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 384,
            "patch_size": 14,
            "vision_use_head": False,
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        vision_feature_layer=-1,
    )
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(),
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        chat_template=CHAT.replace("VIDEO", "<video>\n"),
    )
    folder = tmp_path_factory.mktemp("onevision")
    return _save(folder, LlavaOnevisionForConditionalGeneration(config), processor)


@pytest.fixture(scope="session")
def internvl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """InternVL as transformers has it: 448 px squares, 256 tokens each."""
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    specials = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _tokenizer(specials)
    square = {"height": 448, "width": 448}
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = InternVLConfig(
        text_config={"model_type": "qwen2", **TEXT, "vocab_size": len(tokenizer)},
        vision_config={**vision, "image_size": [448, 448], "patch_size": [14, 14]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
    )
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=square),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=square),
        image_seq_length=256,
        chat_template=CHAT.replace("VIDEO", "<video>\n"),
    )
    folder = tmp_path_factory.mktemp("internvl")
    return _save(folder, InternVLForConditionalGeneration(config), processor)


@pytest.fixture
def journal_lines() -> Callable[[Path], list[dict[str, Any]]]:
    """The answers in the only journal of a folder."""

    def read(folder: Path) -> list[dict[str, Any]]:
        (file,) = folder.glob("*.jsonl")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][1:]

    return read
