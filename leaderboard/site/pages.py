"""Jinja pages: one environment for all, everything a submitter wrote escaped.

Autoescape is on for every template and `| safe` is used nowhere; a forgotten variable is an error. Texts never reach
a script inside a page: what scripts need lies in `data/*.js` as JSON.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hlvid import __version__
from hlvid.scoring.accuracy import Accuracy, Interval

TRUST = {
    "reported": "From a paper. There are no predictions, so nothing could be checked.",
    "rescored": "Scored here from the predictions. That the model gave them is the submitter's word.",
    "reproduced": "Somebody else ran it again and a maintainer has looked at the log.",
}
OPENNESS = {"open_source": "open source", "open_weights": "open weights", "closed": "closed"}


def page(template: str, root: str = "", **values: Any) -> str:
    """Render a template; `root` leads from the page back to the site's root ("", "../../")."""
    shown = {
        "version": __version__,
        "trust_meaning": TRUST,
        "openness_text": OPENNESS,
        "served": False,
        "repository": None,
    }
    return environment().get_template(template).render(root=root, **{**shown, **values})


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of this package with our filters."""
    found = Environment(
        loader=PackageLoader("leaderboard.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"percent": percent, "ends": ends, "number": number, "bar": bar}
    return found


def percent(share: float) -> str:
    """0.4963 -> "49.6"; without the sign, which stands in the column's head."""
    return f"{100 * share:.1f}"


def ends(interval: Interval) -> str:
    """ "36.2 to 85.4"."""
    return f"{percent(interval.low)} to {percent(interval.high)}"


def number(value: float | None) -> str:
    """12000 -> "12,000", 0.486 -> "0.486"; a dash for what is not stated."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:,.3g}"


def bar(accuracy: Accuracy | Mapping[str, float]) -> dict[str, float]:
    """Places on a bar 100 wide: value, low, high."""
    if isinstance(accuracy, Accuracy):
        interval = accuracy.clustered
        return {"value": 100 * accuracy.value, "low": 100 * interval.low, "high": 100 * interval.high}
    return {name: 100 * accuracy[name] for name in ("value", "low", "high")}
