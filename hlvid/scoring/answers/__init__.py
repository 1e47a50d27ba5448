"""Which option did the model mean? The letter from any model output, or the reason why there is none.

>>> parse_answer("<think>A?</think> The answer is **C**.", {"A": "DL3", "B": "DL5", "C": "DL8"})
Parsed(letter='C', how='declared')
>>> parse_answer("A or B", {"A": "DL3", "B": "DL5"})
Parsed(letter=None, how='contradiction')

Thinking and struck-out words go (`thinking`, `texts`), lists of the options and verdicts on them are set aside
(`restated`), letters are read with the words around them (`letters`, `words`, `clauses`); then `RULES` are tried in
order, and the first with an opinion decides. Nothing is ever guessed: a reply that names no option, or two, has
no letter, and stays in the denominator as wrong. Other harnesses take the first A to E they
see ("A man opens the door" -> A) or a random letter; the cases are in `tests/hlvid/scoring/answers.jsonl`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from hlvid.scoring.answers.clauses import Clauses, turns
from hlvid.scoring.answers.letters import Group, find_groups
from hlvid.scoring.answers.restated import set_aside
from hlvid.scoring.answers.texts import blotted, clean, contained, exact, starts_with
from hlvid.scoring.answers.words import JOINED, JOINERS, REFUSALS

_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_TAG = re.compile(
    r"<(answer|final_?answer|conclusion|final|solution)>((?:(?!<\1>).)*?)</\1>|\[answer\]([^\[\]]*)\[/answer\]",
    re.IGNORECASE | re.DOTALL,
)
_JSON = re.compile(
    r"[{,]\s*[\"'](?:final_?|correct_?|selected_?)?(?:answer|choice|option|letter|prediction)[\"']\s*:\s*"
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)')",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[\s)\]}.:,;=\-–—*_`\"']*")
_BARE = re.compile(
    r"(?i:[\W_]*(?:q|question|no|answer|ans|item)?\W{0,2}\d{1,3}[.):]\s*)?[\W_]*([A-Za-z])[\W_]*"
)


@dataclass(frozen=True)
class Parsed:
    """`letter` is a key of the options or None; `how` names the rule that decided."""

    letter: str | None
    how: str


@dataclass(frozen=True)
class Reply:
    """A cleaned output, lists of the options blotted out, and the options it chooses from."""

    text: str
    options: Mapping[str, str]

    def key(self, letter: str) -> str | None:
        """The options' own spelling of a letter."""
        return next((key for key in self.options if key.upper() == letter.upper()), None)

    @cached_property
    def groups(self) -> list[Group]:
        """Its letters and what it says of them."""
        return find_groups(self.text, self.options)

    @cached_property
    def clauses(self) -> Clauses:
        """Its sentences."""
        return Clauses(self.text)

    @cached_property
    def last_line(self) -> int:
        """Where the last line starts that says anything."""
        return self.text.rstrip(" \n\t\0").rfind("\n") + 1


Rule = Callable[[Reply], Parsed | None]


def parse_answer(text: str, options: Mapping[str, str]) -> Parsed:
    """The option that an output names.

    Args:
        text: raw output of a model, anything.
        options: letter -> text, in the order shown.

    Returns:
        The letter with the rule that found it; or None with "empty", "unfinished thinking", "contradiction",
        "options restated", "no such option", "refusal" or "no letter". Never raises, never guesses; the time it
        takes grows with the text's length.
    """
    cleaned, cut = clean(text)
    if not re.search(r"[^\W_]", cleaned):
        return Parsed(None, "unfinished thinking" if cut else "empty")
    restated = set_aside(cleaned, options)
    parsed = _read(Reply(restated.text, options))
    chosen = [key for key, right in restated.verdicts.items() if right]
    if restated.verdicts and parsed.how in ("empty", "no letter", "denied"):
        return Parsed(chosen[0], "verdicts") if len(chosen) == 1 else Parsed(None, "contradiction")
    if restated.listed and parsed.how in ("empty", "no letter"):
        return Parsed(None, "options restated")
    return parsed


def _read(reply: Reply) -> Parsed:
    for rule in RULES:
        parsed = rule(reply)
        if parsed is not None:
            return parsed
    return Parsed(None, "no letter")


def empty(reply: Reply) -> Parsed | None:
    """Nothing but spaces and signs."""
    return None if re.search(r"[^\W_]", reply.text) else Parsed(None, "empty")


def tagged(reply: Reply) -> Parsed | None:
    r"""\boxed{C}, <answer>C</answer>, {"answer": "C"}: what stands inside is read like a reply.

    Insides that name no option (a formula, "see below") say nothing; the rest of the reply is read without them.
    """
    found = sorted(
        (match for kind in (_JSON, _TAG, _BOXED) for match in kind.finditer(reply.text)), key=re.Match.start
    )
    if not found:
        return None
    insides = [next(filter(None, match.groups()[match.re is _TAG :]), "") for match in found]
    parsed = [
        Parsed(None, "formula")
        if _is_formula(inside, reply.options)
        else _read(Reply(inside.strip("{} \n"), reply.options))
        for inside in insides
    ]
    meant = [(match, one) for match, one in zip(found, parsed, strict=True) if one.letter is not None]
    if not meant:
        if any(one.how == "contradiction" for one in parsed):
            return Parsed(None, "contradiction")
        return _read(replace(reply, text=blotted(reply.text, [match.span() for match in found])))
    (before, _), (after, last) = meant[-2] if len(meant) > 1 else meant[-1], meant[-1]
    if len({one.letter for _, one in meant}) == 1 or turns(reply.text[before.end() : after.start()]):
        later = declared(replace(reply, text=reply.text[after.end() :]))  # "\\boxed{A}\nAnswer: B"
        return later if later is not None and later.letter is not None else last
    return Parsed(None, "contradiction")


def _is_formula(inside: str, options: Mapping[str, str]) -> bool:
    """Whether signs of a formula stand there that are no option's own: "x = 4"."""
    for option in options.values():
        inside = inside.replace(option, "")
    return re.search(r"[=^<>+]", inside) is not None


def bare(reply: Reply) -> Parsed | None:
    """One letter and signs: "C", "(c)", "**C.**", "1. C"."""
    lines = [
        match[1].upper() for match in map(_BARE.fullmatch, filter(str.strip, reply.text.split("\n"))) if match
    ]
    if len(set(lines)) > 1 and len(lines) == sum(1 for line in reply.text.split("\n") if line.strip()):
        return Parsed(None, "contradiction")  # "1. A", "2. C"
    if _several(reply):
        return Parsed(None, "contradiction")
    match = _BARE.fullmatch(reply.text)
    key = reply.key(match[1]) if match and "✗" not in reply.text else None
    return Parsed(key, "bare letter") if key is not None else None


def whole_text(reply: Reply) -> Parsed | None:
    """The text of one option and nothing else."""
    letters = exact(reply.text.strip("\0 \n"), reply.options)
    return Parsed(letters[0], "option text") if len(letters) == 1 else None


def declared(reply: Reply) -> Parsed | None:
    """Letters that the reply calls its answer.

    What is called final outranks what words call the answer on the last line; that outranks an answer that opens a
    line; that, what running text says on the way. Of two, words such as "no," or "but" between take the first back.
    """
    groups = [group for group in reply.groups if group.role == "declared"]
    if not groups:
        return None
    closing = any(group.cued and group.start >= reply.last_line > 0 for group in groups)
    lines = [group for group in groups if group.opens_line or group.start >= reply.last_line]
    if groups[-1].final:
        groups = [group for group in groups if group.final]
    elif closing:
        groups = [one for one in groups if one.cued and (one.opens_line or one.start >= reply.last_line)]
    elif reply.last_line > 0 and groups[-1] in lines:
        groups = lines
    if len(groups) > 1 and turns(reply.text[groups[-2].end : groups[-1].start]):
        groups = groups[-2:] if reply.clauses.hedged(groups[-1].start) else groups[-1:]  # "B, but maybe C"
    firm = [group for group in groups if not reply.clauses.hedged(group.start)]
    if not firm and (text := _text_instead(reply, groups[-1])):
        return text
    return _agreed(reply, firm or groups, "declared")


def _text_instead(reply: Reply, hedged: Group) -> Parsed | None:
    """The text of another option after a letter that was only supposed: "I first believed B, but it says DL8"."""
    rest = reply.text[hedged.end :]
    texts = set(contained(rest, reply.options)) - {reply.key(letter) for letter in hedged.letters}
    if not texts:
        return None
    if len(texts) == 1 and (turns(rest) or re.match(r"\W*[.\n]", rest)):
        return Parsed(texts.pop(), "option text inside")
    return Parsed(None, "contradiction")


def mentioned(reply: Reply) -> Parsed | None:
    """One letter alone shown as a letter ("(B)", "option B"), and no other option's text."""
    groups = [group for group in reply.groups if group.role == "mentioned"]
    letters = {reply.key(letter) for group in groups for letter in group.letters}
    if len(letters) != 1 or _refuses(reply.text[: groups[0].start]):
        return None
    others = set(contained(reply.text, reply.options)) - letters
    return Parsed(None, "contradiction") if others else _agreed(reply, groups, "mentioned")


def text_inside(reply: Reply) -> Parsed | None:
    """The text of exactly one option somewhere in the reply."""
    letters = contained(reply.text, reply.options)
    if not letters:
        return None
    return Parsed(letters[0], "option text inside") if len(letters) == 1 else Parsed(None, "contradiction")


def refusal(reply: Reply) -> Parsed | None:
    """ "I cannot tell", where no option is named."""
    return Parsed(None, "refusal") if _refuses(reply.text) else None


RULES: tuple[Rule, ...] = (empty, tagged, bare, whole_text, declared, mentioned, text_inside, refusal)


def _several(reply: Reply) -> bool:
    """Nothing but letters and words that join them: "A; C", "(A) (B)", "A, maybe C"."""
    words = re.findall(r"[^\W_]+", reply.text)
    letters = {word for word in words if len(word) == 1 and word.isupper() and reply.key(word)}
    if len(letters) < 2 or any(
        len(option.strip()) == 1 and option.strip().isalpha() for option in reply.options.values()
    ):
        return False
    return all(word in letters or word.casefold() in JOINERS | JOINED for word in words)


def _refuses(text: str) -> bool:
    folded = text.casefold().replace("’", "'")
    return any(phrase in folded for phrase in REFUSALS)


def _agreed(reply: Reply, groups: list[Group], how: str) -> Parsed:
    """The one letter of these groups, unless they differ or another option's text follows it ("A. DL5")."""
    letters = {letter for group in groups for letter in group.letters}
    if len(letters) > 1:
        return Parsed(None, "contradiction")
    key = reply.key(letters.pop())
    if key is None:
        return Parsed(None, "no such option")
    for group in groups:
        separator = _SEPARATOR.match(reply.text, group.end)
        follows = starts_with(reply.text, reply.options, separator.end() if separator else group.end)
        if follows and key not in follows:
            return Parsed(None, "contradiction")
    return Parsed(key, how)
