"""Words that say what a letter in a model's reply is doing there; data for `letters`.

>>> "answer" in STRONG, is_denial("isn't")               # "the answer is B" names it, "it isn't B" denies it
(True, True)

English first; the commonest words of other languages, since models answer in the language they think in. All
in lower case, as `str.casefold` leaves them.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: A letter after one of these is the answer, whatever follows it.
STRONG = _words(
    """
    answer answers ans correction choosing selecting picking opt settle bet lean leaning vote prefer favor
    favour key choose chose pick picked select selected response antwort respuesta opción réponse resposta
    risposta antwoord svar vastaus jawaban cevap odpowiedź odpověď răspuns válasz án wähle nehme choisis elijo
    escolho scelgo ответ выбираю الإجابة الجواب उत्तर selection
    decision only solution prediction result outcome verdict output
    """
)
#: A letter after one of these is the answer if its clause ends there ("so B." but not "so B looks odd").
LEAD_IN = _words(
    """
    so thus therefore hence finally conclusion clearly elimination definitely probably likely obviously
    certainly maybe but rather instead it's its think believe guess say mean meant go going correct right best
    correcta correto corretta richtige richtig bonne assistant yes ok okay sure that's leaves leaving supports
    points matches fits closest
    """
)
#: Passed over between such a word and its letter.
FILLERS = _words(
    """
    is be are was would should must might may could 's the to on toward towards it'd that'd this question above
    of for following my most i'd i option choice letter number with final a ist es est é è la le el l der die
    das says as sure one match fit seems looks appears like has indeed really actually
    """
)
BE = _words("is be was are 's ist es est é è must seems looks like")
TURNS = _words(
    "no actually wait rather hmm sorry instead correction edit edited revised update updated"
)  # before a comma: what follows corrects
ALL = _words("anything everything all any every each whatever")
NOTHING = _words("none nothing no nobody")  # "nothing but B" is B
EXCEPT = _words("but except than besides save")
MARKERS = _words("option choice candidate")  # a letter beside one of these is meant as one

#: In scripts without spaces: looked for inside the characters before the letter.
STRONG_PARTS = ("答案", "答え", "正解", "정답", "选", "選", "回答", "应该是", "應該是", "답")
MARKER_PARTS = ("选项", "選項", "選択肢")
DENIAL_PARTS = ("不是", "不选", "ではな")

DENIALS = _words(
    """
    not no nor neither never isn wasn cannot except without out exclude excluded excludes eliminate eliminated
    eliminates wrong incorrect false unlikely impossible less than kein keine nicht ni non pas não не unable
    least worst refuse refuses refused discard discarded reject rejected dismiss dismissed nobody hardly unlike
    fails mistake nowhere
    """
)
JOINERS = _words("well or and nor und oder ou et y o e или и 或 和 及")
JOINED = _words("as maybe possibly perhaps probably also even option choice the")
CORRECT = _words(
    "correct right best true answer matches match fits fit choice agrees corresponds aligns works remains"
)
GRADES = _words("likely probable plausible convincing better closer closest")
AFTER_FILLERS = _words(
    """
    is are was be do does did seems looks would must the most more only one that which final stands out as far
    much likely probably clearly my a both appears to can could should
    """
)
#: After an "A" these show that it is a letter, not the article.
AFTER_LETTER = _words(
    """
    is are was isn't wasn't does doesn't because since as and or but nor with for given based which not due if
    while in on at from the it it's says shows reads matches seems looks would must should can cannot can't
    could has states that appears fits so i this und oder instead rather over than cannot stands
    """
)
CLAUSE_STARTS = _words("so thus therefore hence but rather instead")
THAT = _words("that way case possible true likely")
CLAUSE_END_WORDS = _words("because since as given based which due for so but not rather instead over i than")

REFUSALS = (
    "cannot", "can't", "can not", "unable to", "don't know", "do not know", "not sure", "unsure", "no way to tell",
    "not enough information", "insufficient", "not possible", "impossible to", "not visible", "too blurry",
    "as an ai", "无法", "不知道", "no lo sé", "weiß es nicht", "je ne sais pas", "i'm sorry", "i apologize",
)  # fmt: skip


def is_denial(word: str) -> bool:
    """Whether a word (lower case) turns what stands beside it into its opposite."""
    return word in DENIALS or word.endswith(("n't", "n’t")) or any(part in word for part in DENIAL_PARTS)


def is_strong(word: str) -> bool:
    """Whether a letter after this word is the answer."""
    return word.removesuffix("'s") in STRONG or any(part in word for part in STRONG_PARTS)


def is_marker_or_only(word: str) -> bool:
    """Whether a capital after this word is a letter and no article: "option A", "only A fits"."""
    return word == "only" or is_marker(word)


def is_marker(word: str) -> bool:
    """Whether a letter beside this word names an option."""
    return word in MARKERS or any(part in word for part in MARKER_PARTS)
