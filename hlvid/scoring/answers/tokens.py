"""A reply cut into words: which of them are letters that name an option, and what stands around each.

>>> reading = Tokens("A man opens it, so B or C.", {"A": "a man opens it", "B": "DL3", "C": "DL8"})
>>> reading.chains()                                     # the places of B and C, which are joined
[[1, 3]]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hlvid.scoring.answers import words
from hlvid.scoring.answers.clauses import Clauses
from hlvid.scoring.answers.texts import blotted, occurrences, starts_with

_TOKEN = re.compile(
    r"[A-Za-zÀ-ɏ]+(?:['’][A-Za-z]+)?|\d+|[\u0370-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_ENDS_CLAUSE = re.compile(r"\s*(?:$|[^\sA-Za-z0-9À-ɏ(\"'&+])|[ \t]*\n|\s*[(\"']")
_TIES = "'’&+-\\/."
_TIED_AFTER = re.compile(r"['’][A-Za-z]|[-&+][\w&+]|\.[A-Za-z]\.")
_OPENING, _CLOSING = "([{\"'*`_", ")]}\"'*`_"


@dataclass(frozen=True)
class Token:
    """A word of the reply, in lower case, and where it stands."""

    word: str
    start: int
    end: int


class Tokens:
    """One reply, cut into words; methods look at the neighbourhood of one, named by its place."""

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

    def chains(self) -> list[list[int]]:
        """The letters in order, those that are joined ("A, B or C") in one list."""
        chains: list[list[int]] = []
        for index in (one for one in range(len(self.tokens)) if self.is_letter(one)):
            if chains and self.joined(chains[-1], index):
                chains[-1].append(index)
            else:
                chains.append([index])
        return chains

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
