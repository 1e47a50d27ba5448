"""Teaching to read: labels are where the characters are, training sees as the model does, a killed run goes on.

Run: pytest tests/autogaze/training/test_reading.py
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from autogaze.gaze import Gaze
from autogaze.nvila.answering import Answerer, Look
from autogaze.nvila.config import VIDEO_TOKEN, NVILAConfig
from autogaze.nvila.model import Seen
from autogaze.nvila.presets import SHAPES, parameter_count, shape
from autogaze.nvila.processing import ClipBatch, plan_video
from autogaze.training import text_signs
from autogaze.training.config import TrainingError, read
from autogaze.training.reading import language, looks
from autogaze.training.reading import pictures as drawing
from autogaze.training.reading.config import Lesson, ReadingConfig
from autogaze.training.reading.initial import NEIGHBOURS
from autogaze.training.reading.letters import IGNORE, TILES, cut, masks, shown
from autogaze.training.reading.pictures import FRAMES, WIDE, Pictures, pictures
from autogaze.training.reading.questions import ALPHABET, classes, options, pick
from autogaze.training.reading.reader import PLACES, TAUGHT, Reader
from autogaze.training.reading.texts import Row, Text, collate, echo, question, study
from autogaze.training.reading.tokenizer import reading_tokenizer
from autogaze.training.reading.train import train
from autogaze.training.text_signs import put_sign
from autogaze.training.text_tiles import shades
from autogaze.training.trail import lines as entries

STARTS = [0, 16, 80, 276]
GRID = TILES.grid
LESSON = Lesson(until=1.0, lines=2, frames=2, hard=0.5, noise=0.05)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shape `mini` with layers that a test has time for."""
    torch.set_num_threads(1)
    few: dict[str, Any] = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2}
    for name in ("mini", "mini-video"):
        own = SHAPES[name]
        vision = replace(own.vision, **few, num_attention_heads=2)
        llm = {**own.llm, **few, "num_attention_heads": 2, "num_key_value_heads": 2}
        monkeypatch.setitem(SHAPES, name, replace(own, vision=vision, llm=llm))
    monkeypatch.setattr(drawing, "GROUNDS", 2)


@pytest.fixture(scope="module")
def wide() -> Pictures:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "GROUNDS", 2)
        return pictures(range(6), WIDE, 1)


@pytest.fixture
def reader() -> Reader:
    return Reader.fresh(replace(shape("mini"), random=False), 0).eval()


def settings(name: str, out: Path, **changes: object) -> ReadingConfig:
    few = {"steps": 3, "batch": 2, "checkpoint_every": 1, "validate_every": 3, "held_out": 4, "processes": 1}
    return read(ReadingConfig, f"reading-{name}", out=out, **{**few, **changes})


def one_line(text: str, left: float, top: float, cap: float, pitch: float) -> Pictures:
    """A picture of nothing with one line, every character `pitch` px wide."""
    known = Pictures(
        np.zeros((1, 288, 288, 3), np.uint8),
        np.zeros((1, 2, 5), np.float32),
        np.full((1, 2, 12), -1, np.int8),
        np.zeros((1, 2, 12), np.float32),
        np.full((1, 2, 4, 12), -1, np.int8),
    )
    known.lines[0, 0] = (left, top, left + pitch * len(text), top + cap, cap)
    known.text[0, 0, : len(text)] = classes(text)
    known.ends[0, 0, : len(text)] = pitch * np.arange(1, len(text) + 1)
    return known


def labels(known: Pictures) -> dict[int, str]:
    """By the encoder's patch, the characters that the middle tile has there; "?" where they cannot be told."""
    letters = shown(known, np.array([0]), np.array([[32, 32]]), TILES).letters[0]
    names = {
        n: "".join("?" if c == IGNORE else ALPHABET[c] for c in two if c) for n, two in enumerate(letters)
    }
    return {n: name for n, name in names.items() if name}


def test_a_rendered_character_is_in_the_patch_that_its_label_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """On grey without a plate, all ink is the character's: its middle lies in the patch, which is as large as it is."""
    monkeypatch.setattr(text_signs, "_put_plate", lambda *_: None)
    found = 0
    for seed in range(60):
        picture, draw = Image.new("RGB", (288, 288), (128, 128, 128)), np.random.default_rng(seed)
        lines = put_sign(picture, draw, [], caps=(7, 60), say=lambda draw: pick(draw, "ABDEHKNRX2358"))
        known = one_line(lines[0].text, *lines[0].box[:2], lines[0].cap, lines[0].ends[-1])
        read = {n: name for n, name in labels(known).items() if name == lines[0].text}
        if len(lines) == 1 and read:
            ink = np.abs(np.asarray(picture).astype(int) - 128).max(2)[32:256, 32:256] > 0
            middle = [(one.min() + one.max() + 1) / 2 for one in np.nonzero(ink)]
            (patch,) = read
            start = max(n for n in STARTS if n <= patch)
            side = GRID.sides[STARTS.index(start)]
            unit, place = 224 / side, divmod(patch - start, side)
            assert all(abs(at / unit - n - 0.5) < 0.8 for at, n in zip(middle, place, strict=True))
            assert 0.7 < lines[0].cap / unit < 2
            found += 1
    assert found > 15


def test_labels_follow_place_scale_and_edges() -> None:
    # 7 px high: read at 224 px alone, in patches of 8 px. The line begins 8 px into the tile's fourth row of patches.
    fine = labels(one_line("A1B", 32 + 8, 32 + 24.5, 7, 8))
    start = GRID.tokens - 28 * 28
    assert {n: name for n, name in fine.items() if name != "??"} == {
        start + 3 * 28 + 1: "A",
        start + 3 * 28 + 2: "1",
        start + 3 * 28 + 3: "B",
    }
    # Twice as high: at 112 px, where a patch is 16 px wide; the finest scale shows it too, and counts neither way.
    coarse = labels(one_line("A1B", 32 + 16, 32 + 49, 14, 16))
    assert {n for n, name in coarse.items() if name == "A"} == {16 + 64 + 3 * 14 + 1 - 0}
    assert all(name == "??" for n, name in coarse.items() if n >= start)
    # Half as wide: two in a patch.
    both = labels(one_line("A1B", 32 + 8, 32 + 24.5, 7, 4))
    assert both[start + 3 * 28 + 1] == "A1" and both[start + 3 * 28 + 2] == "B"
    # Across the tile's left edge: of the cut character nothing is asked, the next one is.
    edge = labels(one_line("A1B", 32 - 4, 32 + 24.5, 7, 8))
    assert edge[start + 3 * 28] in ("?", "?1", "1") and "B" in edge.values() and "A" not in edge.values()
    assert not labels(one_line("A1B", 32 + 8, 32 + 24.5, 2, 2))


def test_gazed_patches_are_four_of_the_encoders() -> None:
    cells = np.zeros((1, 265), bool)
    cells[0, 264] = True  # the last of the finest scale
    assert np.flatnonzero(masks(cells, TILES)[0]).tolist() == [1060 - 30, 1060 - 29, 1060 - 2, 1060 - 1]
    assert sorted(TILES.quarters.flatten()) == list(range(GRID.tokens))


def test_training_sees_as_the_model_does(reader: Reader, wide: Pictures) -> None:
    """Features of a picture's tiles are what `NVILAHD.encode` would make of them, in its order."""
    corners = np.array([[left, top] for left in range(0, 897, 224) for top in (0, 224)])  # of all of it
    picked, tables = np.zeros(10, int), np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(10, 0)
    pixels = cut(wide, picked, corners, tables, 224)
    seen = torch.from_numpy(masks(np.logical_or.reduce(shown(wide, picked, corners, TILES).cells, 1), TILES))
    assert seen.any()
    gaze = Gaze.from_masks(seen[:, None], GRID.scales, GRID.patch_size)
    with torch.no_grad():
        mine = reader.model.projector(reader.see(pixels.clone(), seen))
        own = reader.model.encode(ClipBatch("tile", 0, 0, pixels[:, None].clone(), gaze))
    torch.testing.assert_close(mine, own)


def test_whole_frames_are_seen_as_the_baseline_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are in the patches of a squeezed frame, features those of `nvila_video`'s."""
    monkeypatch.setattr(looks, "BESIDE", 1)
    frames, baseline = pictures(range(2), FRAMES, 1), replace(shape("mini-video"), random=False)
    reader = Reader.fresh(baseline, 0).eval()
    (one,) = looks.looked(frames, reader, 1, 0)[:1]
    features, letters = one.looks[0]
    assert len(letters) == 56 * 56 and (letters > 0).any()
    at, lines = np.flatnonzero((letters[:, 0] > 0).numpy()), frames.lines[0]
    for row, column in zip(*divmod(at, 56), strict=True):
        inside = (lines[:, :2] <= [8 * column + 8, 8 * row + 8]) & (lines[:, 2:4] >= [8 * column, 8 * row])
        assert (inside.all(1) & (lines[:, 4] > 6)).any(), (row, column)
    draw = np.random.default_rng([0, 0, 0, 31])
    draw.random(28 * 28)  # which patches beside the lines: all of them
    level = shades(draw, 1)[0]
    pixels = torch.from_numpy(level[frames.pixels[0]]).permute(2, 0, 1)[None, None]
    gaze = Gaze.from_masks(torch.ones(1, 1, 56 * 56, dtype=torch.bool), (448,), 8)
    with torch.no_grad():
        own = reader.model.encode(ClipBatch("tile", 0, 0, pixels, gaze))
        torch.testing.assert_close(reader.model.projector(features.float()), own, atol=2e-2, rtol=2e-2)


def test_pictures_are_asked_about_lines_of_which_every_look_shows_what_tells(
    reader: Reader, wide: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "MISSED", 0)
    found, again = (looks.looked(wide, reader, 2, 0) for _ in range(2))
    asks = spelled = 0
    for one, same in zip(found, again, strict=True):
        assert torch.equal(one.looks[1][0], same.looks[1][0])
        for features, letters in one.looks:
            assert features.shape == (len(letters), 48) and features.dtype == torch.float16
            there = {ALPHABET[c] for c in letters.flatten() if c > 0}
            for four, right in one.asks:
                telling = {
                    four[right][n] for n in range(len(four[right])) if len({one[n] for one in four}) > 1
                }
                asks, spelled = asks + 1, spelled + (telling <= there)
        assert all(len(set(four)) == 4 for four, _ in one.asks)
    assert asks > 10 and spelled > 0.9 * asks  # of three characters in a patch, one has no room


def test_options_are_symmetric_and_prompts_are_the_tokenizers() -> None:
    draw, places = np.random.default_rng(0), np.zeros(4, int)
    for _ in range(2000):
        four = options(draw)
        assert len(set(four)) == 4 and len({len(one) for one in four}) == 1
        places[four.index(sorted(four)[0])] += 1  # no place tells which look-alike stands there
    assert (places > 400).all()
    right = np.zeros(4, int)
    for n in range(400):
        four = options(draw)
        asked = question(four, n % 4, draw)
        right[asked.right] += 1
        prompt = reading_tokenizer().decode(asked.ids)
        assert reading_tokenizer().encode(prompt).ids == asked.ids
        assert f"\n {'ABCD'[asked.right]}. {four[n % 4]}\n" in prompt
        assert reading_tokenizer().decode([asked.ids[k] for k in asked.told]) == "".join(
            prompt.partition(f" {letter}. ")[2].partition("\n")[0] for letter in "ABCD"
        )
    assert (right > 60).all()


def row(letters: torch.Tensor, *texts: Text) -> Row:
    return Row(letters, list(texts))


def test_a_token_that_stands_for_three_counts_as_three(reader: Reader) -> None:
    """Without positions, a text finds the same in three equal tokens as in one that stands for them."""
    text = question(options(np.random.default_rng(0)), 1, np.random.default_rng(0))
    one, other = torch.tensor([[5, 0]]), torch.tensor([[9, 7]])
    thrice = row(torch.cat([one, one, one, other]), text)
    once = Row(torch.cat([one, other]), [text], torch.tensor([3.0, 1.0]))
    found = []
    for rows in ([thrice], [once]):
        batch = collate(rows, np.random.default_rng(0), 0)
        words = reader.model.llm.get_input_embeddings()(batch.ids)
        embeds = torch.cat([reader.tell(batch.seen), words], 1)
        with torch.no_grad():
            found.append(
                reader.read(embeds, torch.zeros_like(batch.positions), batch.sees)[0, -len(text.ids) :]
            )
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)


def test_texts_see_what_is_seen_and_themselves(reader: Reader) -> None:
    """A text's loss is the same whatever stands beside it, and hangs on every token seen but no padding."""
    draw = np.random.default_rng(0)
    texts = [question(options(draw), 2, draw), echo(["ABC 12", "XY 3"]), question(options(draw), 0, draw)]
    letters = torch.tensor([[1, 0], [2, 3], [0, 0], [30, 0]])

    def hidden(*chosen: Text) -> torch.Tensor:
        rows = [row(letters, *chosen), row(letters.repeat(3, 1), texts[1])]
        batch = collate(rows, np.random.default_rng(1), 50)
        words = reader.model.llm.get_input_embeddings()(batch.ids)
        out = reader.read(torch.cat([reader.tell(batch.seen), words], 1), batch.positions, batch.sees)
        start = batch.seen.shape[1] + sum(len(one.ids) for one in chosen[:-1])
        return out[0, start : start + len(chosen[-1].ids)]

    with torch.no_grad():
        alone, beside = hidden(texts[2]), hidden(*texts)
    torch.testing.assert_close(alone, beside, atol=1e-4, rtol=1e-4)
    seen = reader.tell(torch.cat([letters, letters])[None]).detach().requires_grad_()
    batch = collate([row(torch.cat([letters, letters]), *texts)], draw, 50)
    loss, figures = study(reader, seen, batch)
    loss.backward()
    assert (seen.grad[0].abs().sum(-1) > 0).all() and set(figures) == {"spelled", "options", "flagged"}


def test_who_sees_nothing_answers_by_chance(reader: Reader) -> None:
    """Trained on questions before which nothing stands that tells, a language model finds nothing in them."""
    reader.teach("model.llm", "flag")
    optimizer = torch.optim.AdamW([x for x in reader.parameters() if x.requires_grad], lr=2e-3)
    blank = torch.zeros(1, 2, dtype=torch.long)

    def batch(draw: np.random.Generator, count: int) -> Any:
        return collate(
            [row(blank, question(options(draw), int(draw.integers(4)), draw)) for _ in range(count)], draw, 50
        )

    for step in range(25):
        asked = batch(np.random.default_rng([0, step]), 8)
        optimizer.zero_grad()
        study(reader, reader.tell(asked.seen), asked)[0].backward()
        optimizer.step()
    with torch.no_grad():
        asked = batch(np.random.default_rng(5), 400)
        figures = study(reader, reader.tell(asked.seen), asked)[1]
    assert 0.15 < float(figures["options"]) < 0.35 and 0.15 < float(figures["flagged"]) < 0.35


def test_first_layers_begin_by_looking_at_neighbours(reader: Reader) -> None:
    """A head of the encoder asks for its offset by positions alone, one of the language model for a token before."""
    attention: Any = reader.model.vision.vision_model.encoder.layers[0].self_attn
    places = reader.model.vision.vision_model.embeddings.position_embedding.weight
    norm = torch.nn.functional.layer_norm(places, places.shape[1:])
    with torch.no_grad():
        asks, keys = (
            project(norm).unflatten(-1, (2, -1)) for project in (attention.q_proj, attention.k_proj)
        )
    for head in range(2):
        row, column = NEIGHBOURS[head]
        best = (asks[:, head] @ keys[:, head].T).argmax(-1).view(28, 28)[4:-4, 4:-4]
        wanted = torch.arange(28 * 28).view(28, 28) + 28 * row + column
        assert (best == wanted[4:-4, 4:-4]).float().mean() > 0.5
    llm = reader.model.llm.model
    words = torch.randint(0, 500, (1, 30), generator=torch.Generator().manual_seed(0))
    llm.config._attn_implementation = "eager"
    with torch.no_grad():
        seen = llm(input_ids=words, output_attentions=True, use_cache=False).attentions[0][0]
    for head in range(2):
        assert (seen[head, 8:].argmax(-1) == torch.arange(8, 30) - head - 1).float().mean() > 0.8


def test_lines_are_laid_out_as_patches_show_them() -> None:
    draw = np.random.default_rng(0)
    assert language.laid("AB 1", Lesson(until=1), draw) == [(1, 0), (2, 0), (0, 0), (28, 0)]
    clean = Lesson(until=1, hard=1)
    for _ in range(50):
        seen = language.laid("XYZ 56", clean, draw)
        spelled = [c for two in seen for c in two if c]
        assert spelled == [c for c in classes("XYZ56") if c in spelled] and len(spelled) >= 3


def test_three_runs_make_a_model_that_answers_and_a_killed_one_goes_on(tmp_path: Path) -> None:
    few: dict[str, dict[str, Any]] = {
        "characters": {"characters__squares": 6, "characters__gazed": (8, 8)},
        "language": {"language__lessons": [LESSON.model_dump(), {**LESSON.model_dump(), "echoes": 1.0}]},
        "answers": {"answers__pictures": 4, "answers__alone": 0.4},
    }
    few["answers"]["init"] = [tmp_path / "characters", tmp_path / "language"]
    for name, changes in few.items():
        train(settings(name, tmp_path / name, **changes))
        killed = settings(name, tmp_path / f"{name} killed", **changes)
        train(killed, stop_after=2)
        train(killed)
        whole, resumed = (load_file(str(run / TAUGHT)) for run in (tmp_path / name, killed.out))
        assert whole and all(torch.equal(whole[key], resumed[key]) for key in whole)
        assert [entry["step"] for entry in entries(killed.out / "metrics.jsonl")] == [0, 1, 2]
        assert [entry["step"] for entry in entries(killed.out / "validation.jsonl")] == [0, 3]
    taught = {name: set(load_file(str(tmp_path / name / TAUGHT))) for name in few}
    assert "table" in taught["language"] and all("vision" in x or "head" in x for x in taught["characters"])
    assert not any("vision" in x for x in taught["answers"] | taught["language"])
    assert len(list((tmp_path / "characters" / "pictures").glob("*.png"))) == 2
    assert "options with pictures swapped" in entries(tmp_path / "answers" / "validation.jsonl")[-1]
    answerer = Answerer.from_pretrained(tmp_path / "answers" / "model")
    assert not answerer.model.config.random
    look = Look(plan_video(448, 224, 16, answerer.settings, 224), Seen(torch.zeros(3, 48), 3, 3), {})
    assert answerer.ask(look, f"{VIDEO_TOKEN}\n\nA. B or B. A?", 4, ["A", "B"]).text in ("A", "B")
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        train(settings("language", tmp_path / "language", seed=1))
    with pytest.raises(TrainingError, match=r"nobody taught model\.llm, table; name a run of characters"):
        train(settings("answers", tmp_path / "x", init=[tmp_path / "characters"]))
    with pytest.raises(TrainingError, match="finish that run first"):
        train(settings("answers", tmp_path / "x", init=[tmp_path / "nowhere"]))


def test_the_baseline_is_taught_alike(tmp_path: Path) -> None:
    """It begins with an encoder of tiles, but for its positions; `nvila_video` loads what comes out."""
    train(settings("characters", tmp_path / "tiles", characters__squares=2, steps=1))
    train(settings("language", tmp_path / "told", language__lessons=[LESSON.model_dump()], steps=1))
    train(
        settings(
            "video-characters",
            tmp_path / "frames",
            init=[tmp_path / "tiles"],
            characters__squares=2,
            held_out=2,
        )
    )
    tiles, frames = (load_file(str(tmp_path / run / TAUGHT)) for run in ("tiles", "frames"))
    assert len(frames[PLACES]) == 56 * 56 and len(tiles[PLACES]) == 28 * 28 and set(tiles) == set(frames)
    runs = [tmp_path / "frames", tmp_path / "told"]
    train(settings("video-answers", tmp_path / "out", init=runs, answers__pictures=4, held_out=2))
    config = NVILAConfig.from_pretrained(tmp_path / "out" / "model")
    assert config.single_scale(448) == config and not config.random
    with pytest.raises(TrainingError, match=r"position_embedding\.weight does not fit the shape"):
        train(settings("characters", tmp_path / "x", init=[tmp_path / "frames"], characters__squares=2))


def test_losses_fall(tmp_path: Path) -> None:
    rate = {"optimizer__warmup": 1, "optimizer__rate": 0.01, "optimizer__matrices": 0.01, "steps": 20}
    for name, few in (
        ("characters", {"characters__squares": 4, "batch": 4}),
        ("language", {"language__lessons": [{"until": 1.0, "lines": 1, "echoes": 1.0}], "batch": 4}),
    ):
        train(settings(name, tmp_path / name, **{**rate, **few}, checkpoint_every=99, validate_every=99))
        losses = [entry["loss"] for entry in entries(tmp_path / name / "metrics.jsonl")]
        assert np.mean(losses[-3:]) < 0.8 * losses[0]


def test_a_configuration_teaches_one_thing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="found characters and answers"):
        settings("characters", tmp_path, answers__pictures=3)


def test_the_shape_is_small_and_has_room_for_every_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sum(parameter_count(shape("mini")).values()) < 12e6 / 2
    assert shape("mini").llm["vocab_size"] == reading_tokenizer().get_vocab_size()
