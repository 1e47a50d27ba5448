"""Many tests at once: Holm's correction.

>>> holm([0.01, 0.04, 0.03])
[0.03, 0.06, 0.06]

Of 20 comparisons between equal systems one is "significant" at 5 %. Holm's step-down procedure keeps the chance
of a single false one at 5 %, whatever the tests' dependence, and never does worse than Bonferroni.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given; compare each with the significance level.

    Raises:
        ValueError: a p-value outside 0 to 1.
    """
    for value in p_values:
        if not 0 <= value <= 1:
            raise ValueError(f"p-value is {value}; allowed: 0 to 1")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted
