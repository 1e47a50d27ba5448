"""Which option did the model mean? The letter from any model output, or the reason why there is none.

Example::

    parse_answer("<think>A?</think> The answer is **C**.", {"A": "DL3", "B": "DL5", "C": "DL8"})
    # Parsed(letter='C', how='declared')
    parse_answer("A or B", {"A": "DL3", "B": "DL5"})        # Parsed(letter=None, how='contradiction')

`RULES` are tried in order; the first with an opinion decides. Nothing is ever guessed: a reply that names no
option, or two, has no letter, and stays in the denominator as wrong. Other harnesses take the first A to E they
see ("A man opens the door" -> A) or a random letter; the cases are in `tests/hlvid/scoring/answers.jsonl`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hlvid.scoring.answers.letters import Group, find_groups
from hlvid.scoring.answers.texts import clean, contained, exact, starts_with
from hlvid.scoring.answers.words import REFUSALS

_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_TAG = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(
    r"[{,]\s*[\"'](?:final_?|correct_?|selected_?)?(?:answer|choice|option|letter|prediction)[\"']\s*:\s*"
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)')",
    re.IGNORECASE,
)
_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf|bf|rm)\b")
_SEPARATOR = re.compile(r"[\s)\]}.:,;=\-–—*_`\"']*")
_BARE = re.compile(r"[\W_]*([A-Za-z])[\W_]*")


@dataclass(frozen=True)
class Parsed:
    """`letter` is a key of the options or None; `how` names the rule that decided."""

    letter: str | None
    how: str


@dataclass(frozen=True)
class Reply:
    """A cleaned output and the options it chooses from."""

    text: str
    options: Mapping[str, str]

    def key(self, letter: str) -> str | None:
        """The options' own spelling of a letter."""
        return next((key for key in self.options if key.upper() == letter.upper()), None)


Rule = Callable[[Reply], Parsed | None]


def parse_answer(text: str, options: Mapping[str, str]) -> Parsed:
    """The option that an output names.

    Args:
        text: raw output of a model, anything.
        options: letter -> text, in the order shown.

    Returns:
        The letter with the rule that found it; or None with "empty", "unfinished thinking", "contradiction",
        "no such option", "refusal" or "no letter". Never raises, never guesses.
    """
    reply = Reply(clean(text), options)
    for rule in RULES:
        parsed = rule(reply)
        if parsed is not None:
            return parsed
    return Parsed(None, "no letter")


def empty(reply: Reply) -> Parsed | None:
    """Nothing but spaces and signs; also what is left of thinking that was cut off."""
    return None if re.search(r"[^\W_]", reply.text) else Parsed(None, "empty")


def tagged(reply: Reply) -> Parsed | None:
    r"""\boxed{C}, <answer>C</answer>, {"answer": "C"}: what stands inside is read like a reply."""
    insides = [next(filter(None, match), "") for match in _JSON.findall(reply.text)]
    insides += _TAG.findall(reply.text) + [_LATEX.sub("", inside) for inside in _BOXED.findall(reply.text)]
    if not insides:
        return None
    parsed = [parse_answer(inside.strip("{} \n"), reply.options) for inside in insides]
    letters = {one.letter for one in parsed}
    return parsed[0] if len(letters) == 1 else Parsed(None, "contradiction")


def bare(reply: Reply) -> Parsed | None:
    """One letter and signs: "C", "(c)", "**C.**"."""
    match = _BARE.fullmatch(reply.text)
    key = reply.key(match[1]) if match else None
    return Parsed(key, "bare letter") if key is not None else None


def whole_text(reply: Reply) -> Parsed | None:
    """The text of one option and nothing else."""
    letters = exact(reply.text, reply.options)
    return Parsed(letters[0], "option text") if len(letters) == 1 else None


def declared(reply: Reply) -> Parsed | None:
    """Letters that the reply calls its answer.

    What is called final outranks an answer on the last line, which outranks what running text says on the way.
    """
    groups = [group for group in find_groups(reply.text, reply.options) if group.role == "declared"]
    if not groups:
        return None
    last_line = reply.text.rfind("\n") + 1
    lines = [group for group in groups if group.opens_line or group.start >= last_line]
    if groups[-1].final:
        groups = [group for group in groups if group.final]
    elif last_line > 0 and groups[-1] in lines:
        groups = lines
    return _agreed(reply, groups, "declared")


def mentioned(reply: Reply) -> Parsed | None:
    """One letter alone shown as a letter ("(B)", "option B"), and no other option's text."""
    groups = [group for group in find_groups(reply.text, reply.options) if group.role == "mentioned"]
    letters = {reply.key(letter) for group in groups for letter in group.letters}
    if len(letters) != 1:
        return None
    others = set(contained(reply.text, reply.options)) - letters
    return Parsed(None, "contradiction") if others else _agreed(reply, groups, "mentioned")


def refusal(reply: Reply) -> Parsed | None:
    """ "I cannot tell": before texts of options are looked for inside it."""
    folded = reply.text.casefold().replace("’", "'")
    return Parsed(None, "refusal") if any(phrase in folded for phrase in REFUSALS) else None


def text_inside(reply: Reply) -> Parsed | None:
    """The text of exactly one option somewhere in the reply."""
    letters = contained(reply.text, reply.options)
    if not letters:
        return None
    return Parsed(letters[0], "option text inside") if len(letters) == 1 else Parsed(None, "contradiction")


RULES: tuple[Rule, ...] = (empty, tagged, bare, whole_text, declared, mentioned, refusal, text_inside)


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
