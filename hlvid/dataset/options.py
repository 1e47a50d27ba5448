"""Options that stand apart from a question's text, and where a text shows its options.

>>> options_column({"options": ["A. DL3", "B. DL5 "]})
{'A': 'DL3', 'B': 'DL5 '}
>>> option_spans("Sign?\\nA. DL3\\nB. DL5", {"A": "DL3", "B": "DL5"})
[(9, 12), (16, 19)]
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hlvid.dataset.text import LETTERS


def as_text(value: object) -> object:
    """Numbers become text ("17", never "17.0"); empty text and NaN become None, as every reader spells "nothing"."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    return value


def as_shown(value: object) -> object:
    """As `as_text`, but text keeps its white space: what a model is shown is never stripped."""
    return value if isinstance(value, str) and value.strip() else as_text(value)


def options_column(values: Mapping[str, Any]) -> dict[str, str] | None:
    """Letter -> text as shown, from column `options` or columns A, B, C, …; None where there are neither.

    Raises:
        ValueError: the column is neither a list of texts nor a mapping of letters to texts; with its value.
    """
    value = values.get("options")
    if value is None or value == "":
        letters = [(name, as_shown(values[name])) for name in LETTERS if name in values]
        return {name: text for name, text in letters if isinstance(text, str)} or None
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        raise ValueError(f"{value!r} is not a JSON list or object") from None
    pairs = _labelled(value)
    texts = {letter: text for letter, text in pairs if isinstance(text, str)}
    if not pairs or len(texts) < len(pairs):
        raise ValueError(f"{value!r} is not a list of texts or a mapping of letters to texts")
    return texts


def _labelled(value: object) -> list[tuple[str, object]]:
    """(letter, text) pairs of a list or mapping; nothing where it is neither or its keys are not A, B, …"""
    if isinstance(value, Mapping):  # parquet stores {"A": …, "E": None} where only some rows have an E
        pairs = [
            (str(key).strip().upper(), as_shown(text)) for key, text in value.items() if text is not None
        ]
        return pairs if [letter for letter, _ in pairs] == list(LETTERS[: len(pairs)]) else []
    if not isinstance(value, list | tuple) or len(value) > len(LETTERS):
        return []
    texts = [as_shown(text) for text in value]
    shown = [text for text in texts if isinstance(text, str)]
    return list(zip(LETTERS, unlabelled(shown) if len(shown) == len(texts) else texts, strict=False))


def unlabelled(texts: Sequence[str]) -> list[str]:
    """Texts without labels that all of them carry ("A. Apples", "(B) Pears"); else as they are."""
    bare = [
        re.sub(rf"^\s*(?:\({letter}\)|{letter}[.):])\s*(?=\S)", "", text)
        for letter, text in zip(LETTERS, texts, strict=False)
    ]
    return bare if all(text != given for text, given in zip(bare, texts, strict=True)) else list(texts)


def option_spans(text: str, options: Mapping[str, str]) -> list[tuple[int, int]]:
    """Where `text` shows each option, as (begin, end) without its label; [] unless it lists all, in order.

    White space inside an option may differ. The last such list counts: a stem may quote options, too.
    """
    listed = r"\s+".join(
        rf"(?:[(\[（]{letter}[)\]）]|{letter}[.):．、：）])\s*({_flexible(body)})"
        for letter, body in options.items()
    )
    found = list(re.finditer(rf"(?:^|(?<=\s)){listed}(?!\w)", text)) if options else []
    return [found[-1].span(number) for number in range(1, len(options) + 1)] if found else []


def _flexible(body: str) -> str:
    return r"\s+".join(map(re.escape, body.split()))
