"""What a benchmark could show at all: the smallest difference likely to be found, and the questions it takes.

>>> round(minimum_detectable_difference(n=268, discordance=0.11), 3)      # 5.7 points, by McNemar's test
0.057
>>> questions_needed(difference=0.01, discordance=0.11)
8632

Only questions on which two systems disagree count, so the `discordance` (share of them) decides; formula of
Connor (1987), Biometrics 43:207: n d^2 = (z_a sqrt(D) + z_b sqrt(D - d^2))^2. It describes McNemar's test. The rule
of `hlvid.scoring.rule` asks for more, so the difference it needs is larger by a factor that depends on the
recordings alone; `rule_factor` measures it by simulating the rule itself.
"""

import math
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from hlvid.scoring.clusters import Floats
from hlvid.scoring.paired import least_p
from hlvid.scoring.rule import decide, intervals, p_values
from hlvid.scoring.table import Table

POWER = 0.8  # what is called "likely to be found"
MANY = 200  # effective recordings from which the rule finds what McNemar's test does (factor 1.00 to 1.03)
_RUNS, _HALVINGS, _LARGEST = 400, 7, 4.0


def minimum_detectable_difference(
    n: float,
    discordance: float,
    *,
    power: float = POWER,
    level: float = 0.95,
    design_effect: float = 1.0,
    factor: float = 1.0,
) -> float | None:
    """Smallest true difference of accuracy that a two-sided test at `level` finds with probability `power`.

    Args:
        n: questions (of weighted ones, how many equal ones say as much).
        discordance: share of questions that exactly one of the systems gets right, above 0 and up to 1.
        power: for example 0.8.
        level: 1 - significance level, for example 0.95.
        design_effect: variance inflation from questions sharing recordings (`paired_design_effect`); 1 for none.
        factor: how many times larger a difference the test needs than McNemar's (`rule_factor`); 1 for McNemar's.

    Returns:
        A difference, 0 to `discordance`; None where even one system winning every disagreement would
        not be found.
    """
    _check(discordance=discordance, power=power, level=level, design_effect=design_effect)
    if n < 1:
        raise ValueError(f"n is {n}; give at least 1 question")
    effective = design_effect * factor**2
    low, high = 0.0, discordance
    if math.isinf(factor) or power_of(high, n, discordance, level=level, design_effect=effective) < power:
        return None
    for _ in range(60):  # power grows with the difference: halve
        middle = (low + high) / 2
        enough = power_of(middle, n, discordance, level=level, design_effect=effective) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def power_of(
    difference: float, n: float, discordance: float, *, level: float = 0.95, design_effect: float = 1.0
) -> float:
    """Probability that McNemar's test finds a true `difference`, on the right side of 0."""
    _check(discordance=discordance, level=level, design_effect=design_effect)
    if not 0 <= difference <= discordance:
        raise ValueError(f"difference is {difference}; allowed: 0 to the discordance {discordance}")
    effective = n / design_effect
    reach = difference * math.sqrt(effective) - float(ndtri(0.5 + level / 2)) * math.sqrt(discordance)
    spread = math.sqrt(discordance - difference**2)
    if spread == 0:
        return 1.0 if reach >= 0 else 0.0
    return float(ndtr(reach / spread))


def questions_needed(
    difference: float,
    discordance: float,
    *,
    power: float = POWER,
    level: float = 0.95,
    design_effect: float = 1.0,
    factor: float = 1.0,
) -> int:
    """Questions for a true `difference` to be found with probability `power`; arguments as above."""
    _check(discordance=discordance, power=power, level=level, design_effect=design_effect)
    if not 0 < difference <= discordance:
        raise ValueError(f"difference is {difference}; allowed: above 0, up to the discordance {discordance}")
    sided = float(ndtri(0.5 + level / 2)) * math.sqrt(discordance)
    other = float(ndtri(power)) * math.sqrt(discordance - difference**2)
    return math.ceil(design_effect * factor**2 * ((sided + other) / difference) ** 2)


def recordings_needed(level: float = 0.95, pairs: int = 1) -> int:
    """How many recordings it takes before the rule could show anything, with `pairs` compared at once."""
    return next(count for count in range(1, 200) if pairs * least_p(count) < 1 - level)


def rule_factor(table: Table, level: float = 0.95) -> float:
    """How many times larger a difference the rule needs than McNemar's test, on the table's own recordings.

    Simulated once for a structure and kept: 400 pairs of systems that disagree on a fifth of the questions (on more,
    where a fifth is too few to find anything) by luck alone; correlation inside recordings is left to the
    design effect. Infinity where no difference could be found.
    """
    numbers: dict[Hashable, int] = {}
    clusters = tuple(numbers.setdefault(one, len(numbers)) for one in table.clusters)
    return _factor(clusters, tuple(table.weights.tolist()), level)


@lru_cache(maxsize=64)
def _factor(clusters: tuple[int, ...], weights: tuple[float, ...], level: float) -> float:
    questions = tuple(map(str, range(len(clusters))))
    nobody = np.zeros((len(clusters), 0))
    table = Table((), questions, nobody, (), clusters, {}, np.array(weights))
    if table.effective_clusters >= MANY:
        return 1.0
    if least_p(table.cluster_count) >= 1 - level:
        return math.inf
    for discordance in (0.2, 0.4, 0.8):
        formula = minimum_detectable_difference(effective_questions(table.weights), discordance, level=level)
        if formula is None:
            continue
        largest = min(_LARGEST, discordance / formula)
        if _found(table, largest * formula, discordance, level) < POWER:
            continue
        low, high = 1.0, largest
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            enough = _found(table, middle * formula, discordance, level) >= POWER
            low, high = (low, middle) if enough else (middle, high)
        return high
    return math.inf


def _found(structure: Table, difference: float, discordance: float, level: float) -> float:
    """Share of simulated pairs of systems with that true difference for which the rule says so."""
    toss = np.random.default_rng(0).random((len(structure.questions), _RUNS))  # the same for each difference
    first = toss < (discordance + difference) / 2
    second = toss > 1 - (discordance - difference) / 2
    table = replace(structure, correct=np.concatenate([first, second], axis=1))
    pairs = [(run, _RUNS + run) for run in range(_RUNS)]
    rejected = [(pair, p) for pair, p in zip(pairs, p_values(table, pairs), strict=True) if p < 1 - level]
    ends = intervals(table, [pair for pair, _ in rejected], level=level)
    return sum(decide(p, end) > 0 for (_, p), end in zip(rejected, ends, strict=True)) / _RUNS


def effective_questions(weights: Floats) -> float:
    """How many questions of equal weight say as much: (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _check(**values: float) -> None:
    for name, value in values.items():
        if name == "design_effect":
            if not value > 0 or math.isinf(value):
                raise ValueError(
                    f"design_effect is {value}; give a number above 0, 1 for independent questions"
                )
        elif not 0 < value <= 1 or (value == 1 and name != "discordance"):
            raise ValueError(f"{name} is {value}; give a share above 0 and below 1")
