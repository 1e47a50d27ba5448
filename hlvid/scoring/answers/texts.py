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

from hlvid.scoring.answers.clauses import Clauses, turns
from hlvid.scoring.answers.thinking import without_thinking
from hlvid.scoring.answers.words import REFUSALS, is_denial

Options = Mapping[str, str]

BLOT = "\x00"  # stands for a character that is not to be read
LONGEST = 8000  # characters of an answer that are read, thinking not counted

_SPECIAL = re.compile(r"<\|[^|<>]*\|>|</?(?:s|image|video|bos|eos|pad|unk)>")
_STRUCK_OR_FRAME = re.compile(r"<s>[^<\n]*</s>", re.IGNORECASE)
_STRUCK = re.compile(
    r"~~[^~\n]+~~|<(del|strike)>[^<\n]*</\1>|\\(?:sout|cancel|st)\{[^{}\n]*\}", re.IGNORECASE
)
_LATEX = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:rm|bf|it|sf|tt|bb|cal)|emph|underline|bf|rm|it|bm|boldsymbol|operatorname|mbox|fbox"
    r"|large|Large|huge|Huge)\b\s*(?:\{([^{}\n]*)\})?"
)
_ESCAPES = {"&lt;": "<", "&gt;": ">", "🅰": "A", "🅱": "B"}
_ESCAPED = re.compile("|".join(_ESCAPES), re.IGNORECASE)
_MATHS = re.compile(
    r"(?<!\$)\${1,2}[ \t]{0,4}((?:\\boxed|[(\[]?[A-Za-z][)\]]?[.:]?[ \t]{0,4}(?=\$))[^$\n]{0,200})\${1,2}|\\[()\[\]]"
)
_RIGHT_MARK, _WRONG_MARK = (
    re.compile(r"[✅✔☑🗸👍]\ufe0f?|\[[xX✓]\](?=\s)"),
    re.compile(r"[❌✘✖❎🚫⛔👎☐☒]\ufe0f?|\[ \](?=\s)"),
)
_WRAPPING = " \t\r\n\"'`*_“”‘’「」"
_SEAM = re.compile(r"\s+|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])|(?<=[a-z])(?=[A-Z])")
_OPENING = re.compile(r"[\s\"'`*_“”‘’「」(\[]*")
_CLAUSE = re.compile(r"[,.;:!?\n。，；：]|\bbut\b", re.IGNORECASE)
_ALL_BUT = re.compile(r"\b(?:anything|everything|all|any|every|each)(?: \w+)? but\W*$", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"[\s\"'*)]{0,8}(?:(?:is|was|can be|looks|seems)\s+)?(?:(?:clearly|definitely|also)\s+)?(?:wrong|incorrect|excluded"
    r"|ruled out"
    r"|not\s+(?:right|correct|shown|visible|the\s+(?:answer|right|correct))|false\b|✗|isn't\b)|[\s\"'*)]{0,8}\?\s{0,4}no\b",
    re.IGNORECASE,
)
_YES_NO = {"yes", "no", "true", "false"}
_NOT_IN_WORD_BEFORE = r"(?<![A-Za-z0-9À-ɏ])(?<![A-Za-z0-9À-ɏ][-/.])(?<!\d[,:])"
_NOT_IN_WORD_AFTER = r"(?![A-Za-z0-9À-ɏ]|[-/.,:][A-Za-z0-9À-ɏ])"


def clean(text: str) -> tuple[str, bool]:
    """One form for look-alike characters; without invisible ones, model tokens, thinking and what is struck out.

    Returns:
        The text, and whether thinking was cut off, which takes everything after its tag with it. Of a reply that
        rambles on only both ends are kept, where answers stand.
    """
    text, cut = without_thinking(_ESCAPED.sub(lambda match: _ESCAPES[match[0].lower()], text))
    if len(text) > 4 * LONGEST:
        text = text[: 2 * LONGEST] + "\n" + text[-2 * LONGEST :]
    if "[✓]" in text:
        text = text.replace("[x]", " ✗ ")
    text = _WRONG_MARK.sub(" ✗ ", _RIGHT_MARK.sub(" ✓ ", text))
    text = _plain(text)
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cf", "Cc"))
    text = _SPECIAL.sub(" ", _without_struck(text))
    for _ in range(3):  # commands inside commands
        text = _LATEX.sub(lambda match: match[1] or " ", text)
    text = _MATHS.sub(lambda match: match[1] or " ", text).strip()
    return (text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"), cut


def _without_struck(text: str) -> str:
    """Struck-out words go, unless nothing else is there (<s>…</s> also frames the whole of a reply)."""
    text = _STRUCK.sub(" ", text)
    rest = _STRUCK_OR_FRAME.sub(" ", text)
    return rest if re.search(r"[^\W_]", rest) else text


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
    found = _outermost(text, options)
    text = blotted(text, [(start, end) for start, end, _ in found])  # "Do not enter" denies nothing
    clauses = Clauses(text)
    outer = [
        (start, end, letter)
        for start, end, letter in found
        if not clauses.supposes(start) and not _denied(text, start, end)
    ]
    letters = list(dict.fromkeys(letter for _, _, letter in outer))
    if len(letters) == 2 and len(outer) == 2:  # "It looks like DL3 at first, but it is DL8"
        (first, end, _), (second, _, letter) = outer
        if clauses.hedged(first) and not clauses.hedged(second) and turns(text[end:second]):
            return [letter]
    return letters


def _outermost(text: str, options: Options) -> list[tuple[int, int, str]]:
    """Occurrences of the options' texts in order, without those inside a longer one's. O(n log n)."""
    found = [(start, end, letter) for letter in options for start, end in occurrences(text, letter, options)]
    outer: list[tuple[int, int, str]] = []
    reach, longest = -1, 0
    for start, end, letter in sorted(found, key=lambda one: (one[0], -one[1])):
        if end > reach or end - start == longest:
            outer.append((start, end, letter))
        if end > reach:
            reach, longest = end, end - start
    return outer


def occurrences(text: str, letter: str, options: Options) -> list[tuple[int, int]]:
    """Where an option's text stands in `text`, start and end; single letters are never looked for."""
    pattern = _pattern(letter, tuple(options.items()))
    return [match.span() for match in pattern.finditer(text)] if pattern else []


def blotted(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with these stretches blotted out, line breaks kept."""
    pieces, position = [], 0
    for start, end in sorted(spans):
        start = max(start, position)
        if end > start:
            pieces += [text[position:start], re.sub(r"[^\n]", BLOT, text[start:end])]
            position = end
    return "".join([*pieces, text[position:]])


def starts_with(text: str, options: Options, position: int = 0) -> list[str]:
    """Letters of the options that `text` goes on with at `position`, past quotes; the longest only."""
    match = _OPENING.match(text, position)
    start = match.end() if match else position
    patterns = {letter: _pattern(letter, tuple(options.items())) for letter in options}
    found = {letter: pattern.match(text, start) for letter, pattern in patterns.items() if pattern}
    ends = {letter: match.end() for letter, match in found.items() if match}
    return [letter for letter, end in ends.items() if end == max(ends.values())]


def own_text_end(text: str, letter: str, options: Options, position: int) -> int | None:
    """Where the option's text ends that stands at `position`, also right after a label ("A.DL3"); else None."""
    pattern = _pattern(letter, tuple(options.items()), labelled=True)
    match = pattern.match(text, position) if pattern else None
    return match.end() if match else None


@lru_cache(maxsize=4096)
def _pattern(
    letter: str, options: tuple[tuple[str, str], ...], labelled: bool = False
) -> re.Pattern[str] | None:
    """Matches an option's text as words of its own; spaces may differ at seams such as in "DL 8"."""
    texts = dict(options)
    option = _trim(_plain(texts[letter]))
    if len(option) < 2 and not option.isdigit():
        return None
    twins = sum(_fold(other) == _fold(option) for other in texts.values())
    body = r"\s*".join(re.escape(part) for part in _SEAM.split(option))
    ending = ""
    if option.casefold() in _YES_NO:
        ending = r"(?=\s*(?:[.,;!/|(\[*]|\n|$|[A-Za-z][.):]))" if labelled else r"(?=\s*(?:[.,;!]|$))"
    before = "" if labelled else _NOT_IN_WORD_BEFORE
    return re.compile(before + body + _NOT_IN_WORD_AFTER + ending, 0 if twins > 1 else re.IGNORECASE)


def _plain(text: str) -> str:
    """Full-width and styled characters as plain ones, one kind of apostrophe."""
    return unicodedata.normalize("NFKC", text).replace("’", "'")


def _trim(text: str) -> str:
    """Without quotes, markdown and a full stop around it."""
    return text.strip(_WRAPPING).rstrip(".。!").strip(_WRAPPING)


def _fold(text: str) -> str:
    """What two spellings of one option share: no case, no spaces."""
    return "".join(_trim(_plain(text)).casefold().split())


def _denied(text: str, start: int, end: int) -> bool:
    """Whether its clause says no: "does not say DL3", "DL3 is wrong", "DL3? No.", "I cannot tell if it is DL3"."""
    before = text[max(0, start - 100) : start]
    clause = _CLAUSE.split(before)[-1].casefold()
    if (
        _ALL_BUT.search(before)
        or any(is_denial(word) for word in clause.split()[-3:])
        or any(phrase in clause for phrase in REFUSALS)
    ):
        return True
    return _DENIED_AFTER.match(text, end) is not None
