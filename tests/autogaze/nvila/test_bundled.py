"""The small NVILA-HD that comes with the package reads what is written in a picture, and answers by it alone."""

import random
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from autogaze.nvila.answering import Answerer
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.presets import shape
from autogaze.selectors import get
from autogaze.weights import bundled_nvila

LETTERS = "ABCD"
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"


class Picture:
    """Sixteen times the same frame, 896 x 448 px."""

    def __init__(self, text: str, place: tuple[int, int], size: int) -> None:
        image = Image.new("RGB", (896, 448), (40, 90, 60))
        draw = ImageDraw.Draw(image)
        draw.rectangle((place[0] - 12, place[1] - 10, place[0] + 8 * size, place[1] + 2 * size), fill="white")
        draw.text(place, text, "black", ImageFont.truetype(str(FONT), size))
        self.frame, (self.width, self.height), self.frame_count = np.asarray(image), image.size, 16

    def stream(self, indices: list[int], size: tuple[int, int] | None = None) -> object:
        shown = Image.fromarray(self.frame)
        shown = shown if size is None else shown.resize(size[::-1], Image.Resampling.BICUBIC)
        return iter([(index, np.asarray(shown)) for index in indices])


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    small = Answerer.from_pretrained(bundled_nvila(), selector=get("reads"))
    # A line takes some twenty gazed patches; the checkpoint's own ratio is for the 144 tiles of 4K.
    return replace(small, settings=replace(small.settings, gazing_ratio_tile=0.02))


def prompt(options: list[str]) -> str:
    listed = "".join(f" {letter}. {option}\n" for letter, option in zip(LETTERS, options, strict=True))
    asked = "Please answer directly with the letter of the correct answer."
    return f"<vila/video>\n\nWhat does the black text on the white poster say?\n{listed} {asked}"


def test_it_is_small(answerer: Answerer) -> None:
    assert sum(weight.numel() for weight in answerer.model.parameters()) <= 12_000_000
    assert sum(path.stat().st_size for path in bundled_nvila().rglob("*") if path.is_file()) <= 25_000_000
    config = NVILAConfig.from_pretrained(bundled_nvila())
    assert config == replace(shape("mini"), llm=config.llm) and dict(config.llm) == dict(shape("mini").llm)


def test_its_baseline_is_as_small_and_sees_whole_frames() -> None:
    config, preset = NVILAConfig.from_pretrained(bundled_nvila(whole=True)), shape("mini-video")
    assert config == replace(preset, llm=config.llm) and dict(config.llm) == dict(preset.llm)
    assert config.single_scale(448) == config and not config.random
    model = Answerer.from_pretrained(bundled_nvila(whole=True), selector=None).model
    assert sum(weight.numel() for weight in model.parameters()) <= 12_000_000


def test_it_reads_and_without_the_text_it_does_not_know(answerer: Answerer) -> None:
    draw, right, wrong_video = random.Random(3), 0, 0
    asked: list[tuple[list[str], int]] = []
    looks = []
    for word in ("HARBOR", "MINT", "VALLEY", "GATE", "SUGAR", "PLAZA"):
        options = [f"{word} {digit}4" for digit in draw.sample("3568", 4)]
        answer = draw.randrange(4)
        place = (draw.randrange(40, 500), draw.randrange(40, 330))
        looks.append(answerer.look(Picture(options[answer], place, draw.choice((10, 12, 20))), None))
        asked.append((options, answer))
    for n, (options, answer) in enumerate(asked):
        say = [answerer.ask(looks[k], prompt(options), 1, list(LETTERS)).text for k in (n, n - 1)]
        right += say[0] == LETTERS[answer]
        wrong_video += say[1] == LETTERS[answer]
    assert right >= 5 and wrong_video <= 4, (right, wrong_video)
