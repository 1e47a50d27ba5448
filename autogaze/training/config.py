"""What a training run is: one YAML file, checked before anything starts.

`autogaze/training/configs/` holds `ntp` and `grpo` (the paper's values) and `ntp-cpu...`, `grpo-cpu` (what two CPU
cores manage). Every departure from the paper is an entry with a comment in those files.
"""

import hashlib
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CONFIGS = Path(__file__).parent / "configs"


class TrainingError(ValueError):
    """A run that cannot start or go on; the message names the entry or file, and what to do."""


class Strict(BaseModel):
    """No entry that is not known, none that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Optimizer(Strict):
    """kind: adam, adamw or muon. rate: peak learning rate. clip: largest norm of the gradient, None for no limit.

    matrices: peak rate of those matrices that muon turns, which it needs and the others do not have.
    """

    kind: Literal["adam", "adamw", "muon"] = "adam"
    rate: float = Field(5e-4, gt=0)
    matrices: float | None = Field(None, gt=0)
    shape: Literal["linear", "cosine", "constant", "held"] = "linear"
    warmup: int = Field(0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)
    clip: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _both_rates(self) -> Self:
        if (self.kind == "muon") != (self.matrices is not None):
            raise ValueError(
                f"kind {self.kind}, matrices {self.matrices}: muon has two rates, the others one"
            )
        return self


class Ntp(Strict):
    """Next-token prediction.

    objective: what gains and own lists are told by, paste or text (`objectives`); the labels' own, or nothing fits.
    gain: temperature of targets by gain: what each token would save there, relative to the best; 0 is the paper's
    one-hot target.
    own: share of clips whose list the network writes itself, to learn what follows its own choices; needs gain.
    own_ratios, own_temperature: what these lists' mean gazing ratio and sampling temperature are drawn from.
    dense: every gaze token predicts the ten after it, not only the last of each group.
    loss_weight: of the squared error of the predicted losses beside the cross-entropy.
    """

    objective: Literal["paste", "text"] = "paste"
    gain: float = Field(0.0, ge=0)
    own: float = Field(0.0, ge=0, le=1)
    own_ratios: tuple[float, float] = (0.02, 0.2)
    own_temperature: tuple[float, float] = (0.1, 0.7)
    dense: bool = False
    loss_weight: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.own and not self.gain:
            raise ValueError(
                f"own {self.own:g} without gain: no search says what to do after the network's own tokens"
            )
        return self


class Grpo(Strict):
    """Group-relative policy optimisation, without KL, without division by standard deviation or length.

    counts: "threshold" lets one roll-out at a threshold drawn from `thresholds` fix each frame's count, which
    its group shares (paper); "schedule" draws counts as the labels' were drawn, which an untrained loss
    prediction cannot spoil.
    reward_frames: how many random frames of a clip are rewarded; 0 for all.
    temperature: of sampling, at the first and the last step. top_k: drawn from among so many most probable tokens;
    None from all. The released scripts draw through transformers, whose default is 50.
    cuts: share of clips that turn into another one at a random frame, for what a scene cut late in a clip demands.
    reward: minus this loss: "paste" (L1 of the pasted picture), "text" (lines unread) or "videomae:FOLDER", the
    published reconstruction.
    features: checkpoints, dinov2 and siglip2, whose features the published loss compares beside pixels, at weight 0.3.
    """

    group: int = Field(12, ge=2)
    discount: float = Field(0.995, gt=0, le=1)
    reward_frames: int = Field(2, ge=0)
    counts: Literal["threshold", "schedule"] = "threshold"
    thresholds: tuple[float, float] = (0.5, 1.0)
    ratios: tuple[float, float] = (0.02, 0.2)
    temperature: tuple[float, float] = (1.0, 1.0)
    top_k: int | None = Field(None, ge=10)
    cuts: float = Field(0.0, ge=0, le=1)
    loss_weight: float = Field(1.0, ge=0)
    reward: str = Field("paste", pattern=r"^(paste|text|videomae:.+)$")
    features: dict[str, str] = {}


class RunConfig(Strict):
    """What every run of `training.loop` has.

    out: folder of the run. seed: of all that is drawn. batch: clips or pictures a process and micro-step; accumulate:
    micro-steps a step. A state is written every `checkpoint_every` steps, a look taken every `validate_every`.
    """

    out: Path
    seed: int = Field(0, ge=0)
    steps: int = Field(gt=0)
    batch: int = Field(gt=0)
    accumulate: int = Field(1, gt=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    device: str = "cpu"
    optimizer: Optimizer = Optimizer()
    checkpoint_every: int = Field(100, gt=0)
    validate_every: int = Field(500, gt=0)

    apart: ClassVar[frozenset[str]] = frozenset({"out", "device", "checkpoint_every", "validate_every"})
    """Entries that do not shape the weights."""

    def key(self) -> str:
        """16 hex digits over everything that shapes the weights; a run resumes only under its own key."""
        return hashlib.sha256(self.model_dump_json(exclude=set(self.apart)).encode()).hexdigest()[:16]

    def own_key(self) -> str:
        """`key`, wherever the run computes: a state may go on on another device."""
        return self.model_copy(update={"device": "cpu"}).key()


class TrainConfig(RunConfig):
    """One run of AutoGaze's.

    labels: folder of labelled clips (`hlvid train labels`); GRPO uses their frames alone. init: checkpoint folder to
    start from, None for random weights. frames: clip lengths, one of which is drawn each micro-step; 0 is the
    labels' own length, and more than that is for GRPO and lists of the network's own (`ntp.own`), for which a clip
    runs there and back. memory: the pasted picture remembers what earlier frames saw. validation: folder of
    labelled clips or videos kept apart, looked at every `validate_every` steps at `ratios`, and
    for the ratio that is spent where a frame is done once its predicted loss is `validate_stop`.
    """

    stage: Literal["ntp", "grpo"]
    labels: Path
    init: Path | None = None
    frames: tuple[int, ...] = (0,)
    flip: bool = True
    memory: bool = True
    ntp: Ntp = Ntp()
    grpo: Grpo = Grpo()
    validation: Path | None = None
    validate_clips: int = Field(16, gt=0)
    validate_stop: float | None = Field(None, gt=0)
    ratios: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)

    apart = RunConfig.apart | {"validation", "validate_clips", "validate_stop", "ratios"}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        low, high = self.grpo.ratios
        if not 0 < low <= high <= 1:
            raise ValueError(f"grpo.ratios {self.grpo.ratios}: expected 0 < low <= high <= 1")
        if any(not 0 < ratio <= 1 for ratio in self.ratios) or any(n < 0 or n > 16 for n in self.frames):
            raise ValueError("ratios must lie in (0, 1] and frames in 0 to 16")
        return self


Run = TypeVar("Run", bound=RunConfig)


def load(source: str | Path, **changes: Any) -> TrainConfig:
    """A run of AutoGaze's; see `read`."""
    return read(TrainConfig, source, **changes)


def read(kind: type[Run], source: str | Path, **changes: Any) -> Run:
    """Read a YAML file, or the bundled one of that name, with `changes` over it.

    changes: entries by name, nested ones as `optimizer__rate`; None leaves the file's value.
    Raises TrainingError naming file and entry.
    """
    path = CONFIGS / f"{source}.yaml"
    if not path.is_file():
        path = Path(source)
    if not path.is_file():
        bundled = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise TrainingError(f"config {source}: no such file; bundled are {bundled}")
    try:
        data = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise TrainingError(f"config {path}: not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(data, dict):
        raise TrainingError(f"config {path}: expected entries, found {type(data).__name__}")
    for name, value in changes.items():
        if value is not None:
            *sections, last = name.split("__")
            place = data
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = value
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"]) or "file"
        raise TrainingError(f"config {path}: {entry}: {first['msg']}") from error
