"""Cleaning a model's reply, and finding the text of an option in it.

>>> clean("<think>A?</think> **Ｃ**<|im_end|>")         # and whether it was cut off in thought
('**C**', False)
>>> exact("dl 8", {"A": "DL3", "B": "DL8"}), contained("The sign says DL8.", {"A": "DL3", "B": "DL8"})
(['B'], ['B'])

HLVid's options differ by one character ("DL3", "DL8"), so nothing is matched approximately. Differences in
case and spacing are overlooked, unless two options differ in nothing else.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from hlvid.scoring.answers.clauses import Clauses, turns
from hlvid.scoring.answers.thinking import without_thinking
from hlvid.scoring.answers.words import REFUSALS, is_denial

Options = Mapping[str, str]
Occurrence = tuple[int, int, str]  # start, end, letter

BLOT = "\x00"  # stands for a character that is not to be read
LONGEST = 8000  # characters of an answer that are read, thinking not counted

_HTML = re.compile(
    r"<(b|i|u|p|em|strong|span|div|code|pre|mark|small|center|font|h[1-6]|li|td)\b[^<>]{0,80}>([^<]*)</\1>|<br\s*/?>",
    re.IGNORECASE,
)
_SPECIAL = re.compile(r"<\|[^|<>]*\|>|</?(?:s|image|video|bos|eos|pad|unk)>")
_STRUCK_OR_FRAME = re.compile(r"<s>[^<\n]*</s>", re.IGNORECASE)
_STRUCK = re.compile(
    r"~~[^~\n]+~~|<(del|strike)>[^<\n]*</\1>|\\(?:sout|cancel|st)\{[^{}\n]*\}", re.IGNORECASE
)
_LATEX = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:rm|bf|it|sf|tt|bb|cal)|emph|underline|bf|rm|it|bm|boldsymbol|operatorname|mbox|fbox"
    r"|large|Large|huge|Huge)\b\s*(?:\{([^{}\n]*)\})?"
)
_EMOJI = str.maketrans({"🅰": "A", "🅱": "B"})
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
_ALL_BUT = re.compile(r"\b(?:anything|everything|all|any|every|each)(?: \w+)? but\W*$", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"[\s\"'*)]{0,8}(?:\?\s{0,4}no\b|✗|(?:both\s+)?(?:(?:is|was|are|were|does|do|did|can|could|has|have)(?:n't|'t|\s*not)\b"
    r"|(?:(?:is|was|are|were|can be|looks?|seems?)\s+)?(?:(?:clearly|definitely|also|both)\s+)?"
    r"(?:wrong|incorrect|false|unlikely|nowhere|excluded|ruled out|eliminated)\b))",
    re.IGNORECASE,
)
_OF_ALL = re.compile(r"\b(?:both|are|were|don|do\b|can)", re.IGNORECASE)  # "DL3 and DL5 are wrong"
_COMMA = re.compile(r"[\s\"'*]*,[\s\"'*]*")
_WORD = re.compile(r"[\s\"'*,]*(?:[/&]|\b(?:or|and|nor)\b)[\s\"'*]*", re.IGNORECASE)
_YES_NO = {"yes", "no", "true", "false"}
_NOT_IN_WORD_BEFORE = r"(?<![A-Za-z0-9À-ɏ])(?<![A-Za-z0-9À-ɏ][-/.])(?<!\d[,:])"
_NOT_IN_WORD_AFTER = r"(?![A-Za-z0-9À-ɏ]|[-/.,:][A-Za-z0-9À-ɏ])"


def clean(text: str) -> tuple[str, bool]:
    """One form for look-alike characters; without invisible ones, model tokens, thinking and what is struck out.

    Returns:
        The text, and whether thinking was cut off, which takes everything after its tag with it. Of a reply that
        rambles on only both ends are kept, where answers stand.
    """
    text, cut = without_thinking(html.unescape(text.translate(_EMOJI)))
    if len(text) > 4 * LONGEST:
        text = text[: 2 * LONGEST] + "\n" + text[-2 * LONGEST :]
    if "[✓]" in text:
        text = text.replace("[x]", " ✗ ")
    text = _WRONG_MARK.sub(" ✗ ", _RIGHT_MARK.sub(" ✓ ", text))
    text = _plain(text)
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cf", "Cc"))
    text = _SPECIAL.sub(" ", _without_struck(text))
    text = _unmarked(text).strip()
    return (text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"), cut


def _unmarked(text: str) -> str:
    """Without HTML's and LaTeX's words for how it looks."""
    for _ in range(3):  # commands inside commands
        text = _HTML.sub(lambda match: match[2] or " ", text)
        text = _LATEX.sub(lambda match: match[1] or " ", text)
    return _MATHS.sub(lambda match: match[1] or " ", text)


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
    outer = [one for chain in _chains(text, found) for one in _asserted(text, clauses, chain)]
    letters = list(dict.fromkeys(letter for _, _, letter in outer))
    if len(letters) == 2 and len(outer) == 2:  # "It looks like DL3 at first, but it is DL8"
        (first, end, _), (second, _, letter) = outer
        if clauses.hedged(first) and not clauses.hedged(second) and turns(text[end:second]):
            return [letter]
    return letters


def _outermost(text: str, options: Options) -> list[Occurrence]:
    """Occurrences of the options' texts in order, without those inside a longer one's. O(n log n)."""
    found = [(start, end, letter) for letter in options for start, end in occurrences(text, letter, options)]
    outer: list[Occurrence] = []
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
    option = _trim(_unmarked(_plain(texts[letter])))
    if len(option) < 2 and not option.isdigit() and not (labelled and option):
        return None
    twins = sum(_fold(other) == _fold(option) for other in texts.values())
    body = r"\s*".join(re.escape(part) for part in _SEAM.split(option))
    ending = ""
    if option.casefold() in _YES_NO:
        ending = (
            r"(?=\s*(?:[.,;:!/|(\[*\-–—→✓✗]|\n|$|is\b|[A-Za-z][.):]))"
            if labelled
            else r"(?=\s*(?:[.,;!]|and\b|or\b|$))"
        )
    before = "" if labelled else _NOT_IN_WORD_BEFORE
    return re.compile(before + body + _NOT_IN_WORD_AFTER + ending, 0 if twins > 1 else re.IGNORECASE)


def _plain(text: str) -> str:
    """Full-width and styled characters and HTML's entities as plain ones, one kind of apostrophe."""
    return unicodedata.normalize("NFKC", html.unescape(text)).replace("’", "'")


def _trim(text: str) -> str:
    """Without quotes, markdown and a full stop around it."""
    return text.strip(_WRAPPING).rstrip(".。!").strip(_WRAPPING)


def _fold(text: str) -> str:
    """What two spellings of one option share: no case, no spaces."""
    return "".join(_trim(_plain(text)).casefold().split())


def _chains(text: str, found: list[Occurrence]) -> list[list[Occurrence]]:
    """Occurrences that one word joins: "DL3 or DL5", "DL3, DL5 and DL8"; a comma alone joins nothing."""
    chains: list[list[Occurrence]] = []
    commas = 0  # of the last chains, how many a comma alone sets apart
    for one in found:
        between = (chains[-1][-1][1], one[0]) if chains else (0, -1)
        if chains and between[1] - between[0] < 20 and _WORD.fullmatch(text, *between):
            first = len(chains) - 1 - commas
            for chain in chains[first + 1 :]:
                chains[first] += chain
            del chains[first + 1 :]
            chains[first].append(one)
            commas = 0
        else:
            commas = commas + 1 if chains and _COMMA.fullmatch(text, *between) else 0
            chains.append([one])
    return chains


def _asserted(text: str, clauses: Clauses, chain: list[Occurrence]) -> list[Occurrence]:
    """Those of a chain that its sentence does not suppose or deny."""
    start, end = chain[0][0], chain[-1][1]
    if clauses.supposes(start) or _denied_before(text, clauses, start):
        return []
    after = _DENIED_AFTER.match(text, end)
    if after is None:
        return chain
    return [] if _OF_ALL.search(after[0]) else chain[:-1]


def _denied_before(text: str, clauses: Clauses, start: int) -> bool:
    """Whether its clause says no: "does not say DL3", "I cannot tell if it is DL3", "anything but DL3"."""
    clause = clauses.clause(start).casefold()
    return (
        _ALL_BUT.search(text, max(0, start - 100), start) is not None
        or any(is_denial(word) for word in clause.split()[-3:])
        or clause.endswith("different from ")
        or any(phrase in clause for phrase in REFUSALS)
    )
