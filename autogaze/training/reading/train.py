"""Teaching a small NVILA-HD to read: characters first, then answers about a strip of tiles, then about long strips.

A run's folder holds `state.pt` (the newest step, from which the same call goes on), `metrics.jsonl` (a line every few
steps), `validation.jsonl` (held-out strips: characters, options by the letter, the same with videos swapped) and
`model/`, as `--model nvila_hd,pretrained=…` reads it. Nothing is drawn that a step's number does not decide.
"""

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from autogaze.nvila.model import NVILAHD
from autogaze.nvila.presets import shape
from autogaze.training import state
from autogaze.training.config import TrainingError
from autogaze.training.generator_sprites import texture
from autogaze.training.reading.config import Lesson, ReadingConfig
from autogaze.training.reading.glyphs import Atlas
from autogaze.training.reading.questions import Bank, questions
from autogaze.training.reading.reader import Reader, gaps
from autogaze.training.reading.strips import IGNORE, Strips, gaze, lay, paint
from autogaze.training.trail import Trail

LOG = 20
"""Steps between lines of the log: a GPU is waited for only then."""
WRITE = 30.0
"""Seconds between states of a run that is bounded by time."""
AGAIN = 0.4
"""Share of a strip's lines that say what another one says, as a text is seen again in later frames."""
WORD_PATCHES = 40
HELD_OUT = 1_000_003
"""Seed of what is never trained on."""


class Course:
    """Everything a step needs, on the device."""

    def __init__(self, config: ReadingConfig, reader: Reader) -> None:
        self.config, self.reader, self.device = config, reader, config.device
        self.grid, self.atlas = reader.model.config.vision.grid, Atlas.of(config.device)
        draw = np.random.default_rng([config.seed, 11])
        side = self.grid.scales[-1]
        pictures = [texture(draw, side, side).transpose(2, 0, 1) for _ in range(config.grounds)]
        self.grounds = torch.from_numpy(np.stack(pictures)).to(self.device)
        self.bank = questions(draw, config.questions).to(self.device)
        self.held = questions(np.random.default_rng(HELD_OUT), 2048).to(self.device)

    def autocast(self) -> AbstractContextManager[object]:
        """The configured precision of products."""
        return torch.autocast(
            self.device.partition(":")[0], torch.bfloat16, enabled=self.config.precision == "bfloat16"
        )

    def drawing(self, *names: int) -> torch.Generator:
        """Luck of its own for what these numbers name."""
        seed = int(np.random.SeedSequence([self.config.seed, *names]).generate_state(1)[0])
        return torch.Generator(self.device).manual_seed(seed)

    def strips(
        self, bank: Bank, count: int, tiles: int, lines: int, draw: torch.Generator
    ) -> tuple[Tensor, Tensor, Strips]:
        """Questions, right options and strips in which the last line is the asked one."""
        chosen, right = bank.some(count, draw)
        others = bank.asked(*bank.some(count * lines, draw)).view(count, lines, -1)
        again = torch.randint(lines, (count, lines), generator=draw, device=draw.device)
        same = torch.rand(count, lines, generator=draw, device=draw.device) < AGAIN
        text = torch.cat([others[:, :-1], bank.asked(chosen, right)[:, None]], 1)
        copied = text.gather(1, again[..., None].expand_as(text))
        text[:, :-1] = torch.where(same[:, :-1, None], copied[:, :-1], text[:, :-1])
        return chosen, right, lay(text, tiles, self.grid, self.atlas, draw)

    def look(
        self, bank: Bank, count: int, lesson: Lesson, draw: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Questions, right options, what is seen (B, T, K, hidden) of painted strips, and their letters."""
        chosen, right, strips = self.strips(bank, count, lesson.tiles, lesson.lines, draw)
        tokens, letters = gaze(strips, self.config.patches, draw)
        return chosen, right, self.reader.see(paint(strips, self.grounds, draw), tokens), letters

    def told(
        self, bank: Bank, count: int, tiles: int, lines: int, draw: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Questions about characters that the language model is told, a few of them wrong, all of them blurred."""
        chosen, right, strips = self.strips(bank, count, tiles, lines, draw)
        _, letters = gaze(strips, WORD_PATCHES, draw)
        chance = torch.rand(letters.shape, generator=draw, device=draw.device)
        other = torch.randint(1, 37, letters.shape, generator=draw, device=draw.device)
        seen = self.reader.told(torch.where((chance < 0.02) & (letters > 0), other, letters))
        blur = torch.randn(seen.shape, generator=draw, device=draw.device) * self.reader.table.detach().std()
        free = gaps(letters, draw)
        found = self.reader.answer((seen + 0.25 * blur).flatten(1, 2), bank, chosen, right, free)
        return {
            "loss": found.loss,
            "words": found.right.float().mean(),
            "words flagged": found.flagged.float().mean(),
        }

    def step(self, number: int, lesson: Lesson, batch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and figures."""
        draw = self.drawing(2, number)
        with self.autocast():
            chosen, right, seen, letters = self.look(self.bank, max(2, batch // lesson.tiles), lesson, draw)
            loss = self.reader.naming_loss(seen, letters)
            figures = {"characters": _right(self.reader.name(seen), letters)}
            if lesson.answers:
                free = gaps(seen, draw)
                found = self.reader.answer(seen.flatten(1, 2), self.bank, chosen, right, free)
                loss = loss + found.loss
                figures |= {"options": found.right.float().mean(), "flagged": found.flagged.float().mean()}
            if lesson.words:
                lines = 1 + number % lesson.lines  # one is the easiest, and comes again and again
                told = self.told(self.bank, lesson.words, lesson.tiles, lines, draw)
                loss = loss + told["loss"]
                figures |= {name: value for name, value in told.items() if name != "loss"}
        return loss, {"loss": loss.detach(), **{name: value.detach() for name, value in figures.items()}}

    @torch.no_grad()
    def judge(self, lesson: Lesson) -> dict[str, float]:
        """Held-out strips: shares of characters and lines named right, and of options chosen right."""
        draw, most = self.drawing(HELD_OUT), min(self.config.held_out, max(2, 256 // lesson.tiles))
        found: list[dict[str, Tensor]] = []
        for _ in range(-(-self.config.held_out // most)):
            with self.autocast():
                chosen, right, seen, letters = self.look(self.held, most, lesson, draw)
                own, swapped = (
                    self.reader.answer(shown.flatten(1, 2), self.held, chosen, right)
                    for shown in (seen, seen.roll(1, 0))
                )
                named = self.reader.name(seen).argmax(-1)
            asked = letters > 0
            good = ((named == letters) | (letters == IGNORE)).flatten(1).all(1)
            found.append(
                {
                    "characters": (named == letters)[asked].float().mean(),
                    "strips without a fault": good.float().mean(),
                    "options": own.right.float().mean(),
                    "options with videos swapped": swapped.right.float().mean(),
                    "words": self.told(self.held, most, lesson.tiles, lesson.lines, draw)["words"],
                }
            )
        return {name: float(torch.stack([one[name] for one in found]).mean()) for name in found[0]}


def train(config: ReadingConfig, stop_after: int | None = None) -> NVILAHD:
    """Run all lessons, or what is left of them; the model is saved in `out/model`.

    stop_after: leave after this many steps of this call, as if killed right after writing a state.
    """
    started = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        reader = Reader(NVILAHD.from_config(shape(config.shape), config.seed)).to(config.device).train()
    optimizer = torch.optim.AdamW(
        reader.parameters(),
        lr=config.optimizer.rate,
        betas=config.optimizer.betas,
        weight_decay=config.optimizer.weight_decay,
    )
    begin, before = _resume(reader, optimizer, config)
    course, trail, batch = Course(config, reader), Trail(config.out, begin), config.batch
    step, written, share = begin, started, 0.0
    end = config.steps if stop_after is None else min(config.steps, begin + stop_after)
    lesson = config.lesson(0.0)
    while step < end:
        spent = before + time.monotonic() - started
        share = max(step / config.steps, spent / config.seconds if config.seconds else 0.0)
        if share >= 1:
            break
        if config.lesson(share) is not lesson:
            trail.validation(step, course.judge(lesson))
            lesson = config.lesson(share)
        for group in optimizer.param_groups:
            group["lr"] = _rate(config, step, share)
        try:
            loss, figures = course.step(step, lesson, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError:
            batch, _ = max(2, batch // 2), optimizer.zero_grad(set_to_none=True)
            print(f"step {step}: out of memory, {batch} tiles a step from here on", flush=True)
            continue
        torch.nn.utils.clip_grad_norm_(reader.parameters(), config.optimizer.clip or float("inf"))
        optimizer.step()
        step += 1
        if step % LOG == 0 or step == end:
            said = {name: float(value) for name, value in figures.items()}
            if not np.isfinite(said["loss"]):
                raise TrainingError(f"step {step}: the loss is {said['loss']}; lower optimizer.rate")
            trail.step(step - 1, {**said, "seconds": before + time.monotonic() - started})
        late = config.seconds is not None and time.monotonic() - written > WRITE
        if step % config.checkpoint_every == 0 or step == end or late:
            _write_state(reader, optimizer, step, before + time.monotonic() - started, config)
            written = time.monotonic()
    trail.validation(step, {**course.judge(lesson), "seconds": before + time.monotonic() - started})
    trail.close()
    reader.model.config = shape(config.shape)
    reader.save(config.out / "model")
    return reader.model.eval()


def _rate(config: ReadingConfig, step: int, share: float) -> float:
    """Up within the warm-up, held, then down in a straight line to a fiftieth."""
    up = min(1.0, (step + 1) / max(1, config.optimizer.warmup))
    down = 1.0 if share <= config.hold else (1 - share) / (1 - config.hold)
    return config.optimizer.rate * up * max(0.02, down)


def _right(logits: Tensor, letters: Tensor) -> Tensor:
    """Share of the characters that are named right."""
    asked = letters > 0
    return ((logits.argmax(-1) == letters) & asked).sum() / asked.sum().clamp_min(1)


def _resume(reader: Reader, optimizer: torch.optim.Optimizer, config: ReadingConfig) -> tuple[int, float]:
    """Load the newest state, if there is one; the step to go on with, and seconds already spent."""
    found = state.resume(config.out / "state.pt", config.own_key(), reader, optimizer, config.device)
    return (int(found["step"]), float(found["seconds"])) if found else (0, 0.0)


def _write_state(
    reader: Reader, optimizer: torch.optim.Optimizer, step: int, seconds: float, config: ReadingConfig
) -> None:
    state.write(config.out / "state.pt", config.own_key(), reader, optimizer, step, seconds=seconds)
    (config.out / "config.json").write_text(json.dumps(config.model_dump(mode="json"), indent=2) + "\n")
