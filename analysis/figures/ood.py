"""Figure 6, in numbers: does the gaze hold on what it was not made for?

Example::

    hlvid figure ood --videos cctv/ --videos robot/ --videos styles/   # your own domains, one folder each
    hlvid figure ood                                                    # changed clips

Every clip is changed (blur, noise, night, haze, cartoon, hue, grey) without moving anything, so a robust gaze
stays where it was: IoU with the unchanged clip's gaze, set against that of an unrelated clip; and what the
gaze is worth on the changed clip: its loss over that of random gaze.
"""

from typing import TYPE_CHECKING, Any

from analysis import stats, style
from analysis.cache import cached
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

RATIO = 0.1


def make(inputs: Inputs) -> Made:
    """See the module."""
    from analysis.studies.clips import describe_clips, identity, load_clips
    from analysis.studies.held import measure

    selector, rival = inputs.looker(), inputs.named("random")
    count = max(2, inputs.clips // 2)  # every clip is gazed at once a change
    clips = load_clips(inputs, count)
    key = identity(inputs, count) | {"ratio": RATIO} | selector.settings()
    table = cached(inputs, "ood", key, lambda: measure(selector, rival, clips, RATIO))
    numbers = _numbers(table)
    caption = (
        f"Gaze under controlled changes of the clips. {inputs.describe(selector)} at a gazing ratio of {RATIO:.0%}, on "
        f"{describe_clips(clips, inputs)}; changed without moving anything. a: intersection over union of the "
        "patches chosen with those of the unchanged clip; dashed: with those of another clip, what no agreement "
        "looks like. b: loss with this gaze over the loss with random gaze of the same size on the same changed "
        f"clip (below 1: the gaze still earns its tokens). Bars: 95 %, clips drawn anew ({stats.DRAWS} draws)."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _numbers(table: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, part in table.groupby("change", sort=False):
        clusters = part.cluster.tolist()
        for measure in ("iou", "relative_loss", "loss", "ratio"):
            value = stats.mean(part[measure], clusters)
            rows.append(row("measured", name, measure=measure, **stats.ends(value)))
    return pd.DataFrame(rows)


def _draw(numbers: "pd.DataFrame") -> "Figure":
    figure, (left, right) = style.panels(1, 2, 2.6, sharey=True)
    names = [name for name in numbers.series.unique() if name not in ("unchanged", "another clip")]
    _dots(left, numbers, names, "iou")
    floor = numbers[(numbers.series == "another clip") & (numbers.measure == "iou")].value.iloc[0]
    left.axvline(floor, color=style.GREY, linestyle="--", linewidth=1)
    left.set(xlim=(0, 1.04), xlabel="IoU with the unchanged clip's gaze", title="same places?")
    _dots(right, numbers, ["unchanged", *names], "relative_loss")
    right.axvline(1, color=style.GREY, linestyle="--", linewidth=1)
    right.set(xlabel="loss / loss of random gaze", title="worth its tokens?", xlim=(0, None))
    left.set_yticks(range(len(names) + 1), ["unchanged", *names])
    left.invert_yaxis()
    style.letter([left, right])
    return figure


def _dots(axes: Any, numbers: "pd.DataFrame", names: list[str], measure: str) -> None:
    part = numbers[numbers.measure == measure].set_index("series")
    rows = part.loc[names]
    place = range(0 if "unchanged" in names else 1, len(names) + ("unchanged" not in names))
    axes.errorbar(
        rows.value, place, xerr=style.bars(rows.value, rows.low, rows.high), **style.line(0, linestyle="none")
    )
