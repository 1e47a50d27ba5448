"""What a run has spent, and the cap that stops it before it spends more.

>>> budget = Budget(price_in=2.5, price_out=10.0, max_cost=20.0)
>>> with budget.turn() as turn:            # BudgetError once the next request might go over the cap
...     turn.charge(Usage(tokens_in=40_000, tokens_out=12))
>>> budget.cost
0.10012

Requests run side by side, so each one under way is reckoned at the dearest seen so far. The very first ones
are on trust: nobody knows their price beforehand.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hlvid.errors import RunError


class BudgetError(RunError):
    """The cap is reached."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer as the endpoint reports them; `reasoning` of those that came out."""

    tokens_in: int
    tokens_out: int
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.reasoning + other.reasoning,
        )


class Budget:
    """Counts tokens and money of a run; safe to use from several threads.

    Args:
        price_in, price_out: money for a million tokens; None counts no money.
        max_cost, max_tokens: caps; None for none.
    """

    def __init__(
        self,
        price_in: float | None = None,
        price_out: float | None = None,
        max_cost: float | None = None,
        max_tokens: int | None = None,
    ) -> None:
        self.prices = (price_in, price_out)
        self.max_cost, self.max_tokens = max_cost, max_tokens
        self.spent = Usage(0, 0)
        self._dearest = Usage(0, 0)
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def cost(self) -> float:
        """Money spent so far; 0 without prices."""
        return self.price_of(self.spent) or 0.0

    @property
    def capped(self) -> bool:
        """Whether there is anything to keep to."""
        return self.max_cost is not None or self.max_tokens is not None

    def price_of(self, usage: Usage) -> float | None:
        """Money for an answer; None without prices."""
        price_in, price_out = self.prices
        if price_in is None or price_out is None:
            return None
        return (usage.tokens_in * price_in + usage.tokens_out * price_out) / 1e6

    def charge(self, usage: Usage) -> None:
        """Count an answer, also one of an earlier start of the same run."""
        with self._lock:
            self.spent += usage
            self._dearest = max(self._dearest, usage, key=lambda one: (self.price_of(one) or 0, one.total))

    @contextmanager
    def turn(self, requests: int = 1, sent: bool = False) -> Iterator["Budget"]:
        """Leave for so many; `sent`: they are under way already.

        Raises BudgetError where they, with others under way, might pass a cap.
        """
        with self._lock:
            if not sent:
                self._allow(self._under_way + requests)
            self._under_way += requests
        try:
            yield self
        finally:
            with self._lock:
                self._under_way -= requests

    def _allow(self, ahead: int) -> None:
        cost = self.cost + ahead * (self.price_of(self._dearest) or 0.0)
        tokens = self.spent.total + ahead * self._dearest.total
        if self.max_cost is not None and cost > self.max_cost:
            raise BudgetError(
                f"spent {self.cost:.4f} of max_cost={self.max_cost:g}, the next request may pass it; "
                "raise it and run the same command to go on"
            )
        if self.max_tokens is not None and tokens > self.max_tokens:
            raise BudgetError(
                f"used {self.spent.total} of max_tokens_total={self.max_tokens}, the next request may pass it; "
                "raise it and run the same command to go on"
            )
