"""`blind`: answers without a single pixel. The floor that every result is read against.

Strategies:
- `hash`: a uniform guess, drawn by a hash of the question id and `seed`; the same everywhere, 25 % with
  four options.
- `longest`: the longest option text, the first of equals: finds benchmarks whose right answers are wordier.
- `most_common`: always `letter`. The letter is fixed beforehand ("A") and not counted from the answers
  under test, which would be peeking; to see a benchmark's letter bias, run it once a letter.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from evaluators.core.arguments import one_of
from evaluators.core.base import Answer, JournalledModel, for_chat
from hlvid.dataset.question import Question
from hlvid.errors import RunError

STRATEGIES = ("hash", "longest", "most_common")


class Blind(JournalledModel):
    """Answers from the options alone.

    Args:
        strategy: one of `STRATEGIES`.
        letter: what `most_common` says; where a question lacks it, the question's first letter.
        seed: another seed is another draw of `hash`.
        common: `batch_size`, `device`, `runs`: see `JournalledModel`.

    Raises:
        RunError: an unknown strategy, or a `letter` that is not one.
    """

    name: ClassVar[str] = "blind"
    reads_text: ClassVar[bool] = False

    def __init__(self, strategy: str = "hash", letter: str = "A", seed: int = 0, **common: Any) -> None:
        super().__init__(**common)
        one_of("model blind", "strategy", strategy, STRATEGIES)
        if not (isinstance(letter, str) and len(letter) == 1 and letter.isalpha()):
            raise RunError(f"model blind: letter is {letter!r}; allowed: one letter, as in letter=B")
        self.strategy = strategy
        self.letter = letter.upper()
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The strategy and the argument it uses."""
        used: dict[str, dict[str, Any]] = {
            "hash": {"seed": self.seed},
            "most_common": {"letter": self.letter},
            "longest": {},
        }
        return {"strategy": self.strategy, **used[self.strategy]}

    def computing(self) -> dict[str, str]:
        """A hash is the same on every device."""
        return {}

    def answer(self, question: Question) -> Answer:
        """One letter; no frame is read."""
        if self.strategy == "hash":
            letter = hashed_letter(question.id, question.options, self.seed)
        elif self.strategy == "longest":
            letter = max(question.options, key=lambda key: len(question.options[key]))
        else:
            letter = self.letter if self.letter in question.options else next(iter(question.options))
        return Answer(letter, {"frames": 0, "tokens_selected": 0, "strategy": self.strategy})


BlindChat = for_chat(Blind)


def hashed_letter(question_id: str, options: Mapping[str, str], seed: int = 0) -> str:
    """A letter drawn uniformly from `options`, always the same for a question id and seed."""
    digest = hashlib.sha256(f"{seed}:{question_id}".encode()).digest()
    letters = list(options)
    return letters[int.from_bytes(digest[:8], "big") % len(letters)]
