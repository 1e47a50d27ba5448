"""The options said again, which says nothing about the answer; and verdicts on each of them, which do.

>>> options = {"A": "DL3", "B": "DL5", "C": "DL8"}
>>> set_aside("A. DL3\\nB. DL5\\nC. DL8\\nAnswer: C", options).text.replace("\\0", "·")
'······\\n······\\n······\\nAnswer: C'
>>> set_aside("A ✗\\nB ✓\\nC ✗", options).verdicts
{'A': False, 'B': True, 'C': False}

A list is two or more different labels in the options' order, each followed by *its own* text, whatever signs stand
between, with or without a heading. A verdict is a label, perhaps with its text, and a mark or "wrong", "correct" …
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hlvid.scoring.answers.texts import Options, blotted, own_text_end

_LABELLED = re.compile(
    r"(?<![\w'’])(?:(?:option|choice)\s+)?[(\[*_\"'`|]{0,4}([A-Za-z])(?![A-Za-z'’])[\s)\]*_\"'`.:=|,>\-–—→]{0,8}",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[\s)\]*_\"'`.:=|,>\-–—→]{0,8}")
_GAP = re.compile(r"(?:[\s,;/|.*_•·\-–—\"'`)(\[\]]|\b(?:and|or)\b|\b\d{1,2}[.)])*", re.IGNORECASE)
_GOOD = r"correct|right|true|match(?:es|ing)?|fits?|visible|shown|mentioned|supported|plausible|consistent|accurate"
_YES = rf"✓|yes|y|{_GOOD}"
_NO = (
    r"✗|x|no|n|incorrect|wrong|false|ruled out|eliminated|excluded|inaccurate|inconsistent|implausible|unlikely"
    rf"|(?:not|is(?:n't| not)|does(?:n't| not)) (?:{_GOOD})"
)
_VERDICT = re.compile(
    rf"[\s:=|,.*_()\[\]\"'`\-–—>→]{{0,8}}(?:[✓✗]\s{{0,4}}(?=\w))?(?:(?:this|that|it)\s+)?(?:(?:is|are|looks|seems)\s+)?(?:the\s+)?(?:(?P<yes>{_YES})|(?P<no>{_NO}))"
    r"(?![A-Za-z'])(?: (?:answer|option|choice|one))?[)\].!*_]*[ \t]*(?=$|[\n,;|/\x00]|(?-i:[A-Z(]))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|[\n,;|/]|(?<=[✓✗)]))[\s(\[*_\"'`>•\-–—]{0,6}(?:(?:option|choice)\s+)?"
    r"[(\[*_]{0,3}(?P<label>[A-Za-z])(?![\w'’])",
    re.IGNORECASE,
)
_MARK_FIRST = re.compile(r"[\s\-*•]*[✓✗]")
_MARKED = re.compile(
    r"(?:(?P<yes>✓)|(?P<no>✗))[\s(\[*_\"'`]{0,6}(?:(?:option|choice)\s+)?(?P<label>[A-Za-z])(?![\w'’])",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(?:two|three|four|five|[2-9]) (?:options|choices|candidates|answers)\b", re.IGNORECASE
)
_SHARES = re.compile(r"(?<![\w'’])([A-Za-z])[\s)\]:.(=*\-–—]{1,6}\d{1,3}(?:\.\d+)?\s?%\)?")


@dataclass(frozen=True)
class Restated:
    """`text` with lists and verdicts blotted out, of the same length; `listed`: there was a list."""

    text: str
    listed: bool
    verdicts: Mapping[str, bool]


def set_aside(text: str, options: Options) -> Restated:
    """Find and blot out what restates or judges the options."""
    verdicts, spans = _verdicts(text, options)
    if len(verdicts) >= 2 or (verdicts and "✗" in text and not any(verdicts.values())):
        text = blotted(text, spans)
    else:
        verdicts = {}
    lists = list(_lists(text, options))
    shares = [match for match in _SHARES.finditer(text) if match[1].upper() in map(str.upper, options)]
    if len({match[1] for match in shares}) >= 2 and not any("%" in option for option in options.values()):
        # "A: 10 %, B: 80 %": how sure it is of each
        lists += [match.span() for match in shares]
    headings = [match.span() for match in _COUNT.finditer(text)] if lists else []
    return Restated(blotted(text, [*lists, *headings]), bool(lists), verdicts)


def _lists(text: str, options: Options) -> Iterator[tuple[int, int]]:
    """Runs of two or more labelled options, in the options' order, with nothing but signs between."""
    order = {key: place for place, key in enumerate(options)}
    run: list[tuple[int, int, str]] = []
    for item in [*_items(text, options), None]:
        goes_on = (
            item is not None
            and run
            and item[0] >= run[-1][1]
            and order[item[2]] > order[run[-1][2]]
            and _GAP.fullmatch(text, run[-1][1], item[0])
        )
        if run and not goes_on:
            if len(run) >= 2:
                yield run[0][0], run[-1][1]
            run = []
        if item is not None:
            run.append(item)


def _items(text: str, options: Options) -> list[tuple[int, int, str]]:
    """Labels followed by their own text: start of the label, end of the text, key."""
    keys = {key.upper(): key for key in options}
    found = []
    for label in _LABELLED.finditer(text):
        key = keys.get(label[1].upper())
        end = own_text_end(text, key, options, label.end()) if key is not None else None
        if key is not None and end is not None:
            found.append((label.start(), end, key))
    return found


def _verdicts(text: str, options: Options) -> tuple[dict[str, bool], list[tuple[int, int]]]:
    """Label -> whether it is called right, and where; labels judged both ways are judged wrong."""
    keys = {key.upper(): key for key in options}
    before = _MARK_FIRST.match(text) is not None
    found: dict[str, bool] = {}
    spans = []
    for label in (_MARKED if before else _LABEL).finditer(text):
        key = keys.get(label["label"].upper())
        if key is None:
            continue
        sign = _SIGNS.match(text, label.end())
        own = own_text_end(text, key, options, sign.end()) if sign else None
        end = label.end() if own is None else own
        verdict = label if before else _VERDICT.match(text, end)
        if verdict:
            found[key] = bool(verdict["yes"]) and found.get(key, True)
            spans.append((label.start(), max(end, verdict.end())))
    return found, spans
