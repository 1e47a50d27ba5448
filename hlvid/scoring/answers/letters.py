"""Which letters a reply holds, and what it says of each: that it is the answer, that it is not, or nothing.

>>> for group in find_groups("A is wrong, so the answer is B.", {"A": "DL3", "B": "DL8"}):
...     print(group.letters, group.role)
('A',) denied
('B',) declared

Letters joined as in "A, B or C" form one group and share a role. The words before a group are read backwards
("the answer is", "it is not"), then those after it ("is wrong", "is the best choice"), inside its sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hlvid.scoring.answers import words
from hlvid.scoring.answers.clauses import turns
from hlvid.scoring.answers.texts import BLOT, starts_with
from hlvid.scoring.answers.tokens import Tokens

Role = Literal["declared", "denied", "mentioned", "loose"]

_STOP = re.compile(r"[.!?。;；]|\n")
_PAUSE = re.compile(r"[.,:;!?\n(–—]")
_COMMA = re.compile(r"[,.;!?\n(–—]")
_FROM = re.compile(
    r"\W*(?:looking|based|given|considering|judging|according|after|having|watching|in my)\b", re.IGNORECASE
)
_ELLIPSIS = re.compile(
    r"\s+(?:it )?(?:is|was|does|did|do|can|could|would|will|has)\s*(?:[.!]|$)"
)  # "A does not match, B does."
_REACH = 8  # words read backwards from a letter, and after it


@dataclass(frozen=True)
class Before:
    """What the words before a letter say: see `Group`."""

    role: Role
    opens_line: bool = False
    final: bool = False
    cued: bool = False


@dataclass(frozen=True)
class Group:
    """Letters with one role, and where they stand.

    `opens_line`: nothing but words that lead to an answer stand before; `cued`: words call it the answer; `final`:
    the final one.
    """

    letters: tuple[str, ...]
    role: Role
    start: int
    end: int
    opens_line: bool = False
    final: bool = False
    cued: bool = False


def find_groups(text: str, options: Mapping[str, str]) -> list[Group]:
    """All letters of a cleaned reply in order. Letters inside an option's text ("B Street") are no letters."""
    return _Reading(text, options).groups()


class _Reading(Tokens):
    """What the words around its letters make of them."""

    def groups(self) -> list[Group]:
        return [group for chain in self.chains() for group in self.read(chain)]

    def read(self, chain: list[int]) -> list[Group]:
        """The role of a chain of letters; one group, or two for "the answer is B and A is wrong"."""
        before, after = self.before(chain[0], chain[-1]), self.after(chain[-1])
        start = self.tokens[chain[0]].start
        if self.clauses.supposes(start) or (before.role == "declared" and self.clauses.doubts(start)):
            return [self.group(chain, Before("loose"))]
        if before.role == "declared" and after == "denied" and len(chain) > 1:
            return [
                self.group(chain[:-1], replace(before, cued=False)),
                self.group(chain[-1:], Before("denied")),
            ]
        order: tuple[Role, ...] = ("denied", "declared", "mentioned", "loose")
        role = next(role for role in order if role in (before.role, after, "loose"))
        return [self.group(chain, replace(before, role=role, cued=before.cued or after == "declared"))]

    def group(self, chain: list[int], how: Before) -> Group:
        letters = tuple(dict.fromkeys(self.tokens[index].word.upper() for index in chain))
        start, end = self.tokens[chain[0]].start, self.tokens[chain[-1]].end
        return Group(letters, how.role, start, end, how.opens_line, how.final, how.cued)

    def before(self, index: int, last: int) -> Before:
        """What the words before make of a letter."""
        passed: list[str] = []  # nearest first
        for here in range(index - 1, -1, -1):
            gap = self.text[self.tokens[here].end : self.tokens[here + 1].start]
            if self.stops(here, gap, passed, index, last):
                break
            found = self.outright(here, gap, passed, last) or self.by_role(here, passed, index, last)
            if found is not None:
                return found
            passed.append(self.tokens[here].word)
        if self.ends_clause(last) and (
            self.opens_text(index) or self.subjectless(passed) or self.announced(index)
        ):
            return Before("declared", opens_line=True)
        named = self.delimited(index) or any(words.is_marker(word) for word in passed)
        return Before("mentioned" if named else "loose")

    def stops(self, here: int, gap: str, passed: list[str], index: int, last: int) -> bool:
        """Whether what stands before a word says nothing of the letter any more."""
        word = self.tokens[here].word
        if _STOP.search(gap) and (":" not in gap or BLOT in gap) and word != "ans":  # "Ans. B"
            return True  # but "Answer:\\nB"; a list's heading is not the letter's
        if _COMMA.search(gap) and self.subjectless(passed) and self.ends_clause(last):
            return True  # "it cannot be A, must be B"
        alone = not passed and index == len(self.tokens) - 1 and re.fullmatch("[a-z]", word)
        if alone and re.search(r"[:.!?]", gap):  # "not A, not B: C"
            return True
        between = self.text[self.tokens[here].end : self.tokens[index].start]
        turn = word in words.TURNS and not passed
        return words.is_denial(word) and not turn and _COMMA.search(between) is not None  # "A is not, B is"

    def outright(self, here: int, gap: str, passed: list[str], last: int) -> Before | None:
        """Words that decide whatever else there is: "wait, no: B", "none other than A", "all but A"."""
        word = self.tokens[here].word
        signs = r"\s*[,.:!—–-]|\s+$" if word in ("actually", "wait") else r"\s*[,.:!—–-]"
        if word in words.TURNS and not passed and re.match(signs, gap):
            return Before("declared" if self.ends_clause(last) else "loose", cued=True)
        earlier = {one.word for one in self.tokens[max(0, here - 3) : here]}
        if word in words.EXCEPT and words.NOTHING & earlier:
            return Before("declared", cued=True)
        return Before("denied") if word == "but" and words.ALL & earlier else None

    def by_role(self, here: int, passed: list[str], index: int, last: int) -> Before | None:
        """What one word and those between make of the letter; None to read on."""
        word = self.tokens[here].word
        role = self.role_after(word, passed, last)
        if role == "loose" and self.ends_clause(last) and (self.announced(index) or self.led_up_to(index)):
            return Before("declared", cued=True)
        if role == "declared":
            if self.declines(here, index):
                return Before("denied")
            earlier = self.tokens[here - 1].word if here else ""
            final = bool({"final", "finally"} & {earlier, word, *passed})
            return Before(role, self.leading[here] and self.ends_clause(last), final, cued=True)
        return None if role is None else Before(role, self.leading[here] and self.ends_clause(last))

    def declines(self, here: int, index: int) -> bool:
        """Whether a no stands before the words that would declare a letter: "I would not choose", "never say it's"."""
        for at in range(here, max(-1, here - _REACH), -1):
            between = self.text[self.tokens[at].end : self.tokens[index].start]
            if _COMMA.search(between):
                return False
            word = self.tokens[at].word
            if words.is_denial(word):
                heading = at == 0 or "\n" in self.text[self.tokens[at - 1].end : self.tokens[at].start]
                no_one = self.tokens[at + 1].word in ("one", "way")
                return (word != "no" or no_one) and (heading or ":" not in between)
            if (
                word in words.CLAUSE_STARTS
                or word not in words.FILLERS | words.LEAD_IN | words.STRONG | words.THAT
            ):
                return False
        return False

    def announced(self, index: int) -> bool:
        """Whether the letter ends the reply after a colon and no denial on its line: "My reading: B"."""
        start = self.tokens[index].start
        if index < len(self.tokens) - 1 or not re.search(
            r"[:=][\s\"'*(\[]*$", self.text[max(0, start - 9) : start]
        ):
            return False
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return not any(words.is_denial(word) for word in re.findall(r"[\w']+", line.casefold()))

    def led_up_to(self, index: int) -> bool:
        """Whether the letter follows a turn and a comma, or what it is concluded from: "On reflection, B"."""
        start = self.tokens[index].start
        begin, _ = self.clauses.sentence(start)
        lead = self.text[max(begin, start - 60) : start].rstrip()
        return lead.endswith(",") and (turns(lead) or _FROM.match(self.text[begin:start]) is not None)

    @staticmethod
    def subjectless(passed: list[str]) -> bool:
        """Whether these words, read backwards to the start of a sentence, say "looks like", "should be"."""
        return bool(passed) and passed[0] in words.BE and not set(passed) - words.FILLERS - words.THAT

    def role_after(self, word: str, passed: list[str], last: int) -> Role | None:
        """What a word before a letter makes of it, given the words between; None to read on backwards."""
        if words.is_denial(word) or (word == "instead" and passed[-1:] == ["of"]):
            return "denied"
        direct = not set(passed) - words.FILLERS  # nothing of weight between
        after_be = bool(passed) and passed[0] in words.BE
        if words.is_strong(word) and (direct or not set(passed) - words.FILLERS - words.LEAD_IN):
            return "declared"
        leads = direct and (word in words.LEAD_IN or (word == "it" and bool(words.BE & set(passed))))
        if self.ends_clause(last) and (leads or (words.is_strong(word) and after_be)):
            return "declared"
        if len(passed) < _REACH and (after_be or (direct and word in words.FILLERS)):
            return None  # "the answer shown in the clip is B" may still come
        return "mentioned" if any(words.is_marker(one) for one in (word, *passed)[:2]) else "loose"

    def after(self, index: int) -> Role:
        """Role by the words after: "is wrong", "is the best choice"; "(not A;) B is."."""
        if _ELLIPSIS.match(self.text, self.tokens[index].end):
            return "declared"
        for here in range(index + 1, min(len(self.tokens), index + 1 + _REACH)):
            gap = self.text[self.tokens[here - 1].end : self.tokens[here].start]
            word = self.tokens[here].word
            option = starts_with(self.text, self.options, self.tokens[here].start)  # "B: No parking"
            comment = here == index + 1 and gap.strip() == ":" and not option  # "B: no"
            if words.is_denial(word) and (comment or not _PAUSE.search(gap)):
                return "denied"
            if _PAUSE.search(gap):
                break
            if word == "right" and {"to the", "on the"} & {
                f"{self.tokens[here - 2].word} {self.tokens[here - 1].word}"
            }:
                break
            if word in words.CORRECT or (word in words.GRADES and self.ends_grade(here)):
                return "declared"
            if words.is_marker(word):
                return "mentioned"
            if word not in words.AFTER_FILLERS | words.GRADES:
                break
        return "loose"

    def ends_grade(self, here: int) -> bool:
        """Whether "likely", "better" says it all: "C is more likely.", not "C is likely wrong"."""
        return self.follower(here) in (None, "than", "here", "because", "since", "given")
