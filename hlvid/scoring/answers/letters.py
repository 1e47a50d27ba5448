"""Which letters a reply holds, and what it says of each: that it is the answer, that it is not, or nothing.

Example::

    for group in find_groups("A is wrong, so the answer is B.", {"A": "DL3", "B": "DL8"}):
        print(group.letters, group.role)          # ('A',) denied        ('B',) declared

Letters joined as in "A, B or C" form one group and share a role. The words before a group are read backwards
("the answer is", "it is not"), then those after it ("is wrong", "is the best choice"), inside its sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hlvid.scoring.answers import words as words
from hlvid.scoring.answers.clauses import Clauses, turns
from hlvid.scoring.answers.texts import blotted, occurrences, starts_with

Role = Literal["declared", "denied", "mentioned", "loose"]

_TOKEN = re.compile(
    r"[A-Za-zÀ-ɏ]+(?:['’][A-Za-z]+)?|\d+|[\u0370-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_STOP = re.compile(r"[.!?。;；]|\n")
_ENDS_CLAUSE = re.compile(r"\s*(?:$|[^\sA-Za-z0-9À-ɏ(\"'&+])|[ \t]*\n|\s*[(\"']")
_PAUSE = re.compile(r"[.,:;!?\n(–—]")
_COMMA = re.compile(r"[,.;!?\n(–—]")
_FROM = re.compile(
    r"\W*(?:looking|based|given|considering|judging|according|after|having|watching|in my)\b", re.IGNORECASE
)
_ELLIPSIS = re.compile(
    r"\s+(?:it )?(?:is|was|does|did|do|can|could|would|will|has)\s*(?:[.!]|$)"
)  # "A does not match, B does."
_REACH = 8  # words read backwards from a letter, and after it
_TIES = "'’&+-\\/."
_TIED_AFTER = re.compile(r"['’][A-Za-z]|[-&+][\w&+]|\.[A-Za-z]\.")
_OPENING, _CLOSING = "([{\"'*`_", ")]}\"'*`_"


@dataclass(frozen=True)
class Token:
    """A word of the reply, in lower case, and where it stands."""

    word: str
    start: int
    end: int


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


class _Reading:
    """One reply, cut into tokens; methods look at the neighbourhood of a token."""

    def __init__(self, text: str, options: Mapping[str, str]) -> None:
        self.text = text
        self.options = options
        masked = _mask(text, options)
        self.clauses = Clauses(text)
        self.tokens = [Token(m[0].casefold(), m.start(), m.end()) for m in _TOKEN.finditer(masked)]
        self.last_line = text.rstrip().rfind("\n") + 1
        self.leading = self._leading()

    def _leading(self) -> list[bool]:
        """Of each token, whether its line up to and with it holds nothing but words that lead to an answer."""
        lead = words.FILLERS | words.LEAD_IN | words.STRONG
        found: list[bool] = []
        for index, token in enumerate(self.tokens):
            opens = index == 0 or "\n" in self.text[self.tokens[index - 1].end : token.start]
            found.append(token.word in lead and (opens or found[-1]))
        return found

    def groups(self) -> list[Group]:
        found = [index for index in range(len(self.tokens)) if self.is_letter(index)]
        chains: list[list[int]] = []
        for index in found:
            if chains and self.joined(chains[-1], index):
                chains[-1].append(index)
            else:
                chains.append([index])
        return [group for chain in chains for group in self.read(chain)]

    def is_letter(self, index: int) -> bool:
        """Whether a token is a letter naming an option, rather than an article, a pronoun or part of a name."""
        token = self.tokens[index]
        raw = self.text[token.start : token.end]
        if not (len(raw) == 1 and raw.isascii() and raw.isalpha()):
            return False
        if self.delimited(index) or self.in_a_name(index):
            return self.delimited(index)
        if raw.isupper() and index and words.is_marker_or_only(self.tokens[index - 1].word):
            return True
        follower = self.follower(index)
        if raw.islower():  # "c." and "c) DL8" but not "a sign"
            return self.ends_clause(index) and (follower is None or not self.text[token.end].isspace())
        if raw not in "AI" or follower is None or starts_with(self.text, self.options, token.end):
            return True
        return raw == "A" and follower in words.AFTER_LETTER

    def in_a_name(self, index: int) -> bool:
        """Whether signs tie the letter to what stands beside it: "U.S.", "B-52", "I'm", "C++"."""
        token = self.tokens[index]
        before = self.text[max(0, token.start - 1) : token.start]
        pair = before == "/" and index > 0 and len(self.tokens[index - 1].word) == 1  # "A/B" are two letters
        return (before in _TIES and before != "" and not pair) or bool(
            _TIED_AFTER.match(self.text, token.end)
        )

    def follower(self, index: int) -> str | None:
        """The next word if only spaces separate it from this token."""
        if index + 1 == len(self.tokens):
            return None
        following = self.tokens[index + 1]
        gap = self.text[self.tokens[index].end : following.start]
        return following.word if gap and not gap.strip(" \t") and following.word[0] < "\u0370" else None

    def joined(self, chain: list[int], right: int) -> bool:
        """Whether a letter goes on a chain: only "," "/" "&" or a word such as "or" stands between.

        After that word the chain is complete: "between C and D, C is right" is a pair and a single letter.
        """
        left = chain[-1]
        between = [token.word for token in self.tokens[left + 1 : right]]
        gap = self.text[self.tokens[left].end : self.tokens[right].start]
        if (
            len(between) > 3
            or any(word not in words.JOINERS | words.JOINED for word in between)
            or "\n" in gap
        ):
            return False
        if words.JOINERS & set(between):
            return True
        if between:
            return False
        complete = len(chain) > 1 and left - chain[-2] > 1
        signs = set(re.sub(r"[\w\s()\[\]*\"']", "", gap))
        return bool(signs) and signs <= set(",/&+、><=≥") and not complete

    def read(self, chain: list[int]) -> list[Group]:
        """The role of a chain of letters; one group, or two for "the answer is B and A is wrong"."""
        before, opens_line, final, cued = self.before(chain[0], chain[-1])
        after = self.after(chain[-1])
        start = self.tokens[chain[0]].start
        if self.clauses.supposes(start) or (before == "declared" and self.clauses.doubts(start)):
            return [self.group(chain, "loose", False, False)]
        if before == "declared" and after == "denied" and len(chain) > 1:
            whole = self.group(chain[:-1], "declared", opens_line, final)
            return [whole, self.group(chain[-1:], "denied", False, False)]
        order: tuple[Role, ...] = ("denied", "declared", "mentioned", "loose")
        role = next(role for role in order if role in (before, after, "loose"))
        return [self.group(chain, role, opens_line, final, cued or after == "declared")]

    def group(self, chain: list[int], role: Role, opens_line: bool, final: bool, cued: bool = False) -> Group:
        letters = tuple(dict.fromkeys(self.tokens[index].word.upper() for index in chain))
        return Group(
            letters, role, self.tokens[chain[0]].start, self.tokens[chain[-1]].end, opens_line, final, cued
        )

    def before(self, index: int, last: int) -> tuple[Role, bool, bool, bool]:
        """Role by the words before; whether these are all of the line so far; whether one is "final"."""
        passed: list[str] = []  # nearest first
        for here in range(index - 1, -1, -1):
            gap = self.text[self.tokens[here].end : self.tokens[here + 1].start]
            if _STOP.search(gap) and ":" not in gap and self.tokens[here].word != "ans":  # "Ans. B"
                break
            if _COMMA.search(gap) and self.subjectless(passed) and self.ends_clause(last):
                break
            word = self.tokens[here].word
            if (
                not passed
                and index == len(self.tokens) - 1
                and re.search(r"[:.!?]", gap)
                and re.fullmatch("[a-z]", word)
            ):
                break  # "not A, not B: C"
            signs = r"\s*[,.:!—–-]|\s+$" if word in ("actually", "wait") else r"\s*[,.:!—–-]"
            if word in words.TURNS and not passed and re.match(signs, gap):  # "wait, no: B"
                return ("declared" if self.ends_clause(last) else "loose"), False, False, True
            if words.is_denial(word) and _COMMA.search(
                self.text[self.tokens[here].end : self.tokens[index].start]
            ):
                break  # "A does not match, B does"
            earlier = {one.word for one in self.tokens[max(0, here - 3) : here]}
            if word in words.EXCEPT and words.NOTHING & earlier:  # "none other than A", "no option but A"
                return "declared", False, False, True
            if word == "but" and words.ALL & earlier:  # "all but A"
                return "denied", False, False, False
            role = self.role_after(word, passed, last)
            if (
                role == "loose"
                and (self.announced(index) or self.led_up_to(index))
                and self.ends_clause(last)
            ):
                return "declared", False, False, True
            if role is not None:
                if role == "declared" and self.declines(here, index):
                    return "denied", False, False, False
                before = self.tokens[here - 1].word if here else ""
                final = role == "declared" and bool({"final", "finally"} & {before, word, *passed})
                return role, self.leading[here] and self.ends_clause(last), final, role == "declared"
            passed.append(word)
        if self.ends_clause(last) and (
            self.opens_text(index) or self.subjectless(passed) or self.announced(index)
        ):
            return "declared", True, False, False
        named = self.delimited(index) or any(words.is_marker(word) for word in passed)
        return ("mentioned" if named else "loose"), False, False, False

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

    def ends_clause(self, index: int) -> bool:
        """Whether the sentence or clause stops at this letter, or its option's text or a reason follows."""
        end = self.tokens[index].end
        if self.text[end : end + 1] == "?":
            return False
        if _ENDS_CLAUSE.match(self.text, end) or starts_with(self.text, self.options, end):
            return True
        follower = self.follower(index)
        return follower is None or follower in words.CLAUSE_END_WORDS

    def opens_text(self, index: int) -> bool:
        """Whether this is the first word of the reply or of its last line, or all of its last sentence."""
        start, line = self.tokens[index].start, self.last_line
        if index == 0 or (start >= line and self.tokens[index - 1].end <= line):
            return True
        if self.alone_on_line(index):
            return True
        gap = self.text[self.tokens[index - 1].end : start]
        alone = index == 1 and re.fullmatch("[a-z]", self.tokens[0].word)  # "B. D"
        return index == len(self.tokens) - 1 and not alone and re.search(r"[:.!?)\x00]\s", gap) is not None

    def alone_on_line(self, index: int) -> bool:
        """Whether nothing but signs shares its line."""
        end = self.tokens[index].end
        after = self.tokens[index + 1].start if index + 1 < len(self.tokens) else len(self.text)
        before = self.text[self.tokens[index - 1].end if index else 0 : end]
        return "\n" in before and ("\n" in self.text[end:after] or after == len(self.text))

    def delimited(self, index: int) -> bool:
        """Whether the letter stands in brackets, quotes or bold."""
        token = self.tokens[index]
        before = self.text[max(0, token.start - 1) : token.start]
        after = self.text[token.end : token.end + 1]
        return bool(before and after) and before in _OPENING and after in _CLOSING


def _mask(text: str, options: Mapping[str, str]) -> str:
    """The text with option texts that hold a single letter ("B Street", "A man…") blotted out."""
    spans = [
        span
        for letter, option in options.items()
        if re.search(r"(?<!\w)[A-Za-z](?!\w)", option) and len(option.strip()) > 2
        for span in occurrences(text, letter, options)
    ]
    return blotted(text, spans)
