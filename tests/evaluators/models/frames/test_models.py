"""hlvid_frames over real architectures: the pixels that enter them are those that were asked, or nothing runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch

from evaluators.models.frames import caps
from evaluators.models.frames.model import HlvidFramesChat
from evaluators.models.frames.probe import context_of, language_model
from evaluators.models.frames.settings import FORMS
from hlvid.errors import RunError
from hlvid.tasks import costs
from hlvid.video import Video

pytestmark = pytest.mark.filterwarnings("ignore")

INNER = {
    "qwen2": "qwen2_vl",
    "qwen2_5": "qwen2_5_vl",
    "qwen3": "qwen3_vl",
    "llava_onevision": "llava_hf",
    "internvl": "internvl_hf",
}


@pytest.fixture
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., HlvidFramesChat]:
    """model("qwen2_5", frames=4, …): hlvid_frames around that checkpoint."""

    def build(checkpoint: str, **changes: Any) -> HlvidFramesChat:
        folder = request.getfixturevalue(checkpoint)
        options = {"inner": INNER[checkpoint], "pretrained": str(folder), "device": "cpu", "frames": 4}
        return HlvidFramesChat(**{**options, "runs": str(tmp_path), **changes})

    return build


def _entering(model: Any) -> list[dict[str, Any]]:
    """The arguments of each call of the inner model's generate(), from now on."""
    entered: list[dict[str, Any]] = []
    generate = model.inner.model.generate

    def noting(*args: Any, **kwargs: Any) -> Any:
        entered.append(kwargs)
        return generate(*args, **kwargs)

    model.inner.model.generate = noting
    return entered


@pytest.mark.parametrize(
    ("checkpoint", "resolution", "seen"),
    [
        ("qwen2", 1344, {"frames": 4, "height": 756, "width": 1344, "by": "video_grid_thw"}),
        ("qwen2_5", 1344, {"frames": 4, "height": 756, "width": 1344, "by": "video_grid_thw"}),
        ("qwen3", 1344, {"frames": 4, "height": 768, "width": 1344, "by": "video_grid_thw"}),
        ("qwen3", 96, {"frames": 4, "height": 64, "width": 96, "by": "video_grid_thw"}),
        ("llava_onevision", 384, {"frames": 4, "height": 384, "width": 384, "by": "pixel_values_videos"}),
        ("internvl", 448, {"frames": 4, "height": 448, "width": 448, "by": "pixel_values"}),
    ],
)
def test_the_model_sees_what_was_asked(
    checkpoint: str,
    resolution: int,
    seen: dict[str, Any],
    model: Callable[..., HlvidFramesChat],
    requests_for: Any,
    questions: list[Any],
) -> None:
    one = model(checkpoint, resolution=resolution)
    entered = _entering(one)
    one.generate_until(requests_for(one, questions[:1]))
    details = costs.lookup("0", "hlvid")
    assert details["audit"]["verdict"] == "exact"
    assert details["audit"]["seen"] == seen
    assert details["indices"] == [0, 8, 15, 23]
    assert details["tokens_in"] == entered[0]["input_ids"].shape[-1]


@pytest.mark.parametrize(("checkpoint", "size"), [("internvl", 448), ("llava_onevision", 384)])
def test_pixels_enter_as_decoded(
    checkpoint: str,
    size: int,
    model: Callable[..., HlvidFramesChat],
    requests_for: Any,
    questions: list[Any],
    clip: Path,
) -> None:
    one = model(checkpoint, resolution=size)
    entered = _entering(one)
    one.generate_until(requests_for(one, questions[:1]))
    pixels = entered[0].get("pixel_values", entered[0].get("pixel_values_videos"))
    processor = next(caps.pixel_processors(one.inner))
    shape = (1, 3, 1, 1)
    mean, std = (np.reshape(value, shape) for value in (processor.image_mean, processor.image_std))
    got = pixels.float().numpy().reshape(4, 3, size, size) * std + mean
    with Video.open(clip) as video:
        wanted = video.frames([0, 8, 15, 23], size=(size, size)).transpose(0, 3, 1, 2) / 255
    assert np.abs(got - wanted).max() < 0.01  # half a step of 255, and what half precision loses


@pytest.mark.parametrize(("checkpoint", "side"), [("qwen2_5", 112), ("qwen3", 128)])
def test_patches_enter_as_decoded(
    checkpoint: str,
    side: int,
    model: Callable[..., HlvidFramesChat],
    requests_for: Any,
    questions: list[Any],
    clip: Path,
) -> None:
    one = model(checkpoint, resolution=side, shape="square")
    entered = _entering(one)
    one.generate_until(requests_for(one, questions[:1]))
    with Video.open(clip) as video:
        frames = torch.from_numpy(video.frames([0, 8, 15, 23], size=(side, side))).permute(0, 3, 1, 2)
    processor = one.inner.processor.video_processor
    wanted = processor(frames, do_resize=False, do_sample_frames=False, return_tensors="pt")
    assert torch.equal(entered[0]["pixel_values_videos"].float(), wanted["pixel_values_videos"].float())


def test_qwen_hears_of_the_files_own_times(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("qwen3", resolution=64)
    entered = _entering(one)
    one.generate_until(requests_for(one, questions[:1]))
    prompt = one.inner.processor.tokenizer.decode(entered[0]["input_ids"][0])
    # Frames 0, 8 and 15, 23 of 12 fps in pairs: the means of 0 and 0.667 s, of 1.25 and 1.917 s.
    assert "<0.3 seconds>" in prompt
    assert "<1.6 seconds>" in prompt


def test_a_square_that_the_model_does_not_take_is_refused(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any], tmp_path: Path
) -> None:
    one = model("llava_onevision", resolution=896)
    with pytest.raises(RunError, match=r"resolution=896: 896 x 896 px became 384 x 384; .*allow_resize=True"):
        one.generate_until(requests_for(one, questions[:1]))


def test_allowed_changes_are_recorded(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("llava_onevision", resolution=896, allow_resize=True)
    one.generate_until(requests_for(one, questions[:1]))
    audit = costs.lookup("0", "hlvid")["audit"]
    assert audit["verdict"] == "896 x 896 px became 384 x 384"
    assert audit["decoded"] == {"frames": 4, "height": 896, "width": 896}


def test_odd_counts_are_filled_up_by_the_model_alone(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("qwen2_5", resolution=112, frames=3)
    one.generate_until(requests_for(one, questions[:1]))
    audit = costs.lookup("0", "hlvid")["audit"]
    assert (audit["decoded"]["frames"], audit["seen"]["frames"], audit["verdict"]) == (3, 4, "exact")


def test_a_short_clip_of_an_odd_number_of_frames_ends_nothing(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any], tmp_path: Path
) -> None:
    """Asked for 8 of a clip of 5: five different ones, the model fills up its last pair."""
    short = tmp_path / "short.mp4"
    with av.open(str(short), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for value in range(5):
            picture = np.full((180, 320, 3), 40 * value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    one = model("qwen2_5", resolution=112, frames=8)
    one.generate_until(requests_for(one, [replace(questions[0], video_path=short)]))
    audit = costs.lookup("0", "hlvid")["audit"]
    assert (audit["decoded"]["frames"], audit["distinct"], audit["verdict"]) == (5, 5, "exact")
    assert audit["seen"]["frames"] == 6


def test_a_resolution_between_patches_is_refused_beforehand(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("qwen2_5", resolution=900)
    with pytest.raises(RunError, match=r"resolution 900: qwen2_5_vl takes multiples of 28 px; ask for 896"):
        one.generate_until(requests_for(one, questions[:1]))


def test_an_error_that_the_model_swallows_stops_the_run(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("internvl", resolution=448)

    def fail(**_: Any) -> None:
        raise ValueError("no such token")

    one.inner.model.generate = fail
    with pytest.raises(RunError, match=r"question 0 .*internvl_hf: ValueError: no such token"):
        one.generate_until(requests_for(one, questions[:1]))


@pytest.mark.parametrize("checkpoint", ["internvl", "qwen2_5"])  # one swallows errors, the other does not
def test_a_question_without_memory_is_recorded_and_the_others_go_on(
    checkpoint: str, model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model(checkpoint, resolution=448)
    generate, calls = one.inner.model.generate, []

    def short(*args: Any, **inputs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return generate(*args, **inputs)

    one.inner.model.generate = short
    texts = [result.text for result in one.generate_until(requests_for(one, questions))]
    outcomes = [costs.lookup(name, "hlvid").get("outcome") for name in "012"]
    assert (len(texts), texts[1], outcomes) == (3, "", [None, "out_of_memory", None])
    assert "Tried to allocate 2 GiB" in costs.lookup("1", "hlvid")["message"]


@pytest.mark.parametrize("checkpoint", ["qwen2_5", "llava_onevision", "internvl"])
def test_what_exceeds_the_inner_models_context_is_no_answer(
    checkpoint: str, model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    size = {"qwen2_5": 112, "llava_onevision": 384, "internvl": 448}[checkpoint]
    one = model(checkpoint, resolution=size)
    language = language_model(one.inner.model)
    assert context_of(language) == 32768
    one.generate_until(requests_for(one, questions[:1]))
    details = costs.lookup("0", "hlvid")
    tokens = details["tokens_in"]
    assert "outcome" not in details

    language.config.max_position_embeddings = tokens - 1
    (result,) = one.generate_until(requests_for(one, [replace(questions[0], id="9")]))
    details = costs.lookup("9", "hlvid")
    assert (result.text, details["outcome"], details["tokens_in"]) == ("", "context_overflow", tokens)
    assert f"{tokens} tokens exceed the model's context of {tokens - 1}" in details["message"]
    assert details["audit"]["verdict"] == "exact"


@pytest.mark.parametrize(
    ("config", "context"),
    [
        ({"max_position_embeddings": 32768}, 32768),
        ({"max_position_embeddings": 32768, "rope_parameters": {"rope_type": "default"}}, 32768),
        (
            {
                "max_position_embeddings": 32768,
                "rope_parameters": {"factor": 4.0, "original_max_position_embeddings": 32768},
            },
            131072,
        ),
        ({"max_position_embeddings": 4096, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}, 8192),
        (
            {
                "max_position_embeddings": 131072,
                "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192},
            },
            131072,
        ),
        ({}, None),
    ],
)
def test_stretched_positions_count(config: dict[str, Any], context: int | None) -> None:
    assert context_of(SimpleNamespace(config=SimpleNamespace(**config))) == context


def test_every_claimed_model_is_one_of_lmms_evals_and_takes_the_arguments() -> None:
    """Read from its source: some need packages that are not here."""
    import ast

    import lmms_eval
    from lmms_eval.models import MODEL_REGISTRY_V2

    for name, form in FORMS.items():
        manifest = MODEL_REGISTRY_V2.get_manifest(name)
        path = manifest.simple_class_path or manifest.chat_class_path
        module, _, cls = path.rpartition(".")
        source = Path(lmms_eval.__file__).parents[1] / f"{module.replace('.', '/')}.py"
        classes = [one for one in ast.walk(ast.parse(source.read_text())) if isinstance(one, ast.ClassDef)]
        init = next(
            part
            for one in classes
            for part in one.body
            if one.name == cls and isinstance(part, ast.FunctionDef) and part.name == "__init__"
        )
        taken = {one.arg for one in (*init.args.args, *init.args.kwonlyargs)}
        assert {form.count, *(form.pixels or ()), *form.fixed} - {None} <= taken, name


def test_a_model_that_computes_elsewhere_is_sent_to_openai_frames(
    model: Callable[..., HlvidFramesChat],
) -> None:
    with pytest.raises(RunError, match=r"inner=vllm computes elsewhere.*--model openai_frames"):
        model("qwen2_5", inner="vllm", resolution=112)


def test_a_task_of_lmms_evals_own_names_ours(
    model: Callable[..., HlvidFramesChat], requests_for: Any, questions: list[Any]
) -> None:
    one = model("qwen2_5", resolution=112)
    (asked,) = requests_for(one, questions[:1])
    one.task_dict["videomme"] = {"test": [{"question": "Which?", "options": ["A. x"], "videoID": "y"}]}
    asked.arguments = (*asked.args[:-3], 0, "videomme", "test")
    with pytest.raises(
        RunError, match=r"'videomme' is lmms-eval's own, .*hlvid_frames .*; ask hlvid_videomme"
    ):
        one.generate_until([asked])


def test_a_crash_loses_nothing(
    model: Callable[..., HlvidFramesChat],
    requests_for: Any,
    questions: list[Any],
    journal_lines: Any,
    tmp_path: Path,
) -> None:
    one = model("qwen2_5", resolution=112)
    generate, calls = one.inner.model.generate, []

    def crash_at_third(**inputs: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generate(**inputs)

    one.inner.model.generate = crash_at_third
    with pytest.raises(KeyboardInterrupt):
        one.generate_until(requests_for(one, questions))
    assert [line["question_id"] for line in journal_lines(tmp_path)] == ["0", "1"]
    again = model("qwen2_5", resolution=112)
    entered = _entering(again)
    assert len(again.generate_until(requests_for(again, questions))) == 3
    assert len(entered) == 1
    assert len(journal_lines(tmp_path)) == 3


@pytest.fixture(scope="module")
def plain_llava() -> str:
    """lmms-eval's simple class of llava_hf under a name that nobody knows anything of."""
    from lmms_eval.models import MODEL_REGISTRY_V2
    from lmms_eval.models.registry_v2 import ModelManifest

    path = "lmms_eval.models.simple.llava_hf.LlavaHf"
    MODEL_REGISTRY_V2.register_manifest(ModelManifest(model_id="plain_llava", simple_class_path=path))
    return "plain_llava"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"max_frames_num": 4, "shape": "square"}, None),
        ({"max_frames_num": 4}, r"384 x 216 px became 384 x 384"),
        ({"max_frames_num": 8, "shape": "square"}, r"4 frames became 8.*took 4 of 4 frames"),
        ({"max_frames_num": 2, "shape": "square"}, r"4 frames became 2.*took 2 of 4 frames"),
    ],
)
def test_a_simple_model_that_samples_by_itself(
    arguments: dict[str, Any],
    fault: str | None,
    plain_llava: str,
    model: Callable[..., HlvidFramesChat],
    requests_for: Any,
    questions: list[Any],
) -> None:
    one = model("llava_onevision", inner=plain_llava, resolution=384, **arguments)
    one.inner.tokenizer.chat_template = "{{ messages[0]['content'] }}"
    asked = requests_for(one, questions[:1])
    if fault is not None:
        with pytest.raises(RunError, match=fault):
            one.generate_until(asked)
        return
    one.generate_until(asked)
    details = costs.lookup("0", "hlvid")
    assert (details["readers"], details["audit"]["verdict"]) == (["decord"], "exact")


def test_an_inner_model_that_is_not_there_is_named(model: Callable[..., HlvidFramesChat]) -> None:
    with pytest.raises(RunError, match=r"inner=nonsense: .*nonsense"):
        model("qwen2_5", inner="nonsense", resolution=112)
    with pytest.raises(RunError, match=r"inner=qwen2_5_vl cannot be built: .*colour"):
        model("qwen2_5", resolution=112, colour="red")
