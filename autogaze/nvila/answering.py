"""Asking a checkpoint about a video: look once, ask as often as you like.

The prompt is put into the checkpoint's chat template. What stands before the question, the video above all, is read
once by the language model and kept for the next question about the same look.
Also makes checkpoints with random weights, which need no download (`make_checkpoint`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from tokenizers import Tokenizer

from autogaze.model.autogaze import AutoGaze
from autogaze.nvila.config import VIDEO_TOKEN, NVILAConfig
from autogaze.nvila.language import Read
from autogaze.nvila.loading import LLMOptions
from autogaze.nvila.model import NVILAHD, Seen
from autogaze.nvila.presets import selector_shape, shape
from autogaze.nvila.processing import ClipBatch, FrameSource, VideoPlan, plan_video, stream
from autogaze.nvila.reduction.encoded import FASTV
from autogaze.nvila.sampling import GREEDY, Sampling
from autogaze.nvila.settings import VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.nvila.tokenizer import END, FILE, byte_tokenizer, load_tokenizer
from autogaze.selectors.autogaze import AutoGazeSelector
from autogaze.selectors.base import Selector
from autogaze.selectors.budget import Budget
from autogaze.selectors.told import Told


@dataclass(frozen=True)
class Look:
    """A video as seen: what was planned, what came of it, seconds for decode, selector and encoder.

    read: what the language model has read of a prompt with this video, by the ids before the question.
    """

    plan: VideoPlan
    seen: Seen
    seconds: dict[str, float]
    read: dict[tuple[int, ...], Read] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Reply:
    """An answer. tokens: of prompt and video together; said: of the text; seconds for prefill and generation.

    cut: the text was not at its end when its tokens were used up.
    """

    text: str
    tokens: int
    said: int
    cut: bool
    seconds: dict[str, float]


@dataclass(frozen=True)
class Answerer:
    """A model, its tokenizer, a selector (None: every patch is seen) and the settings to look with."""

    model: NVILAHD
    tokenizer: Tokenizer
    selector: Selector | None
    settings: VideoSettings

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        config: NVILAConfig | None = None,
        selector: Selector | None = None,
        settings: VideoSettings | None = None,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
        revision: str | None = None,
        llm: LLMOptions | None = None,
    ) -> Self:
        """A checkpoint of ours; `config` and `settings` are the checkpoint's unless given."""
        model = NVILAHD.from_pretrained(
            source, config=config, dtype=dtype, device=device, revision=revision, llm=llm
        )
        return cls(model, load_tokenizer(source, revision), selector, settings or model.config.video)

    def look(
        self,
        source: FrameSource,
        reserve: int | None = 512,
        watch: Callable[[ClipBatch], None] | None = None,
        tell: Callable[[VideoPlan], Told] | None = None,
    ) -> Look:
        """See a video. reserve: tokens kept free for prompt and answer. watch: is shown every batch of clips.

        tell: what the selector may ask for beside pixels, once it is known which frames are looked at.

        Raises ContextOverflowError as soon as there are more tokens than the context has room for; with None for
        `reserve` there is always room.
        """
        model, stages = self.model, Stages(self.model.device)
        plan = plan_video(source.width, source.height, source.frame_count, self.settings, model.config.tile)
        told = tell(plan) if tell else None
        clips = stream(source, plan, model.config, self.settings, self.selector, model.device, stages, told)
        room = None if reserve is None else model.config.context - reserve
        seen = model.see(_watched(clips, watch), room, stages)
        return Look(plan, seen, stages.seconds)

    def ask(
        self,
        look: Look,
        prompt: str,
        max_new_tokens: int = 64,
        choices: Sequence[str] | None = None,
        sampling: Sampling = GREEDY,
    ) -> Reply:
        """Answer a prompt that holds `<vila/video>` once.

        choices: texts of one token each, of which one is the answer; None for free text. sampling: the likeliest, or
        drawn.
        """
        stages = Stages(self.model.device)
        embeds, after = self._prepared(look, self.encode(prompt), stages)
        stop = self.model.config.stop or (self._token(END),)
        allowed = None if choices is None else [self._token(text) for text in choices]
        answer = self.model.generate(embeds, max_new_tokens, stop, allowed, stages, after, sampling)
        read = embeds.shape[1] + (after.length if after else 0)
        cut = choices is None and len(answer) >= max_new_tokens
        return Reply(self.tokenizer.decode(answer).strip(), read, len(answer), cut, stages.seconds)

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt in the checkpoint's chat template, the video's placeholder as one."""
        before, behind = self.model.config.chat
        ids: list[int] = self.tokenizer.encode(before + prompt + behind).ids
        return ids

    def logits(self, look: Look, prompt: str) -> torch.Tensor:
        """Logits (vocabulary,) of the answer's first token."""
        stages = Stages(self.model.device)
        embeds, after = self._prepared(look, self.encode(prompt), stages)
        try:
            return self.model.next_logits(embeds, after)
        finally:
            if after is not None:
                after.forget()

    def _prepared(self, look: Look, ids: list[int], stages: Stages) -> tuple[torch.Tensor, Read | None]:
        """What is still to be read, and what has been."""
        video, model = self._token(VIDEO_TOKEN), self.model
        end = ids.index(video) + 1 if video in ids else 0
        pruned = (
            model.reduction is not None and model.reduction.name == FASTV
        )  # by the whole prompt's attention
        if pruned or ids.count(video) != 1 or end == len(ids):
            return model.embed(ids, video, look.seen), None
        before = tuple(ids[:end])
        if before not in look.read:
            look.read.clear()
            look.read[before] = model.read(model.embed(before, video, look.seen), stages)
        return model.embed_text(ids[end:]), look.read[before]

    def prompt_tokens(self, prompt: str) -> int:
        """Tokens of a prompt in its template, the video's placeholder counted as one."""
        return len(self.encode(prompt))

    def _token(self, text: str) -> int:
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) != 1:
            raise ValueError(f"choices: {text!r} is {len(ids)} tokens, expected one")
        return int(ids[0])


def _watched(clips: Iterator[ClipBatch], watch: Callable[[ClipBatch], None] | None) -> Iterator[ClipBatch]:
    """The same batches, each shown to `watch` on its way."""
    for batch in clips:
        if watch is not None:
            watch(batch)
        yield batch


def published_selector(
    source: str | Path, config: NVILAConfig, device: str = "cpu", dtype: str = "float32"
) -> AutoGazeSelector:
    """The AutoGaze that a checkpoint names: a folder inside it, any other folder, or a hub id; else the bundled one."""
    inside = Path(source) / config.autogaze if config.autogaze else None
    checkpoint = inside if inside and inside.is_dir() else config.autogaze
    budget: Budget = "picture" if config.video.gazing_budget == "picture" else "tile"
    return AutoGazeSelector(checkpoint, device=device, dtype=dtype, budget=budget)


def make_checkpoint(folder: str | Path, name: str = "tiny", seed: int = 0) -> Path:
    """Write a checkpoint with random weights: model, byte-level tokenizer, AutoGaze. Same seed, same bytes.

    Raises ValueError for an unknown shape, or a folder that holds something else.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILE).is_file():
        raise ValueError(f"{folder}: not empty and no checkpoint; choose another folder")
    model = NVILAHD.from_config(replace(shape(name), autogaze="autogaze"), seed)
    model.save_pretrained(folder)
    byte_tokenizer().save(str(folder / FILE))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoGaze(selector_shape(name)).save_pretrained(folder / "autogaze")
    return folder
