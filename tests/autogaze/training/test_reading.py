"""Teaching to read: what strips say, that training sees as the model does, that a run goes on to the same weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from autogaze.encoders.patches import Grid
from autogaze.gaze import Gaze
from autogaze.nvila.answering import Answerer, Look
from autogaze.nvila.model import NVILAHD, Seen
from autogaze.nvila.presets import SHAPES, shape
from autogaze.nvila.processing import normalise, plan_video
from autogaze.nvila.tokenizer import byte_tokenizer
from autogaze.training.config import TrainingError, read
from autogaze.training.reading import train as course
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.glyphs import ALPHABET, Atlas
from autogaze.training.reading.questions import Bank, questions
from autogaze.training.reading.reader import Reader, gaps
from autogaze.training.reading.strips import IGNORE, Strips, gaze, lay, paint
from autogaze.training.trail import lines as entries

GRID = Grid((32, 64, 112, 224), 8)


@pytest.fixture(scope="module")
def bank() -> Bank:
    return questions(np.random.default_rng(3), 60)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shape `mini` with layers that a test has time for."""
    mini = SHAPES["mini"]
    vision = replace(
        mini.vision, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    llm = {
        **mini.llm,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    monkeypatch.setitem(SHAPES, "mini", replace(mini, vision=vision, llm=llm))
    monkeypatch.setattr(course, "LOG", 1)


def settings(out: Path, **changes: object) -> ReadingConfig:
    few = {"steps": 3, "batch": 4, "checkpoint_every": 1, "held_out": 4, "grounds": 3, "questions": 30}
    lessons = [
        {"until": 0.4, "tiles": 1, "lines": 2, "words": 2},
        {"until": 1.0, "tiles": 2, "lines": 3, "words": 2, "answers": True},
    ]
    return read(ReadingConfig, "reading-cpu", out=out, **{**few, "lessons": lessons, **changes})


def drawn(bank: Bank, count: int, tiles: int, lines: int, seed: int = 0) -> tuple[Strips, torch.Generator]:
    draw = torch.Generator().manual_seed(seed)
    text = bank.asked(*bank.some(count * lines, draw)).view(count, lines, -1)
    return lay(text, tiles, GRID, Atlas.of("cpu"), draw), draw


def text(classes: torch.Tensor) -> str:
    return "".join(ALPHABET[c] for c in classes.flatten().tolist() if c > 0)


def test_any_option_can_be_right_and_the_prompt_does_not_tell(bank: Bank) -> None:
    tokenizer = byte_tokenizer()
    for n in range(len(bank.ids)):
        prompt = tokenizer.decode(bank.ids[n, : bank.end[n]].tolist())
        options = [text(one) for one in bank.options[n]]
        assert len(set(options)) == 4 and len({len(one) for one in options}) == 1
        for k, option in enumerate(options):
            assert prompt[: bank.marks[n, k]].replace(" ", "").endswith(f"{'ABCD'[k]}.{option}")
        assert tokenizer.decode([int(bank.ids[n, bank.end[n]])]) in "ABCD"
    draw = torch.Generator().manual_seed(0)
    _, right = bank.some(4000, draw)
    assert (right.bincount(minlength=4) > 900).all()


def test_patches_spell_the_last_line(bank: Bank) -> None:
    strips, draw = drawn(bank, 80, 2, 3)
    _, letters = gaze(strips, 1000, draw)
    spelled = 0
    for n in range(80):
        wanted = text(strips.text[n, -1])
        parts = [text(letters[n, tile]) for tile in range(2)]
        cuts = range(len(wanted) + 1)  # the character that a tile's edge cuts may be missing
        spelled += any(
            wanted[:k] in parts[0] and wanted[k + cut :] in parts[1] for k in cuts for cut in (0, 1)
        )
    assert spelled > 77


def test_ink_is_where_the_patches_are(bank: Bank) -> None:
    strips, draw = drawn(bank, 40, 1, 2)
    grounds = torch.full((1, 3, 224, 224), 128, dtype=torch.uint8)
    pixels = paint(strips, grounds, draw)
    tokens, letters = gaze(strips, GRID.tokens, draw)
    assert torch.equal(tokens[0, 0], torch.arange(GRID.tokens))
    assert pixels.min() >= 0 and pixels.max() <= 1
    fine = (letters[:, 0, -784:] > 0).any(-1)
    none = (letters[:, 0, -784:] == 0).all(-1)
    spread = pixels[:, 0].mean(1).unfold(1, 8, 8).unfold(2, 8, 8).flatten(3).std(-1).flatten(1)
    assert spread[fine].median() > 3 * spread[none].median()
    assert (letters == IGNORE).any(), "what later lines hide cannot be told"


def test_training_sees_as_the_model_does(small: None, bank: Bank) -> None:
    model = NVILAHD.from_config(shape("mini"), 0)
    reader = Reader(model).eval()
    strips, draw = drawn(bank, 2, 2, 3)
    pixels = paint(strips, torch.full((1, 3, 224, 224), 90, dtype=torch.uint8), draw)
    tokens, _ = gaze(strips, 64, draw)
    masks = torch.zeros(4, 1, GRID.tokens, dtype=torch.bool)
    masks.scatter_(2, tokens.flatten(0, 1)[:, None], True)
    shown = normalise(pixels.flatten(0, 1)[:, None].clone(), model.config.video)
    with torch.no_grad():
        seen = reader.see(pixels, tokens).flatten(0, 2)
        own = model.projector(model.vision.packed(shown, Gaze.from_masks(masks, GRID.scales, 8)))
    torch.testing.assert_close(seen, own, atol=1e-4, rtol=1e-4)


def test_a_letter_hangs_on_every_patch_before_it_whatever_the_gaps(small: None, bank: Bank) -> None:
    reader = Reader(NVILAHD.from_config(shape("mini"), 0))
    draw = torch.Generator().manual_seed(0)
    chosen, right = bank.some(2, draw)
    seen = torch.randn(2, 2, 10, 32, generator=draw, requires_grad=True)
    free = gaps(seen, draw)
    reader.answer(seen.flatten(1, 2), bank, chosen, right, free).loss.backward()
    assert seen.grad is not None and (seen.grad.abs().sum(-1) > 0).all()
    hidden = reader.answer(seen.flatten(1, 2), bank, chosen, right, free + 1).loss
    assert torch.isfinite(hidden)


def test_stopped_run_ends_with_the_same_weights_as_the_model_reads_them(small: None, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    course.train(settings(tmp_path / "whole"))
    course.train(settings(tmp_path / "parts"), stop_after=2)
    course.train(settings(tmp_path / "parts"))
    first, second = (
        load_file(str(tmp_path / run / "model" / "model.safetensors")) for run in ("whole", "parts")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [entry["step"] for entry in entries(tmp_path / "parts" / "metrics.jsonl")] == [0, 1, 2]
    assert "options with videos swapped" in entries(tmp_path / "parts" / "validation.jsonl")[-1]
    reader = Answerer.from_pretrained(tmp_path / "parts" / "model")
    assert not reader.model.config.random
    look = Look(plan_video(448, 224, 16, reader.settings, 224), Seen(torch.zeros(3, 32), 3, 3), {})
    assert reader.ask(look, "<vila/video>\n\nA. B or B. A?", 4, ["A", "B"]).text in ("A", "B")
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        course.train(settings(tmp_path / "parts", seed=1))


def test_loss_falls(small: None, tmp_path: Path) -> None:
    lesson = [{"until": 1.0, "tiles": 1, "lines": 2, "words": 4, "answers": True}]
    course.train(
        settings(
            tmp_path, steps=16, lessons=lesson, checkpoint_every=99, optimizer__warmup=1, optimizer__rate=0.01
        )
    )
    losses = [entry["loss"] for entry in entries(tmp_path / "metrics.jsonl")]
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


def test_lessons_and_rate_follow_the_share_of_the_run() -> None:
    config = read(ReadingConfig, "reading-gpu", optimizer__rate=1e-3, optimizer__warmup=10)
    assert [config.lesson(share).tiles for share in (0, 0.31, 0.4, 0.6, 0.99, 1.0)] == [1, 1, 2, 8, 8, 8]
    assert course._rate(config, 4, 0.0) == pytest.approx(5e-4)
    assert course._rate(config, 900, config.hold) == pytest.approx(1e-3)
    assert course._rate(config, 900, 0.8) == pytest.approx(5e-4)
    assert course._rate(config, 900, 1.0) == pytest.approx(2e-5)
