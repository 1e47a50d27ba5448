"""Run with: pytest tests/autogaze/nvila/test_model.py"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.answering import Answerer, make_checkpoint, published_selector
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD, ContextOverflowError
from autogaze.nvila.processing import normalise, plan_video, stream
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
    tiles, thumbnails = 2 * 2 * 16, 8
    assert seen.patches == (tiles + thumbnails) * per_frame
    assert seen.gazed == tiles * int(0.1 * per_frame) + thumbnails * per_frame
    assert seen.embeddings.shape == (tiles * 3 + thumbnails * -(-per_frame // 9), 32)


def test_batches_of_tiles_do_not_change_what_is_seen(model: NVILAHD, drawn: Any, config: NVILAConfig) -> None:
    one = replace(config, video=replace(config.video, max_batch_size_autogaze=1))
    other = NVILAHD(one).eval()
    other.load_state_dict(model.state_dict())
    assert torch.allclose(seen_by(model, drawn).embeddings, seen_by(other, drawn).embeddings, atol=1e-5)


def test_encode_is_encoder_shuffle_projector(model: NVILAHD, drawn: Any, config: NVILAConfig) -> None:
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, config.video, config.tile)
    batch = next(stream(drawn, plan, config, config.video, get("random")))
    with torch.no_grad():
        slots = model.vision(normalise(batch.pixels, config.video), batch.gaze)
        n = batch.gaze.per_frame[0]
        first = slots[0, :n]
        padded = torch.cat([first, first[-1:].expand(-n % 9, -1)]).view(-1, 9 * 24)
        expected = model.projector(padded)
    assert torch.allclose(model.encode(batch)[: len(expected)], expected, atol=1e-5)


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
    for name in ("model.safetensors", "tokenizer.json", "autogaze/model.safetensors"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_folder_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(ValueError, match="not empty and no checkpoint"):
        make_checkpoint(tmp_path)
