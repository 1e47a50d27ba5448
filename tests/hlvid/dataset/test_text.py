"""hlvid.dataset.text: stems, options and instructions out of one text, in every spacing seen or feared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlvid.dataset.text import MAX_MARKERS, same_but_for_space, split_question, stray_label

ST, AVE, BLVD, RD = HAMPDEN = ["Hampden St", "Hampden Ave", "HampdenBlvd", "Hampden Rd"]
STEM = "What does the white text on the green road sign say?"
DIRECT = "Please answer directly with the letter of the correct answer."


@pytest.mark.parametrize(
    "text",
    [
        f"{STEM}\nA. Hampden \t St\nB.  {AVE}\nC. {BLVD}\nD. {RD}\n{DIRECT}",
        f"{STEM}\nA. {ST}\nB. {AVE}\nC. {BLVD}\nD. {RD}\n{DIRECT}",
        f"{STEM}\n A. {ST}\n B. {AVE}\n C. {BLVD}\n D. {RD}\n {DIRECT}",
        f"{STEM} A. {ST} B. {AVE} C. {BLVD} D. {RD} {DIRECT}",
        f"{STEM}\nA.{ST}\nB.{AVE}\nC.{BLVD}\nD.{RD}\n{DIRECT}",
        f"{STEM}\r\nA. {ST}\r\nB. {AVE}\r\nC. {BLVD}\r\nD. {RD}\r\n{DIRECT}\r\n",
        f"Question: {STEM}\nA.  {ST} \nB. {AVE}\nC. {BLVD}\nD. {RD}  \n\n{DIRECT}\n\n",
        f"<video>\n\nQuestion: {STEM}\nOptions:\n(A) {ST}\n(B) {AVE}\n(C) {BLVD}\n(D) {RD}",
        f"{STEM}\nA) {ST}\nB) {AVE}\nC) {BLVD}\nD) {RD}\nAnswer:",
        f"{STEM} (A) {ST} (B) {AVE} (C) {BLVD} (D) {RD}",
        f"{STEM}\nA: {ST}\nB: {AVE}\nC: {BLVD}\nD: {RD}\nAnswer with the option's letter.",
        f"{STEM}\nA. {ST}   B. {AVE}\nC. {BLVD}   D. {RD}\nRespond with only the letter.",
        f"{STEM}\nA. {ST}\tB. {AVE}\tC. {BLVD}\tD. {RD}",
        f"{STEM}\n\nA. {ST}\n\nB. {AVE}\n\nC. {BLVD}\n\nD. {RD}\n\nThink, then answer.",
        f"{STEM}\nA．{ST}\nB．{AVE}\nC．{BLVD}\nD．{RD}",
        f"{STEM}\nSelect the best answer to the question.\nA. {ST}\nB. {AVE}\nC. {BLVD}\nD. {RD}",
        f"{STEM}\nA. {ST}\nB. {AVE}\nC. {BLVD}\nD. {RD}\nOnly give the best option.\nAnswer:",
    ],
)
def test_one_question_in_many_spacings(text):
    parts = split_question(text)
    assert parts.stem == STEM
    assert list(parts.options) == ["A", "B", "C", "D"]
    assert list(parts.options.values()) == HAMPDEN


def options(text: str) -> list[str]:
    return list(split_question(text).options.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Who?\nA. J. B. Smith\nB. B. Smith\nC. D. C. Lee\nD. D. White",
            "J. B. Smith|B. Smith|D. C. Lee|D. White",
        ),
        ("Who? A. J. B. Smith B. A. Jones C. C. Brown D. D. White", "J. B. Smith|A. Jones|C. Brown|D. White"),
        ("Where?\nA. St. A. B.\nB. Washington D.C.\nC. U.S. Bank", "St. A. B.|Washington D.C.|U.S. Bank"),
        ("Where? A. Washington D.C. B. Lima C. Rome D. Oslo", "Washington D.C.|Lima|Rome|Oslo"),
        ("What is vitamin A. good for? A. bones B. eyes C. skin", "bones|eyes|skin"),
        ("Which, (A) or (B)?\nA. left\nB. right", "left|right"),
        ("Says?\nA. John D. Smith\nB. Bob\nC. Carl D. Smith", "John D. Smith|Bob|Carl D. Smith"),
        ("Time?\nA. 8 A.M.\nB. 9 A.M.\nC. 8 P.M.", "8 A.M.|9 A.M.|8 P.M."),
        ("Sum?\nA. 1.5\nB. -3\nC. (2)\nD. 4", "1.5|-3|(2)|4"),
        (
            "Sign?\nA. Please give way\nB. Choose your lane\nC. Answer",
            "Please give way|Choose your lane|Answer",
        ),
        ("Q?\nA. one\nB. two\nC. three\nD. four\nE. five\nF. six", "one|two|three|four|five|six"),
        ("Text?\nA. first\nline\nB. second\nline", "first line|second line"),
    ],
)
def test_letters_inside_options(text, expected):
    assert "|".join(options(text)) == expected


@pytest.mark.parametrize(
    "text", ["What is it?", "What? A. only one", "", "  \n ", "B. x\nC. y", "A.\nB.\nC.", "Plan A. Then B."]
)
def test_no_options(text):
    assert split_question(text).options == {}


@pytest.mark.parametrize(
    "instruction",
    [
        DIRECT,
        "Answer with the option's letter from the given choices directly.",
        "Please respond with only the letter of the correct answer.",
        "Select the best answer and respond with the letter (A, B, C, or D) only.",
        "Please choose one option.",
        "Now answer with a letter.",
    ],
)
@pytest.mark.parametrize("gap", ["\n", " ", "\n\n"])
def test_instructions(instruction, gap):
    parts = split_question(f"What?\nA. DL3\nB. DL5{gap}{instruction}")
    assert parts.options == {"A": "DL3", "B": "DL5"}
    assert parts.instruction == instruction


def test_stem_may_speak_of_answers_and_letters():
    stem = "Please answer: which letter follows the first letter on the sign?"
    assert split_question(f"{stem}\nA. X\nB. Y").stem == stem


word = st.text("abcdefghijklmnopqrstuvwxyz0123456789#&-", min_size=1, max_size=8)
phrase = st.lists(word, min_size=1, max_size=4).map(" ".join)


@given(
    st.lists(phrase, min_size=2, max_size=6),
    st.sampled_from(["{}. ", " {}. ", "{}.", "({}) ", "{}) ", "{}: "]),
    st.sampled_from(["\n", "\n\n", " ", "   "]),
    st.sampled_from(["", DIRECT]),
)
def test_what_is_joined_comes_apart_again(texts, label, gap, instruction):
    lettered = [label.format("ABCDEF"[i]) + text for i, text in enumerate(texts)]
    parts = split_question(gap.join([STEM, *lettered, *([instruction] if instruction else [])]))
    assert parts.stem == STEM
    assert list(parts.options.values()) == texts


SCREEN = "What does the screen say?\n A. Press any key\n B. Insert card\n C. Enter PIN\n D. {}{}"


@pytest.mark.parametrize(
    "end", ["", f"\n {DIRECT}", f" {DIRECT}", "\nAnswer with the letter only.", "\n\nThink."]
)
@pytest.mark.parametrize(
    "option",
    [
        "Please select an option",
        "Choose option 3",
        "Pay here and select your choice",
        "Insert Card Choose Your Option",
    ],
)
def test_a_screen_may_tell_its_reader_to_choose(option, end):
    parts = split_question(SCREEN.format(option, end))
    assert parts.options["D"] == option
    assert parts.instruction == end.strip()


def test_the_published_instruction_leaves_two_lines_of_an_option_together():
    assert split_question(SCREEN.format(f"Please\nselect an option\n{DIRECT}", "")).options["D"] == (
        "Please select an option"
    )


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("Number?\nA. 3\nB.5\nC.  8\nD .6\n", "D .6"),
        ("Number?\nA. 3\nB. 5\nC 8\nD. 6", "C 8"),
        ("Number?\nA. 3\nB. 5\n(C ) 8", "(C ) 8"),
        ("Number?\nA. 3\nB. 5\nC. 8", ""),
        ("Plan A. Then B.", ""),
    ],
)
def test_a_broken_label_is_noticed(text, stray):
    assert stray_label(text, split_question(text)) == stray


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["A.", "B.", "C.", "(A)", "(B)", "Question:", "<video>", "Options:", DIRECT, "\n", "\r\n"]
            ),
            st.sampled_from(["Please select an option", "Answer:", "  ", "D .6", "\n\n"]),
            st.text(max_size=8),
        ),
        max_size=14,
    ).map(" ".join)
)
def test_the_parts_give_the_text_back_up_to_white_space(text):
    assert same_but_for_space(split_question(text).joined(), text)


@given(st.text(max_size=300))
def test_never_raises_and_options_are_never_empty(text):
    parts = split_question(text)
    assert all(parts.options.values())
    assert "".join(parts.options) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(parts.options)]


def test_hostile_text_is_bounded():
    split_question("A. B. C. D. x " * 20_000)
    assert MAX_MARKERS <= 200
