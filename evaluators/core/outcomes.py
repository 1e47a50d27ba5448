"""How a run, or a single answer in it, can end: one list of words for every model, run, sweep and table.

>>> classify("CUDA out of memory. Tried to allocate 2 GiB")
'out_of_memory'
"""

OK, MEMORY, OVERFLOW, LENGTH, TIMEOUT, ERROR, INTERRUPTED = STATUSES = (
    "ok", "out_of_memory", "context_overflow", "length", "timeout", "error", "interrupted",
)  # fmt: skip
"""Of a run. An answer ends as one of the first four (length: cut by its limit), or as one of `OF_ANSWERS`."""

REFUSAL, EMPTY = OF_ANSWERS = ("refusal", "empty")

CUT = "cut by the limit of its tokens"

MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "memoryerror",
    "insufficient memory",
    "failed to allocate memory",
    "can't allocate memory",
    "cannot allocate memory",
)
OVERFLOW_SIGNS = (
    *("context_length_exceeded", "maximum context length", "context overflow", "contextoverflow"),
    *("maximum model length", "longer than the model's context length", "exceeds the available context size"),
)
"""As OpenAI, vLLM, SGLang and llama.cpp say it, and our own models."""


def text_ended(cut: bool) -> dict[str, str]:
    """How an answer's text ended, for its details; cut: its tokens ran out before the model had ended it."""
    return {"outcome": LENGTH, "message": CUT} if cut else {"outcome": OK}


def classify(message: str) -> str:
    """The status that an error's message tells: out of memory, context overflow, or any other error."""
    text = message.lower()
    if any(sign in text for sign in MEMORY_SIGNS):
        return MEMORY
    return OVERFLOW if any(sign in text for sign in OVERFLOW_SIGNS) else ERROR
