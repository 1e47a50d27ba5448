"""Cleaning a model's reply, and finding the text of an option in it.

Example::

    clean("<think>A?</think> **Ｃ**<|im_end|>")              # "**C**"
    exact("dl 8", {"A": "DL3", "B": "DL8"})                  # ["B"]
    contained("The sign says DL8.", {"A": "DL3", "B": "DL8"})  # ["B"]

HLVid's options differ by one character ("DL3", "DL8"), so nothing is matched approximately. Differences in
case and spacing are overlooked, unless two options differ in nothing else.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from hlvid.scoring.answers.words import is_denial

Options = Mapping[str, str]

LONGEST = 8000  # characters of an answer that are read, thinking not counted

_SPECIAL = re.compile(r"<\|[^|<>]*\|>|</?(?:s|image|video|bos|eos|pad|unk)>")
_THOUGHT = re.compile(r"^.*</think(?:ing)?>", re.IGNORECASE | re.DOTALL)
_THINKING = re.compile(r"<think(?:ing)?>.*$", re.IGNORECASE | re.DOTALL)
_WRAPPING = " \t\r\n\"'`*_“”‘’「」"
_SEAM = re.compile(r"\s+|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])|(?<=[a-z])(?=[A-Z])")
_OPENING = re.compile(r"[\s\"'`*_“”‘’「」(\[]*")
_CLAUSE = re.compile(r"[,.;:!?\n。，；：]")
_YES_NO = {"yes", "no", "true", "false"}
_NOT_IN_WORD_BEFORE = r"(?<![A-Za-z0-9À-ɏ])(?<![A-Za-z0-9À-ɏ][-/.])(?<!\d[,:])"
_NOT_IN_WORD_AFTER = r"(?![A-Za-z0-9À-ɏ]|[-/.,:][A-Za-z0-9À-ɏ])"


def clean(text: str) -> str:
    """One form for look-alike characters; without invisible ones, model tokens and thinking.

    Thinking that never ended takes everything after its tag with it: it was cut off before an answer. Of a
    reply that rambles on only both ends are kept, where answers stand.
    """
    if len(text) > 4 * LONGEST:
        text = _THOUGHT.sub("", text)
        text = text[: 2 * LONGEST] + "\n" + text[-2 * LONGEST :]
    text = _plain(text)
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cf", "Cc"))
    text = _THINKING.sub("", _THOUGHT.sub("", text))
    text = _SPECIAL.sub(" ", text).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"


def exact(text: str, options: Options) -> list[str]:
    """Letters of the options that the whole text is; several only where even case and spacing are equal."""
    folded = [letter for letter, option in options.items() if _fold(option) and _fold(option) == _fold(text)]
    if len(folded) < 2:
        return folded
    return [letter for letter in folded if _trim(options[letter]) == _trim(text)] or folded


def contained(text: str, options: Options) -> list[str]:
    """Letters of the options whose text stands in `text` as words of its own and is not denied there.

    Occurrences inside a longer option's do not count: "Main Street" does not mention the option "Main".
    """
    found = [(start, end, letter) for letter in options for start, end in occurrences(text, letter, options)]
    outer = [
        letter
        for start, end, letter in found
        if not _denied(text, start)
        and not any(a <= start and end <= b and b - a > end - start for a, b, _ in found)
    ]
    return list(dict.fromkeys(outer))


def occurrences(text: str, letter: str, options: Options) -> list[tuple[int, int]]:
    """Where an option's text stands in `text`, start and end; single letters are never looked for."""
    pattern = _pattern(letter, tuple(options.items()))
    return [match.span() for match in pattern.finditer(text)] if pattern else []


def starts_with(text: str, options: Options, position: int = 0) -> list[str]:
    """Letters of the options that `text` goes on with at `position`, past quotes; the longest only."""
    match = _OPENING.match(text, position)
    start = match.end() if match else position
    patterns = {letter: _pattern(letter, tuple(options.items())) for letter in options}
    found = {letter: pattern.match(text, start) for letter, pattern in patterns.items() if pattern}
    ends = {letter: match.end() for letter, match in found.items() if match}
    return [letter for letter, end in ends.items() if end == max(ends.values())]


@lru_cache(maxsize=4096)
def _pattern(letter: str, options: tuple[tuple[str, str], ...]) -> re.Pattern[str] | None:
    """Matches an option's text as words of its own; spaces may differ at seams such as in "DL 8"."""
    texts = dict(options)
    option = _trim(_plain(texts[letter]))
    if len(option) < 2 and not option.isdigit():
        return None
    twins = sum(_fold(other) == _fold(option) for other in texts.values())
    body = r"\s*".join(re.escape(part) for part in _SEAM.split(option))
    ending = r"(?=\s*(?:[.,;!]|$))" if option.casefold() in _YES_NO else ""
    return re.compile(
        _NOT_IN_WORD_BEFORE + body + _NOT_IN_WORD_AFTER + ending, 0 if twins > 1 else re.IGNORECASE
    )


def _plain(text: str) -> str:
    """Full-width and styled characters as plain ones, one kind of apostrophe."""
    return unicodedata.normalize("NFKC", text).replace("’", "'")


def _trim(text: str) -> str:
    """Without quotes, markdown and a full stop around it."""
    return text.strip(_WRAPPING).rstrip(".。!").strip(_WRAPPING)


def _fold(text: str) -> str:
    """What two spellings of one option share: no case, no spaces."""
    return "".join(_trim(_plain(text)).casefold().split())


def _denied(text: str, start: int) -> bool:
    """Whether one of the three words before, in the same clause, says no: "does not say DL3"."""
    clause = _CLAUSE.split(text[max(0, start - 100) : start])[-1]
    return any(is_denial(word) for word in clause.casefold().split()[-3:])
