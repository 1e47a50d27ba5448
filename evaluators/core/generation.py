"""How lmms-eval was told to generate (`--gen_kwargs`, a task's own), and what of it a model obeys."""

from collections.abc import Mapping
from typing import Any

from hlvid.errors import RunError

WITHOUT_SAMPLING: Mapping[str, tuple[Any, ...]] = {
    "temperature": (0, None), "do_sample": (False, None), "num_beams": (1, None), "until": (None, [], ["\n\n"]),
}  # fmt: skip
"""What every model does anyhow. lmms-eval adds `until` to each request, of which answers of one letter know nothing."""
HARMLESS = ("max_new_tokens",)
"""Of answers longer than a letter."""
LEAST = {"max_new_tokens": 1, "temperature": 0, "top_p": 0, "top_k": 0}
NARROWING: Mapping[str, tuple[Any, ...]] = {"top_p": (1, None), "top_k": (0, None)}
"""Of sampling alone, with the values that leave every token."""


def check(generation: Mapping[str, Any], model: str, obeys: frozenset[str], reads_text: bool) -> None:
    """Raises RunError for a value out of range, and for what the model cannot obey.

    obeys: settings, beside those that ask for no sampling. reads_text: whether longer answers mean anything to it.
    """
    draws = bool(generation.get("temperature"))
    for name, value in generation.items():
        if (least := LEAST.get(name)) is not None and not _is_number(value, least):
            raise RunError(
                f"model {model}: generation setting {name}={value!r}; allowed: numbers from {least}"
            )
        allowed = WITHOUT_SAMPLING.get(name, NARROWING.get(name, ()))
        follows = (
            name == "do_sample" and value is draws
        )  # from the temperature, which counts or is refused itself
        without_effect = name in HARMLESS or (name in NARROWING and not draws)
        if name not in obeys and not (follows or without_effect) and value not in allowed:
            obeyed = ", ".join(sorted({*obeys, "max_new_tokens"} if reads_text else obeys))
            raise RunError(
                f"model {model}: generation setting {name}={value!r} cannot be obeyed"
                f" ({'obeyed: ' + obeyed if obeyed else 'it draws nothing'}); leave it out of --gen_kwargs"
            )


def _is_number(value: Any, least: int) -> bool:
    """Or None, which is as if left out."""
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and value >= least
    )
