"""What the browser needs to compare two entries exactly as `hlvid.scoring.compare` does.

Why in the browser: 500 entries make 124,750 pairs, too many to write down; their right and wrong answers are 134 kB.
Tests and interval are closed forms. What needs special functions (normal and t quantiles) or a simulation (power)
depends on the section alone and is computed here; `static/statistics.js` does the rest, and
`tests/leaderboard/site/test_compare.py` holds the two against each other.
"""

import math
from typing import Any

from scipy.special import ndtri

from hlvid.scoring.clusters import critical_value
from hlvid.scoring.intervals import wilson
from hlvid.scoring.power import POWER, effective_questions, recordings_needed, rule_factor
from hlvid.scoring.rule import together
from hlvid.scoring.table import Table

LEVEL = 0.95


def constants(table: Table) -> dict[str, Any]:
    """Numbers for `static/statistics.js`.

    `clusters` has the recording of each question as a running number; `largest_p` is the largest p (as it is)
    that Holm's correction over all `pairs` of the section rejects: which are shown, looked at together, is then plain.
    """
    numbers: dict[Any, int] = {}
    effective, factor = table.effective_clusters, rule_factor(table, LEVEL)
    return {
        "level": LEVEL,
        "clusters": [numbers.setdefault(cluster, len(numbers)) for cluster in table.clusters],
        "critical": critical_value(LEVEL, effective),
        "unseen": wilson(0, max(1, round(effective)), LEVEL).high,
        "z_level": float(ndtri(0.5 + LEVEL / 2)),
        "z_power": float(ndtri(POWER)),
        "weights": table.weights.tolist() if table.mean_of == "categories" else None,
        "mean_of": table.mean_of,
        "effective_questions": effective_questions(table.weights),
        "factor": factor if math.isfinite(factor) else None,
        "recordings_needed": recordings_needed(LEVEL),
        "pairs": math.comb(len(table.systems), 2),
        "largest_p": max(
            (p for p, corrected in together(table).values() if corrected < 1 - LEVEL), default=0.0
        ),
    }
