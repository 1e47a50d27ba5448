"""Run with: pytest tests/autogaze/nvila/test_model.py"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.answering import Answerer, make_checkpoint, published_selector
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import everything
from autogaze.nvila.model import NVILAHD, ContextOverflowError
from autogaze.nvila.processing import ClipBatch, plan_video, stream
from autogaze.nvila.tokenizer import byte_tokenizer
from autogaze.selectors.registry import get

PROMPT = "<vila/video>\n\nQuestion: what?\nA. 1\nB. 2"


def seen_by(model: NVILAHD, drawn: Any, room: int = 40_000) -> Any:
    config = model.config
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, config.video, config.tile)
    return model.see(stream(drawn, plan, config, config.video, get("random")), room)


def test_what_is_seen_is_ordered_tiles_first_and_counted(model: NVILAHD, drawn: Any) -> None:
    seen = seen_by(model, drawn)
    per_frame = model.config.vision.grid.tokens
    steps, thumbnails = 2 * 16, 8
    tiles = 2 * steps
    assert seen.patches == (tiles + thumbnails) * per_frame
    assert seen.gazed == tiles * int(0.1 * per_frame) + thumbnails * per_frame
    assert seen.embeddings.shape == (steps * -(-2 * 26 // 9) + thumbnails * -(-per_frame // 9), 32)


def test_batches_of_tiles_do_not_change_what_is_seen(model: NVILAHD, drawn: Any, config: NVILAConfig) -> None:
    one = replace(config, video=replace(config.video, max_batch_size_autogaze=1))
    other = NVILAHD(one).eval()
    other.load_state_dict(model.state_dict())
    assert torch.allclose(seen_by(model, drawn).embeddings, seen_by(other, drawn).embeddings, atol=1e-5)


@pytest.mark.parametrize("grouping", ["time", "tile"])
def test_a_group_is_a_time_step_over_all_tiles_or_one_tiles_frame(
    grouping: str, model: NVILAHD, drawn: Any, config: NVILAConfig
) -> None:
    """Rebuilt with lists and one encoder call a clip; eight tiles come in batches of three."""
    settings = replace(config.video, max_tiles_video=8, gazing_ratio_tile=0.05)
    own = NVILAHD(replace(config, grouping=grouping, video=settings)).eval()
    own.load_state_dict(model.state_dict())
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, settings, config.tile)
    batches = list(stream(drawn, plan, config, settings, get("random")))
    seen: dict[tuple[Any, ...], torch.Tensor] = {}
    with torch.no_grad():
        for batch in batches:
            for clip in range(len(batch.pixels)):
                gaze = replace(
                    batch.gaze,
                    positions=batch.gaze.positions[clip : clip + 1],
                    padded=batch.gaze.padded[clip : clip + 1],
                )
                slots = own.vision(batch.pixels[clip : clip + 1] * 2 - 1, gaze)[0]
                for t, frame in enumerate(torch.split(slots, list(gaze.per_frame))):
                    tile = batch.first + clip
                    seen[batch.kind, batch.chunk, *((t, tile) if grouping == "time" else (tile, t))] = frame
        groups: dict[tuple[Any, ...], torch.Tensor] = {}
        for key in sorted(seen, key=lambda key: (key[0] == "thumbnail", *key[1:])):
            whole = key[:3] if grouping == "time" and key[0] == "tile" else key
            groups[whole] = torch.cat([groups[whole], seen[key]]) if whole in groups else seen[key]
        rows = [torch.cat([x, x[-1:].expand(-len(x) % 9, -1)]).reshape(-1, 9 * 24) for x in groups.values()]
        expected = own.projector(torch.cat(rows))
    found = own.see(batches).embeddings
    assert len(groups) == (32 if grouping == "time" else 32 * 8) + 8
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_features_are_the_last_hidden_state_but_one_without_the_norm(model: NVILAHD, drawn: Any) -> None:
    """Against transformers' own SigLIP of the same weights, at its one scale."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    config = model.config.single_scale(56)
    own = NVILAHD(config).eval()
    own.load_state_dict(model.state_dict())
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size")
    sizes = {name: getattr(config.vision, name) for name in (*names, "patch_size", "layer_norm_eps")}
    theirs = SiglipVisionModel(SiglipVisionConfig(**sizes, vision_use_head=False)).eval()
    bare = (
        "vision_model." if not any(name.startswith("vision_model.") for name in theirs.state_dict()) else ""
    )
    theirs.load_state_dict({name.removeprefix(bare): x for name, x in own.vision.state_dict().items()})
    pixels = torch.rand(1, 1, 3, 56, 56, generator=torch.Generator().manual_seed(0))
    batch = ClipBatch("tile", 0, 0, pixels, everything(1, 1, (56,), 4, "cpu"))
    with torch.no_grad():
        expected = theirs(pixels[0] * 2 - 1, output_hidden_states=True).hidden_states[-2][0]
    torch.testing.assert_close(own.features(batch)[0], expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="select_layer=-4: expected -1 to -3, since there are 2 layers"):
        replace(config.vision, select_layer=-4)


def test_questions_go_on_from_what_was_read_once(drawn: Any, config: NVILAConfig, model: NVILAHD) -> None:
    tokenizer = byte_tokenizer()
    own = NVILAHD(replace(config, chat=("<system>", "<end>"), random=True)).eval()
    own.load_state_dict(model.state_dict())
    answerer = Answerer(own, tokenizer, get("random"), config.video)
    look = answerer.look(drawn, None)
    first = answerer.ask(look, PROMPT, 5)
    (read,) = look.read.values()
    other = answerer.ask(look, PROMPT.replace("what", "where"), 5)
    again = answerer.ask(look, PROMPT, 5)
    assert list(look.read.values()) == [read] and read.length == len("<system>") + len(look.seen.embeddings)
    assert again.text == first.text and again.tokens == first.tokens == other.tokens - 1
    whole = tokenizer.encode("<system>" + PROMPT + "<end>").ids
    embeds = own.embed(whole, 257, look.seen)
    assert embeds.shape[1] == first.tokens
    assert tokenizer.decode(own.generate(embeds, 5, (256,))).strip() == first.text
    torch.testing.assert_close(answerer.logits(look, PROMPT), own.next_logits(embeds), atol=1e-5, rtol=1e-4)
    assert answerer.prompt_tokens(PROMPT) == len(whole)


def test_a_video_too_long_stops_at_once_and_says_what_fits(model: NVILAHD, drawn: Any) -> None:
    everything = len(seen_by(model, drawn).embeddings)
    assert len(seen_by(model, drawn, everything).embeddings) == everything
    with pytest.raises(ContextOverflowError) as caught:
        seen_by(model, drawn, everything - 1)
    assert caught.value.chunks == 1 and caught.value.tokens == everything
    with pytest.raises(ContextOverflowError) as caught:
        seen_by(model, drawn, 10)
    assert caught.value.chunks == 0 and caught.value.limit == 10


def test_generation_is_greedy_as_without_a_cache(model: NVILAHD) -> None:
    embeds = torch.randn(1, 7, 32, generator=torch.Generator().manual_seed(0))
    answer = model.generate(embeds, 5)
    table = model.llm.get_input_embeddings()
    with torch.no_grad():
        for token in answer:
            assert int(model.llm(inputs_embeds=embeds).logits[0, -1].argmax()) == token
            embeds = torch.cat([embeds, table(torch.tensor([[token]]))], 1)
    assert len(answer) == 5
    assert model.generate(embeds[:, :7], 5, stop=(answer[2],)) == answer[: answer.index(answer[2])]
    assert model.generate(embeds[:, :7], 5, allowed=(3, answer[0], 7)) == [answer[0]]


def test_the_video_stands_where_its_placeholder_was(model: NVILAHD, drawn: Any) -> None:
    seen = seen_by(model, drawn)
    embeds = model.embed([5, 257, 6], 257, seen)
    assert embeds.shape[1] == 2 + len(seen.embeddings)
    assert torch.equal(embeds[0, 1:-1], seen.embeddings)
    assert torch.equal(embeds[0, -1], model.llm.get_input_embeddings().weight[6])


def test_weights_survive_their_file(model: NVILAHD, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    again = NVILAHD.from_pretrained(tmp_path)
    assert again.config == model.config and again.config.random
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in again.state_dict().items())
    with pytest.raises(CheckpointError, match=r"shape of projector\.0\.weight"):
        NVILAHD.from_pretrained(tmp_path, config=replace(model.config, token_shuffle=4))
    deeper = replace(model.config, llm={**model.config.llm, "num_hidden_layers": 3})
    with pytest.raises(CheckpointError, match=r"missing: model\.layers\.2\.input_layernorm\.weight"):
        NVILAHD.from_pretrained(tmp_path, config=deeper)


def test_a_tied_head_survives_too(config: NVILAConfig, tmp_path: Path) -> None:
    tied = NVILAHD.from_config(replace(config, llm={**config.llm, "tie_word_embeddings": True}))
    tied.save_pretrained(tmp_path)
    again = NVILAHD.from_pretrained(tmp_path)
    assert again.llm.lm_head.weight is again.llm.get_input_embeddings().weight


def test_same_seed_same_weights_and_the_global_draw_is_left_alone(config: NVILAConfig) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = NVILAHD.from_config(config, 5), NVILAHD.from_config(config, 5)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())
    assert NVILAHD.from_config(config, 5, dtype=torch.bfloat16).dtype == torch.bfloat16


def test_a_frame_at_one_scale_is_encoded_by_the_same_weights(
    config: NVILAConfig, model: NVILAHD, drawn: Any
) -> None:
    single = config.single_scale(64)
    plain = NVILAHD(single).eval()
    plain.load_state_dict(model.state_dict())
    settings = replace(config.video, max_tiles_video=1, num_video_frames_thumbnail=0)
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, settings, single.tile)
    seen = plain.see(stream(drawn, plan, single, settings, None), 40_000)
    assert plan.grid.size == (64, 64)
    assert seen.gazed == seen.patches == 32 * 16 * 16


def test_bytes_go_through_the_tokenizer() -> None:
    tokenizer = byte_tokenizer()
    text = "<vila/video>\n\nWas heißt «Ausfahrt»? 出口"
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert ids.count(tokenizer.token_to_id("<vila/video>")) == 1 and max(ids) < 272


def test_a_made_checkpoint_answers(drawn: Any, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "made", "tiny", seed=2)
    config = NVILAConfig.from_pretrained(folder)
    assert config.random
    settings = replace(config.video, max_tiles_video=1, num_video_frames_thumbnail=1)
    answerer = Answerer.from_pretrained(
        folder, selector=published_selector(folder, config), settings=settings
    )
    look = answerer.look(drawn)
    reply = answerer.ask(look, PROMPT, 4)
    assert reply.tokens == answerer.prompt_tokens(PROMPT) - 1 + len(look.seen.embeddings)
    assert set(look.seconds) == {"decode", "selector", "encoder"}
    assert set(reply.seconds) == {"prefill", "generation"}
    assert answerer.ask(look, PROMPT, choices="AB").text in ("A", "B")
    with pytest.raises(ValueError, match="'AB' is 2 tokens"):
        answerer.ask(look, PROMPT, choices=["AB"])
    again = make_checkpoint(tmp_path / "again", "tiny", seed=2)
    parts = ("model.safetensors", "llm/model.safetensors", "tokenizer.json", "autogaze/model.safetensors")
    for name in parts:
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_folder_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(ValueError, match="not empty and no checkpoint"):
        make_checkpoint(tmp_path)
