"""Whether a clause asserts what it names, or supposes, asks or takes it back.

>>> spans = Clauses("If it were red, the answer would be A. It is B.")
>>> spans.supposes(35), spans.supposes(47)
(True, False)
>>> turns("The answer is A? No, the answer is B.")      # what follows corrects what went before
True

Sentences end at . ! ? ; and line breaks.
"""

import re
from bisect import bisect_right

_END = re.compile(r"[.!?;。！？；\n](?!\d)")
_IF = re.compile(
    r"^\W*(?:were|should) (?:it|this|that|there|he|she|they|i|the)\b|\b(?:if|unless|otherwise|whether|suppose|supposing"
    r"|assuming|provided (?:that|the|it)|as long as|in case|depend(?:s|ing) on|else (?:it|the|[a-j]\b)"
    r"|would(?:n't| not)? have been|had (?:it|the|this|that|there|he|she|they|i)\b(?! to))\b"
    r"|如果|假如",
    re.IGNORECASE,
)
#: An "if" that supposes nothing: "if I had to guess", "even if", "if I'm not mistaken".
_GUESS = re.compile(
    r"\b(?:even if|as if|if (?:i|we) (?:had|have|were|am|was|must|need)(?: forced)? (?:to )?"
    r"(?:guess|choose|pick|say|select|answer|decide|bet|forced|not mistaken|right|correct)"
    r"|if i'm (?:not mistaken|right|correct|forced)|if (?:forced|pressed|anything)\b)",
    re.IGNORECASE,
)
#: Nor does looking, unless something would follow from it: "if you look closely, it says B".
_LOOK = re.compile(
    r"\bif (?:you|we|one|i) (?:look|watch|zoom|pause|read|check|see|saw|understand|remember|recall)\w*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\W*(?:is|are|was|does|do|did|would|could|should|might|may|can|will|shall)\b", re.IGNORECASE
)
_WOULD = re.compile(r"\b(?:would|could)\b|'d\b", re.IGNORECASE)
_TURN = re.compile(
    r"\b(?:but|however|actually|edit(?:ed)?|revis\w+|updated?|amended|correct(?:ed|ion)|wait|sorry|rather|instead|yet"
    r"|i take (?:that|it) back|changed my mind|scratch that|i mean|hold on"
    r"|(?:on|upon|after) (?:second|closer|further|reflection|reconsider\w*|re-?\w+)\b"
    r"|let me (?:re|look|check|correct|think|see)\w*|no(?=\s*[,.:!—–-]))",
    re.IGNORECASE,
)
_ALSO = re.compile(r"\b(?:also|too|as well|both|equally|either|another)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,:，：()\x00]|\b(?:but|however|so|therefore|because|yet|though)\b", re.IGNORECASE)
_DOUBT = re.compile(
    r"\b(?:do(?:es)?(?:n't| not) (?:think|believe|see|know|look)|(?<!no )(?<!out )(?<!out a )(?<!beyond )doubt"
    r"|can't|cannot|can not|couldn't|could not|unable"
    r"|not (?:sure|certain|convinced)|(?:wrong|incorrect|false) (?:answer|option|choice)|(?:wrong|incorrect)\s*$"
    r"|avoid|exclud\w+|eliminat(?:e|es|ed|ing)|never|none of)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:could|might|may|possibly|at first|initially|first|originally|thought"
    r"|believed|assumed|was going|tempted|looks? like|seems?|seemed|appears?"
    r"|perhaps|maybe)\b",
    re.IGNORECASE,
)


class Clauses:
    """The sentences of a text, each looked at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in _END.finditer(text))]
        self._supposes: dict[int, bool] = {}

    def sentence(self, position: int) -> tuple[int, int]:
        """Start and end of the sentence that holds a position."""
        index = bisect_right(self.starts, position) - 1
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)
        return self.starts[index], end

    def supposes(self, position: int) -> bool:
        """Whether the sentence there is conditional, or asks whether."""
        start, end = self.sentence(position)
        if start not in self._supposes:
            sentence = _GUESS.sub(" ", self.text[start:end])
            if not _WOULD.search(sentence):
                sentence = _LOOK.sub(" ", sentence)
            asks = sentence.rstrip().endswith("?") and _ASKS.match(sentence)
            self._supposes[start] = bool(asks) or _IF.search(sentence) is not None
        return self._supposes[start]

    def hedged(self, position: int) -> bool:
        """Whether the clause, up to there, says "might", "at first", "looks like"."""
        return _HEDGE.search(self.clause(position)) is not None

    def doubts(self, position: int) -> bool:
        """Whether the clause, up to there, says "I don't think", "cannot say", "the wrong answer"."""
        return _DOUBT.search(self.clause(position)) is not None

    def clause(self, position: int) -> str:
        """What its clause says before a position; at most 120 characters."""
        start, _ = self.sentence(position)
        return _CLAUSE.split(self.text[max(start, position - 120) : position])[-1]


def turns(between: str) -> bool:
    """Whether words between two answers take the first back: "no,", "wait", "but", "actually"."""
    return _TURN.search(between) is not None and not _ALSO.search(between)
