"""The arguments of `--model nvila_hd`, checked before anything is loaded; how to write a list without commas.

lmms-eval cuts `--model_args` at commas, so sixteen ratios are written as a sum of runs::

    gazing_ratio_tile=0.2+0.06x15            # 0.2 for the first frame of a clip, 0.06 for the other fifteen
    gazing_ratio_tile=[0.2]+[0.06]*15        # the same, as the published README has it
    task_loss_requirement_tile=none          # no requirement; leaving it out takes the checkpoint's own

>>> NvilaArguments.read({"pretrained": "ckpt", "gazing": "of"})
Traceback (most recent call last):
hlvid.errors.RunError: nvila_hd: gazing is 'of'; allowed: 'on' or 'off'
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.loading import ATTENTIONS, DEVICE_MAPS, QUANTIZATIONS, LLMOptions
from autogaze.nvila.settings import CHOICES, VideoSettings
from evaluators.core.arguments import STRICT, check_selector, one_of, read, refuse_unheeded
from hlvid.errors import RunError

_TERM = re.compile(
    r"\[?\s*(?P<value>[0-9.]+(?:e-?[0-9]+)?)\s*\]?\s*(?:[x*]\s*(?P<times>[0-9]+))?", re.IGNORECASE
)

NONE = "none"
MINI = "mini"
Given = Any
"""A value as lmms-eval hands it over: str, int, float, bool, or None where it was left out."""


@checked(frozen=True, config=STRICT)
class NvilaArguments:
    """None means that the argument was left out; the text "none" asks for no ratio or no requirement.

    pretrained: a folder or hub id, of ours or in the published layout, which is converted once; "mini" is the small one
        that comes with hlvid, or its baseline. revision: of a hub id.
    path: "auto", or "remote": let the code that the checkpoint brings answer.
    num_video_frames … task_loss_requirement_thumbnail, max_batch_size_autogaze, max_batch_size_siglip,
        autogaze_model_id: the published names.
    gazing: "on", or "off": every patch of every scale. selector: a name of `autogaze.selectors`; seed: of
        one that draws. choices: "letters" takes the likeliest option letter, "free" the generated text,
        "auto" means free unless the weights are random. dtype: "auto" is bfloat16 on a GPU, else float32.
    gaze_grid: "aligned", "released" or "quartered", gazing_budget: "tile" or "picture", resize: "decoder" or
        "pil", see `autogaze.nvila.settings`; left out, the checkpoint's own. on_overflow: what becomes of a question
        whose tokens exceed the context: "answer" it as the published code does, recording how many they are, or
        "refuse". attn_implementation, quantization, device_map: of the language model, see `autogaze.nvila.loading`.
    use_fast: handed to the published processor. reduction, keep: a method of `autogaze.nvila.reduction` and the
        share of visual tokens that it keeps; with gazing off, at one scale.
    """

    pretrained: str
    revision: str | None = None
    path: Literal["auto", "remote"] = "auto"
    num_video_frames: int | None = None
    num_video_frames_thumbnail: int | None = None
    max_tiles_video: int | None = None
    gazing_ratio_tile: Given = None
    gazing_ratio_thumbnail: Given = None
    task_loss_requirement_tile: Given = None
    task_loss_requirement_thumbnail: Given = None
    max_batch_size_autogaze: int | None = None
    max_batch_size_siglip: int | None = None
    autogaze_model_id: str | None = None
    gazing: Literal["on", "off"] = "on"
    selector: str | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] = 64
    choices: Literal["auto", "letters", "free"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    gaze_grid: str | None = None
    gazing_budget: str | None = None
    resize: str | None = None
    on_overflow: Literal["answer", "refuse"] = "answer"
    attn_implementation: str | None = None
    quantization: str | None = None
    device_map: str | None = None
    use_fast: bool | None = None
    reduction: str | None = None
    keep: Annotated[float, Field(gt=0, le=1)] | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], model: str = "nvila_hd") -> Self:
        """From `--model_args`. Raises RunError naming the argument, its value and what is allowed."""
        if not given.get("pretrained"):
            raise RunError(
                f"{model}: no checkpoint; give pretrained=FOLDER or a hub id, "
                "or pretrained=mini, the small one that comes with hlvid"
            )
        values = {**given, "pretrained": _folder(str(given["pretrained"]), model)}
        if isinstance(values.get("gazing"), bool):  # lmms-eval does not read on/off, but yaml does
            values["gazing"] = "on" if values["gazing"] else "off"
        arguments = read(cls, model, values)
        arguments._check(model)
        return arguments

    def video(self) -> dict[str, Any]:
        """What was given of the published video settings, read: ratios as numbers or tuples, "none" as None."""
        counts = ("num_video_frames", "num_video_frames_thumbnail", "max_tiles_video")
        return {
            **self.given(*counts, "max_batch_size_autogaze", *CHOICES),
            **{name: parse_ratio(value, name) for name, value in self.given(*RATIOS).items()},
            **{name: _parse_loss(value, name) for name, value in self.given(*LOSSES).items()},
        }

    def given(self, *names: str) -> dict[str, Any]:
        """Those of the names that were not left out, with their values."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def precision(self, device: str) -> str:
        """Of the weights, on this kind of device."""
        if self.dtype != "auto":
            return self.dtype
        return "bfloat16" if device == "cuda" else "float32"

    def llm(self) -> LLMOptions:
        """How the language model is loaded."""
        return LLMOptions(self.attn_implementation, self.quantization, self.device_map)

    def _check(self, model: str) -> None:
        chosen = {"attn_implementation": ATTENTIONS, "quantization": QUANTIZATIONS, "device_map": DEVICE_MAPS}
        allowed = {**CHOICES, **chosen}
        for name, value in self.given(*allowed).items():
            one_of(model, name, value, allowed[name])
        if self.selector is not None:
            check_selector(model, self.selector)
        if self.seed is not None:
            refuse_unheeded(model, self.selector or "autogaze", "seed", self.seed, "draws nothing")
        self._check_reduction(model)
        if self.gazing == "off":
            for name in self.given("selector", *RATIOS, *LOSSES):
                raise RunError(f"{model}: gazing is off, so {name} has no meaning; leave out one of the two")
        if self.selector == "everything":
            for name in self.given(*RATIOS):
                raise RunError(f"{model}: selector 'everything' looks at all patches; leave out {name}")
        if self.selector not in (None, "autogaze"):
            for name in LOSSES:
                if str(getattr(self, name) or NONE).lower() != NONE:
                    raise RunError(f"{model}: selector {self.selector!r} predicts no loss; leave out {name}")
        self._check_video(model)

    def _check_video(self, model: str) -> None:
        """What no checkpoint could do: the others' rules are those of its own settings."""
        given = self.video()
        if self.path == "remote":
            return
        if "num_video_frames" not in given:  # how many thumbnails there may be is the checkpoint's to say
            given.pop("num_video_frames_thumbnail", None)
        try:
            VideoSettings(**{"num_video_frames_thumbnail": 0, **given})
        except ValueError as error:
            raise RunError(f"{model}: {error}") from error

    def _check_reduction(self, model: str) -> None:
        """Both of reduction and keep, or none; and no gaze beside it."""
        if self.reduction is None:
            if self.keep is not None:
                raise RunError(f"{model}: keep is {self.keep!r}, but there is no reduction; name one")
            return
        from autogaze.nvila.reduction import names

        one_of(model, "reduction", self.reduction, names())
        if self.gazing != "off":
            raise RunError(f"{model}: reduction {self.reduction!r} needs every patch; add gazing=off")
        if self.keep is None:
            raise RunError(
                f"{model}: reduction {self.reduction!r} needs keep, the share of tokens that go on"
            )


RATIOS = ("gazing_ratio_tile", "gazing_ratio_thumbnail")
LOSSES = ("task_loss_requirement_tile", "task_loss_requirement_thumbnail")


def _folder(pretrained: str, model: str) -> str:
    """Where the checkpoint is: of "mini" the one that comes with hlvid, unless a folder here has that name."""
    if pretrained != MINI or Path(MINI).is_dir():
        return pretrained
    from autogaze.weights import bundled_nvila

    try:
        return str(bundled_nvila(whole=model == "nvila_video"))
    except CheckpointError as error:
        raise RunError(f"{model}: pretrained={MINI}: {error}") from error


def parse_ratio(given: Given, name: str = "ratio") -> float | tuple[float, ...] | None:
    """A number, a list, or text: "0.06", "0.2+0.06x15", "[0.2]+[0.06]*15", "none"."""
    if given is None or (isinstance(given, str) and given.strip().lower() == NONE):
        return None
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(float(value) for value in given)
    values, repeated = [], False
    for term in str(given).split("+"):
        match = _TERM.fullmatch(term.strip())
        if not match:
            raise RunError(
                f"{name} is {given!r}; allowed: a number, none, or a sum of runs such as 0.2+0.06x15"
            )
        values += [_float(match["value"], name, given)] * int(match["times"] or 1)
        repeated |= match["times"] is not None
    return tuple(values) if repeated or len(values) > 1 else values[0]


def _float(text: str, name: str, given: Given) -> float:
    try:
        return float(text)
    except ValueError:
        raise RunError(f"{name} is {given!r}: {text!r} is no number") from None


def _parse_loss(given: Given, name: str) -> float | None:
    if isinstance(given, str) and given.strip().lower() == NONE:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise RunError(f"{name} is {given!r}; allowed: a number or none")
    return float(given)
