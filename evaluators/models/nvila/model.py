"""`nvila_hd` and `nvila_video`: NVILA-HD on gazed tiles, and the plain baseline on whole frames.

Our own layout runs natively (`evaluators.models.nvila.native`); the published one is converted once, into the state
folder, and then does (`hlvid convert` does it beforehand, and checks it). With `path=remote` the code that a
checkpoint brings answers instead (`evaluators.models.nvila.remote`). All arguments are in
`evaluators.models.nvila.arguments`. A setting too large for the memory is recorded for the question, with one that
fits, and the run goes on; what exceeds the context is answered as published, and recorded.
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

from autogaze.nvila.sampling import Sampling
from autogaze.selectors.base import Selector
from autogaze.weights import bundled
from evaluators.core.arguments import take_common
from evaluators.core.base import Answer, JournalledModel, for_chat
from evaluators.core.weights import named_in
from evaluators.models.nvila.arguments import NvilaArguments
from evaluators.models.nvila.checkpoint import describe
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.tasks.arguments import model_looks_at


class Backend(Protocol):
    """A checkpoint that can be asked; `video` are its frames and tiles (`num_video_frames`).

    settings: all that shapes an answer, defaults filled in. selector_weights: where those of a selector of ours are
    from, beside AutoGaze's own. foreign_selector: one that is not ours.
    """

    kind: str
    video: Any
    arguments: NvilaArguments
    sampling: Sampling

    def settings(self) -> dict[str, Any]: ...
    def selector_weights(self) -> tuple[str, str | None] | None: ...
    def foreign_selector(self) -> Selector | None: ...
    def answer(self, question: Question) -> Answer: ...


class NvilaHD(JournalledModel):
    """See the module.

    Args:
        arguments: of `evaluators.models.nvila.arguments`, and those of `JournalledModel`.

    Raises:
        RunError: an unknown argument, a value that is not allowed, or a checkpoint that cannot be read.
    """

    name: ClassVar[str] = "nvila_hd"
    single: ClassVar[bool] = False
    obeys: ClassVar[frozenset[str]] = frozenset({"temperature", "top_p", "top_k"})
    libraries: ClassVar[tuple[str, ...]] = (
        "av",
        "bitsandbytes",
        "flash-attn",
        "numpy",
        "safetensors",
        "tokenizers",
        "torch",
        "transformers",
    )

    def __init__(self, **arguments: Any) -> None:
        common = take_common(arguments)
        super().__init__(**common)
        self.longest: int | None = arguments.get("max_new_tokens")
        self.arguments = NvilaArguments.read(arguments, self.name)
        given = self.arguments
        kind, config = describe(
            given.pretrained, given.revision, self.name, given.path, given.autogaze_model_id
        )
        self._config = config
        self.device = common.get("device") or _best_device()
        self.backend = _backend(kind, self.arguments, config, self.device, self.name, self.single)
        model_looks_at(self.backend.video.num_video_frames)

    def settings(self) -> dict[str, Any]:
        """Way of running the checkpoint, and all of its settings; the checkpoints are `checkpoints`."""
        settings = self.backend.settings()
        processor = {k: v for k, v in settings.pop("processor", {}).items() if k != GAZE}
        own = {name: value for name, value in settings.items() if name not in (GAZE, "device", "dtype")}
        if "video" in own:  # what goes together changes no gaze
            own["video"] = {k: v for k, v in own["video"].items() if k != "max_batch_size_autogaze"}
        told = {**own, "max_new_tokens": self.longest, "path": self.backend.kind}
        return {**told, "processor": processor} if processor else told

    def checkpoints(self) -> dict[str, tuple[str, str | None]]:
        """The model's, and that of AutoGaze where it looks."""
        pretrained = self.arguments.pretrained
        found: dict[str, tuple[str, str | None]] = {"pretrained": (pretrained, self.arguments.revision)}
        gaze = self.arguments.autogaze_model_id or self._config.get("autogaze")
        if gaze is None and self.arguments.selector in (None, "autogaze"):
            gaze = PUBLISHED_GAZE if self.backend.kind == "remote" else str(bundled())
        if gaze and not self.single and self.arguments.gazing == "on" and not _inside(gaze, pretrained):
            found[GAZE] = (gaze, None)
        if own := self.backend.selector_weights():
            found["selector"] = own
        return found | (named_in(self.foreign.settings()) if self.foreign else {})

    @cached_property
    def foreign(self) -> Selector | None:
        """A selector of other people."""
        return self.backend.foreign_selector()

    def sources(self) -> list[str]:
        return super().sources() + ([type(self.foreign).__module__] if self.foreign else [])

    def computing(self) -> dict[str, str]:
        return {**super().computing(), "dtype": str(self.backend.settings()["dtype"])}

    def answer(self, question: Question) -> Answer:
        """Text, empty where the setting was too large; see `details["outcome"]`."""
        asked = self.generation
        if self.longest is None and asked.get("max_new_tokens"):
            self.backend.arguments = replace(self.arguments, max_new_tokens=int(asked["max_new_tokens"]))
        self.backend.sampling = Sampling.of(asked)
        return self.backend.answer(question)


NvilaHDChat = for_chat(NvilaHD)


class NvilaVideo(NvilaHD):
    """NVILA-HD's own weights on whole frames of 448 px at one scale: no tiles, no gaze.

    Not the paper's baseline row: NVILA-8B-Video has another projector, pools eight frames into one, and another prompt.
    """

    name: ClassVar[str] = "nvila_video"
    single: ClassVar[bool] = True


NvilaVideoChat = for_chat(NvilaVideo)


GAZE, PUBLISHED_GAZE = "autogaze_model_id", "nvidia/AutoGaze"


def _inside(gaze: str, pretrained: str) -> bool:
    """Whether AutoGaze's weights are a folder of the checkpoint, and count with it."""
    return not Path(gaze).is_absolute() and (Path(pretrained) / gaze).is_dir()


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _backend(
    kind: str, arguments: NvilaArguments, config: dict[str, Any], device: str, model: str, single: bool
) -> Backend:
    if kind == "native":
        from evaluators.models.nvila.native import Native

        return Native(arguments, config, device, model, single)
    if single:
        raise RunError(
            f"{model}: path is 'remote'; whole frames are seen by weights of our layout alone, leave it out"
        )
    from evaluators.models.nvila.remote import Remote

    return Remote(arguments, config, device, model)
