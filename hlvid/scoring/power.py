"""What a benchmark could show at all: the smallest difference likely to be seen, and the questions it takes.

Example::

    minimum_detectable_difference(n=268, discordance=0.11)                      # 0.057: 5.7 points
    minimum_detectable_difference(n=268, discordance=0.11, design_effect=1.5)   # 0.069
    questions_needed(difference=0.01, discordance=0.11)                         # 8632

For two systems on the same questions, McNemar's test. Only questions on which they disagree count, so the
`discordance` (share of them) decides; formula of Connor (1987), Biometrics 43:207: n d^2 =
(z_a sqrt(D) + z_b sqrt(D - d^2))^2.
"""

import math

from scipy.special import ndtr, ndtri


def minimum_detectable_difference(
    n: int, discordance: float, *, power: float = 0.8, level: float = 0.95, design_effect: float = 1.0
) -> float | None:
    """Smallest true difference of accuracy that a two-sided test at `level` finds with probability `power`.

    Args:
        n: questions.
        discordance: share of questions that exactly one of the systems gets right, above 0 and up to 1.
        power: for example 0.8.
        level: 1 - significance level, for example 0.95.
        design_effect: variance inflation from questions sharing recordings (`paired_design_effect`); 1 for none.

    Returns:
        A difference, 0 to `discordance`; None where even one system winning every disagreement would
        not be found.
    """
    _check(discordance=discordance, power=power, level=level, design_effect=design_effect)
    if n < 1:
        raise ValueError(f"n is {n}; give at least 1 question")
    low, high = 0.0, discordance
    if power_of(high, n, discordance, level=level, design_effect=design_effect) < power:
        return None
    for _ in range(60):  # power grows with the difference: halve
        middle = (low + high) / 2
        enough = power_of(middle, n, discordance, level=level, design_effect=design_effect) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def power_of(
    difference: float, n: int, discordance: float, *, level: float = 0.95, design_effect: float = 1.0
) -> float:
    """Probability that a true `difference` is found on the right side of 0."""
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
    power: float = 0.8,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> int:
    """Questions for a true `difference` to be found with probability `power`; arguments as above."""
    _check(discordance=discordance, power=power, level=level, design_effect=design_effect)
    if not 0 < difference <= discordance:
        raise ValueError(f"difference is {difference}; allowed: above 0, up to the discordance {discordance}")
    sided = float(ndtri(0.5 + level / 2)) * math.sqrt(discordance)
    other = float(ndtri(power)) * math.sqrt(discordance - difference**2)
    return math.ceil(design_effect * ((sided + other) / difference) ** 2)


def _check(**values: float) -> None:
    for name, value in values.items():
        if name == "design_effect":
            if not value > 0 or math.isinf(value):
                raise ValueError(
                    f"design_effect is {value}; give a number above 0, 1 for independent questions"
                )
        elif not 0 < value <= 1 or (value == 1 and name != "discordance"):
            raise ValueError(f"{name} is {value}; give a share above 0 and below 1")
