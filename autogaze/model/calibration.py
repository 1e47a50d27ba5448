"""What a checkpoint's predicted loss is worth: from the loss somebody wants to the threshold that gets it.

The published model asked for 0.7 lands at 0.81 to 0.94: a predicted loss is an opinion. `hlvid train calibrate`
measures what it leads to and writes `calibration.json` beside the weights.
"""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """Thresholds tried and what came of them, ascending in `thresholds`.

    reached: mean reconstruction loss of the frames after stopping there. ratios: mean gazing ratio spent.
    metric: what the loss is, in words. clips: how many clips were measured. cap: gazing ratio at most.
    """

    thresholds: Sequence[float]
    reached: Sequence[float]
    ratios: Sequence[float]
    metric: str
    clips: int
    cap: float

    def __post_init__(self) -> None:
        sizes = {len(self.thresholds), len(self.reached), len(self.ratios)}
        if len(sizes) != 1 or sizes == {0} or list(self.thresholds) != sorted(self.thresholds):
            raise ValueError(
                f"calibration: {sorted(sizes)} thresholds, losses and ratios, expected as many of each, ascending"
            )

    def threshold(self, loss: float) -> float:
        """The predicted loss to stop at so that the frames' mean loss is `loss`.

        Between two measured points on a straight line; outside of them the nearest one.
        """
        reached: list[float] = []
        for value in self.reached:  # noise must not make a higher threshold look better than a lower one
            reached.append(max(value, reached[-1]) if reached else value)
        above = bisect_left(reached, loss)
        if above == 0:
            return self.thresholds[0]
        if above == len(reached):
            return self.thresholds[-1]
        low, high = reached[above - 1], reached[above]
        share = (loss - low) / (high - low)
        first, second = self.thresholds[above - 1], self.thresholds[above]
        return first + share * (second - first)

    def save(self, folder: str | Path) -> None:
        """Write `calibration.json` into a checkpoint's folder."""
        (Path(folder) / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> "Calibration":
        """Read a checkpoint's calibration. Raises ValueError where there is none, or it is damaged."""
        path = Path(folder) / FILE
        if not path.is_file():
            raise ValueError(f"checkpoint {folder}: no {FILE}; measure one with 'hlvid train calibrate'")
        try:
            return cls(**json.loads(path.read_text()))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a calibration ({error})") from error
