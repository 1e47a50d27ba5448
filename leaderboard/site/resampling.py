"""What the browser needs to compare two entries exactly as `hlvid.scoring.compare` does.

Example::

    constants(table)["generator"]             # the state of numpy's generator for seed 0, as hexadecimal numbers

Why in the browser: 500 entries make 124,750 pairs, too many to write down; their right and wrong answers are 134 kB.
The p-values are exact and need no draws. The interval does, so `static/statistics.js` repeats numpy's
generator (PCG64, Lemire's bounded integers) from the state given here: the same draws, the same quantiles, the
same sentence. What would need special functions (normal and t quantiles) depends on the section alone and is
computed here. `tests/leaderboard/site/test_compare.py` holds the two against each other.
"""

import math
from typing import Any, cast

import numpy as np
from scipy.special import ndtr, ndtri

from hlvid.scoring.intervals import FEW, wilson
from hlvid.scoring.power import POWER, effective_questions, recordings_needed, rule_factor
from hlvid.scoring.resampling import critical_value
from hlvid.scoring.table import Table

LEVEL = 0.95
DRAWS = 10_000
SEED = 0


def constants(table: Table) -> dict[str, Any]:
    """Numbers for `static/statistics.js`; `clusters` has the recording of each question as a running number."""
    numbers: dict[Any, int] = {}
    effective = table.effective_clusters
    critical, factor = critical_value(LEVEL, effective), rule_factor(table, LEVEL)
    return {
        "level": LEVEL,
        "draws": DRAWS,
        "clusters": [numbers.setdefault(cluster, len(numbers)) for cluster in table.clusters],
        "effective": effective,
        "few": FEW,
        "critical": critical,
        "tail": float(ndtr(-critical)),
        "unseen": wilson(0, max(1, round(effective)), LEVEL).high,
        "z_level": float(ndtri(0.5 + LEVEL / 2)),
        "z_power": float(ndtri(POWER)),
        "weights": table.weights.tolist() if table.mean_of == "categories" else None,
        "mean_of": table.mean_of,
        "effective_questions": effective_questions(table.weights),
        "factor": factor if math.isfinite(factor) else None,
        "recordings_needed": recordings_needed(LEVEL),
        "generator": generator_state(SEED),
    }


def generator_state(seed: int) -> dict[str, str]:
    """State and increment of `numpy.random.default_rng(seed)`, hexadecimal."""
    state = cast(dict[str, Any], np.random.default_rng(seed).bit_generator.state)["state"]
    return {"state": f"{state['state']:x}", "increment": f"{state['inc']:x}"}
