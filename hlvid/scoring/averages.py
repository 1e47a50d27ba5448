"""The mean of category accuracies, with an interval: what MVBench calls average and MLVU calls M-avg.

Rows are those of `hlvid.scoring.accuracy.summarize`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hlvid.scoring.accuracy import cluster_of
from hlvid.scoring.intervals import Interval, clustered

Row = Mapping[str, Any]


def category_mean(rows: Sequence[Row]) -> float:
    """Mean over the categories that occur of the share of right answers, 0 to 1; NaN without rows."""
    shares = []
    for category in dict.fromkeys(row["category"] for row in rows):
        answers = [float(row["correct"]) for row in rows if row["category"] == category]
        shares.append(sum(answers) / len(answers))
    return sum(shares) / len(shares) if shares else math.nan


def category_mean_interval(rows: Sequence[Row], *, level: float = 0.95) -> Interval:
    """Interval of `category_mean` if other videos had been asked about."""
    correct, videos = [float(row["correct"]) for row in rows], [cluster_of(row) for row in rows]
    return clustered(correct, videos, level, [row["category"] for row in rows])
