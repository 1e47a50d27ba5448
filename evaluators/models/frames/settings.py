"""What a user asks of `hlvid_frames`, and the form in which an inner model takes frames.

>>> settings, inner = FrameSettings.read({"inner": "qwen2_5_vl", "frames": 64, "resolution": 1792, "pretrained": "Q"})
>>> settings.frames, inner
(64, {'pretrained': 'Q'})
>>> form_of("qwen2_5_vl").multiple        # its pictures are whole patches of 2 x 14 px
28

Every argument that is not one of `FrameSettings` goes to the inner model as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from evaluators.core.arguments import STRICT, read
from hlvid.errors import RunError
from hlvid.video.sampling import Sampling

Count = Annotated[int, Field(ge=1)]
Resolution = Annotated[int, Field(ge=2, le=10**5)]
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Form:
    """How a model of lmms-eval takes frames.

    count: its argument for the number of frames; pixels: those for the least and the most pixels of a frame;
    multiple: height and width have to be multiples of this (patch x merge); square: frames are squeezed to
    a square; fixed: arguments without which it does not read videos or would sample on its own.
    """

    count: str | None = None
    pixels: tuple[str, str] | None = None
    multiple: int = 2
    square: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)


FORMS = {
    "qwen2_vl": Form("max_num_frames", ("min_pixels", "max_pixels"), multiple=28),
    "qwen2_5_vl": Form("max_num_frames", ("min_pixels", "max_pixels"), multiple=28),
    "qwen3_vl": Form("max_num_frames", ("min_pixels", "max_pixels"), multiple=32),
    "llava_hf": Form("max_frames_num", square=True),
    "llava_onevision": Form("max_frames_num", square=True),
    "internvl_hf": Form("num_frames", square=True),
    "vila": Form("max_frames_num", square=True),
    "videollama3": Form("max_num_frames", multiple=28, fixed={"use_custom_video_loader": True}),
    "videochat_flash": Form("max_num_frames", square=True),
}
"""By `--model` name. A name that is not here still works: frames keep their aspect, and the audit decides."""


def form_of(inner: str) -> Form:
    """The form of a model; the plain one for a model we know nothing of."""
    return FORMS.get(inner, Form())


@checked(frozen=True, config=STRICT)
class FrameSettings:
    """What was asked.

    inner: a model of lmms-eval. frames: how many, or with `fps` at most how many. resolution: long side in
    px; the side of the square for models that take squares. fps: frames a
    second instead of a fixed count. shape: "auto" is what `form_of` knows. allow_resize: accept (and record)
    frames that the model's processor changes.
    """

    inner: str
    frames: Count
    resolution: Resolution
    sampling: Sampling = "uniform_linspace"
    fps: Positive | None = None
    shape: Literal["auto", "aspect", "square"] = "auto"
    allow_resize: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any], model: str = "hlvid_frames") -> tuple[Self, dict[str, Any]]:
        """From `--model_args`; also returns what is left for the inner model.

        Raises:
            RunError: an argument is missing or not allowed; named, with its value and what is.
        """
        names = {one.name for one in fields(cls)}
        own = {name: value for name, value in given.items() if name in names}
        settings = read(cls, model, own, "inner=qwen2_5_vl,frames=64,resolution=1792")
        rest = {name: value for name, value in given.items() if name not in names}
        _no_second_say(model, settings.inner, rest)
        return settings, rest

    def form(self) -> Form:
        """The inner model's form, with `shape` applied."""
        known = form_of(self.inner)
        if self.shape == "auto":
            return known
        square = self.shape == "square"
        return Form(known.count, known.pixels, known.multiple, square, known.fixed)


def _no_second_say(model: str, inner: str, rest: Mapping[str, Any]) -> None:
    """Frames and pixels are set in one place only, or the audit would not know what was asked."""
    form = form_of(inner)
    for name in (form.count, *(form.pixels or ())):
        if name in rest:
            raise RunError(f"{model}: {name} is set by frames= and resolution=; leave it out")
