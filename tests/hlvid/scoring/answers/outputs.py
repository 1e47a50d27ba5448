"""Labelled outputs of models, made by a seeded program: families of replies x ways to write a list of options.

Example::

    for case in generated("seen"):            # while rules are changed
        case.family, case.text, case.options, case.letter
    generated("held out")                     # other templates of the same families: looked at by the score alone

A template names the letter meant {L} with its text {T}, another {O} with {U}, a third {P} with {V}; {LIST} is the
options written out, {LINES} the same, one a line. Each family gives every second template to each half.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Options = Mapping[str, str]

SETS: tuple[Options, ...] = (
    {"A": "DL3", "B": "DL5", "C": "DL8", "D": "DL6"},
    {"A": "the red car", "B": "the blue van", "C": "the green bus", "D": "the white truck"},
    {"A": "12:45", "B": "12:46", "C": "17:45", "D": "1:45"},
    {"A": "Hampden St", "B": "Hamden St", "C": "Hampton St", "D": "Camden St"},
    {"A": "A man opens the door", "B": "A woman opens it", "C": "He cannot open the door", "D": "Nobody is there"},
    {"A": "3", "B": "4", "C": "7", "D": "12"},
    {"A": "No parking", "B": "Stop", "C": "One way", "D": "Do not enter", "E": "Yield"},
    {"A": "She puts down the cup.", "B": "She picks up the phone.", "C": "She leaves the room.", "D": "She sits down."},
)  # fmt: skip
ITEMS = ("{k}. {v}", "{k}) {v}", "({k}) {v}", "{k}: {v}", "{k} - {v}", "**{k}.** {v}", "[{k}] {v}", "{k} {v}",
         "- {k}. {v}", "Option {k}: {v}", "{k} = {v}", "**{k}** {v}", "* ({k}) {v}", "{k}.{v}")  # fmt: skip
JOINS = ("\n", ", ", " ", "; ", " | ", "\n\n", " / ")

#: family -> templates; the letter meant is {L} unless the family is in NONE.
ANSWERS: dict[str, tuple[str, ...]] = {
    "letter": ("{L}", "{L}.", "({L})", "[{L}]", "**{L}**", "`{L}`", '"{L}"', "{L})", " {L}\n", "{L}:", "**({L})**", "<{L}>",
               "1. {L}", "- {L}", "> {L}", "* **{L}**"),
    "letter and text": ("{L}. {T}", "{L}) {T}", "({L}) {T}", "{L}: {T}", "**{L}. {T}**", "{L} - {T}", "{L} {T}", "{L}, {T}",
                        "{L}\n{T}", "{T} ({L})", "[{L}] {T}", "{L}: *{T}*"),
    "text": ("{T}", "**{T}**", '"{T}"', "It says {T}", "{T}, clearly", "The text reads “{T}”", "I see {T} there", "Answer: {T}"),
    "sentence": ("The answer is {L}.", "The correct answer is {L}.", "The correct option is ({L}).", "Answer: {L}", "ANSWER: {L}",
                 "answer - {L}", "Final answer: {L}", "The final answer is **{L}**.", "**Answer:** {L}", "### Answer\n{L}",
                 "#### {L}", "So it is {L}.", "I choose {L}.", "I'd go with {L}.", "Option {L} is correct.", "{L} is correct.",
                 "{L} is the correct answer.", "My answer: ({L})", "The best choice is {L}", "I think it's {L}",
                 "Therefore, {L}.", "Hence the answer is option {L}.", "Based on the video, the answer is {L}.",
                 "I would select option {L} here.", "Correct answer: {L}", "It must be {L}.", "Choice: {L}", "The answer's {L}.",
                 "My final choice is {L}!", "Ans. {L}", "Ans: {L}", "Selected option: {L}"),
    "sentence with text": ("The answer is {L}. {T}", "The correct answer is ({L}) {T}", "Answer: {L}) {T}", "So the answer is {L}: {T}",
                           "The answer is {T}, which is option {L}.", "{T} is what it says, so {L}.", "Option {L}, {T}, is right.",
                           "The sign says {T}, so the answer is {L}.", "Final answer: **{L}. {T}**", "I choose {L} because I see {T}."),
    "reasons, then the answer": ("The video shows a street at night.\nThere are lights.\n\nAnswer: {L}", "First {U} seems likely. But looking closely, it is {T}.\nAnswer: {L}",
                                 "A closer look shows it. A sign is there.\n{L}", "I looked at every frame.\n\n**{L}**",
                                 "Step 1: look.\nStep 2: read.\nThe answer is {L}.", "Let's think step by step. At 0:12 a sign appears. So {L}.",
                                 "The frames show a sign.\n\n\\boxed{{{L}}}", "Looking at the sign, I can read it.\n\nFinal answer: ({L})"),
    "list, then the answer": ("{LIST}\nAnswer: {L}", "{LIST}\n\nThe correct answer is {L}.", "{LIST}\n**Answer: {L}**", "{LIST}\n\nThe sign says {T}, so the answer is {L}.",
                              "{LIST}\n\n{L}", "{LIST}\n\n({L})", "{LIST}\nFinal answer: {L}. {T}", "Options:\n{LIST}\nAnswer: {L}", "The options are: {LIST}. The answer is {L}.",
                              "{LIST}\n\n{L}. {T}", "{LINES}\n\nI choose {L}.", "{LINES}\n\\boxed{{{L}}}", "Choices:\n{LINES}\n\nSo it is {L}.",
                              "Let me go through the options.\n{LINES}\nThe best match is {L}.", "{LIST}\n\nCorrect: {L}", "What is shown?\n{LINES}\nAnswer with the letter.\n{L}"),
    "the answer, then a list": ("{L}\n\n{LINES}", "Answer: {L}\n\nOptions:\n{LINES}", "The answer is {L}.\n{LINES}", "**{L}**\n\nThe options were:\n{LINES}",
                                "The answer is {L}. The options are {LIST}", "Answer: {L}\n{LIST}"),
    "list with verdicts": ("{CROSS: ❌|✅}", "{CROSS: ✗|✓}", "{CROSS: (incorrect)|(correct)}", "{CROSS:: wrong|: right}", "{CROSS: - no|- yes}", "{CROSS:: false|: true}",
                           "{CROSS: ✘|✔}", "{CROSS:: No.|: Yes.}", "{CROSS: is wrong.|is correct.}", "{CROSS: ❌|✔️}", "{CROSS: x|✓}", "{CROSS: (wrong)|(right)}"),
    "boxes and tags": ("\\boxed{{{L}}}", "$\\boxed{{\\text{{{L}}}}}$", "\\boxed{{\\textbf{{{L}}}}}", "<answer>{L}</answer>", "<answer>{L}. {T}</answer>", "<ANSWER>{L}</ANSWER>",
                       '{{"answer": "{L}"}}', "{{'answer': '{L}'}}", '```json\n{{"answer": "{L}"}}\n```', "[ANSWER]{L}[/ANSWER]", "<|begin_of_box|>{L}<|end_of_box|>",
                       "<final_answer>{L}</final_answer>", "\\boxed{{({L})}}", "\\boxed{{{L}. {T}}}", "<CONCLUSION>The answer is {L}.</CONCLUSION>", '{{"reason": "clear", "choice": "{L}"}}'),
    "LaTeX": ("Answer: \\textbf{{{L}}}", "The answer is $\\text{{{L}}}$.", "\\text{{Answer: }} {L}", "Answer: \\mathbf{{{L}}}", "The answer is \\({L}\\).", "Answer: \\mathrm{{{L}}}",
              "$${L}$$", "\\[ \\boxed{{{L}}} \\]", "Final Answer: $\\boxed{{{L}}}$", "$\\mathbf{{{L}}}$", "\\underline{{{L}}}", "The answer is \\emph{{{L}}}"),
    "formula in a box": ("hence \\boxed{{P(E) < 3}}.\n\n**Answer: {L}**", "\\boxed{{x = 4}}\nThe answer is {L}.", '{{"confidence": 0.9, "answer": "the second sign"}}\nFinal answer: {L}',
                         "<answer>see below</answer>\nFinal answer: {L}"),
    "thinking": ("<think>maybe {O}</think>{L}", "<think>The answer is {O}.</think>\n\nThe answer is {L}.", "[THINK]maybe {O}[/THINK]{L}", "<thought>The answer is {O}.</thought>{L}",
                 "<|channel|>analysis<|message|>The answer is {O}.<|end|><|channel|>final<|message|>{L}", "<THINK>\\boxed{{{O}}}</THINK>{L}", "<thinking>\n{O}?\n</thinking>\n{L}",
                 "<reasoning>Answer: {O}</reasoning>\n<answer>{L}</answer>", "The answer is {O}, or not.</think>{L}", "◁think▷Answer: {O}◁/think▷{L}", "<|begin_of_thought|>{O}<|end_of_thought|>{L}",
                 "<seed:think>The answer is {O}</seed:think>{L}", "<|START_THINKING|>{O}<|END_THINKING|>{L}", "<analysis>({O})</analysis> ({L})", "<scratchpad>Answer: {O}</scratchpad>Answer: {L}",
                 "<REASONING>Answer: {O}</REASONING><CONCLUSION>{L}</CONCLUSION>", "<think><think>{O}</think> or {P}</think>{L}", "{L}<think>or is it {O}?</think>",
                 "<|start|>assistant<|channel|>analysis<|message|>{O}<|end|><|start|>assistant<|channel|>final<|message|>Answer: {L}<|return|>", "[thinking]Answer: {O}[/thinking] {L}",
                 "<reflection>{O}</reflection>{L}", "<Thought>{O}</Thought>\nFinal answer: {L}", "<think time='3'>{O}</think>{L}", "<details type=\"reasoning\">Answer: {O}</details>{L}"),
    "correction": ("The answer is {O}? No, the answer is {L}.", "The answer could be {O}, but I choose {L}", "Answer: {O}. Wait, no: {L}", "{O}. Actually, {L}.", "Answer: {O}\nCorrection: {L}",
                   "At first I thought {O}, but the answer is {L}.", "It might be {O}, but it is {L}.", "Not {O} but {L}.", "The answer is {O}... no, {L}.", "{O}? No, {L}.",
                   "I initially chose {O}. On second thought, the answer is {L}.", "The answer is not {O}; it is {L}.", "{O} is wrong. The answer is {L}.", "Answer: {O}. Sorry, I mean {L}.",
                   "Answer: {O}\n\nWait, let me look again.\n\nAnswer: {L}", "The answer seems to be {O} at first, however the answer is {L}."),
    "struck out": ("~~{O}~~ {L}", "~~Answer: {O}~~ Answer: {L}", "<s>{O}</s> {L}", "<del>{O}</del> {L}", "The answer is ~~{O}~~ {L}.", "<strike>{O}</strike>\n{L}"),
    "denied, then meant": ("It cannot be {U}; it is {T}.", "It is not {U}. It is {T}.", "Not {U}, but {T}.", "It isn't {O}, it's {L}.", "{U} is wrong, {T} is right.",
                           "It cannot be {O} because that is elsewhere; the answer is {L}.", "We can rule out {O} and {P}. So {L}.", "Neither {O} nor {P}: the answer is {L}."),
    "hedged": ("Unfortunately I can't zoom in, but my best guess is {T}", "I'm not sure, but I think it is {L}.", "I cannot read it clearly. My best guess is {L}.", "It is hard to see; probably {L}.",
               "I'm sorry, the picture is blurry. If I had to guess, {L}.", "I can't be certain, but the answer is {L}.", "If I had to choose, I would choose {L}.", "Not sure. {L}"),
    "marked": ("[x] {L}", "→ {L}", "👉 {L}", "✅ {L}", "{L} ✅", "Answer ➡ {L}", "✓ {L}. {T}", "**✔ {L}**"),
}  # fmt: skip
#: Families in which nothing is meant.
NONE: dict[str, tuple[str, ...]] = {
    "list alone": ("{LIST}", "Options: {LIST}", "{LINES}", "The options are {LIST}", "The choices:\n{LINES}", "What is shown?\n{LINES}", "{LIST}.", "{LINES}\n\nPlease answer with the letter.",
                   "Let me consider {LIST}", "We have {LIST}", "{LINES}\nAnswer:", "{LINES}\n\nThe answer is"),
    "negation": ("Answer: anything but {O}", "It is not {O}.", "{U}? No.", "The answer is not {O}.", "{O} is wrong.", "Not {O}.", "Neither {O} nor {P}.", "It isn't {U}.", "Anything except {O}",
                 "I would rule out {O}.", "{O} is incorrect.", "The answer can't be {O}.", "None of these; certainly not {O}.", "All except {O}", "{O} can be excluded.", "{O} is not the answer."),
    "conditional": ("The answer would be {O} if the car were red. It isn't.", "If the sign were green, the answer would be {O}.", "Had it been red, the answer would be {O}.", "Unless it is red, {O} is wrong.",
                    "If it were night, I would choose {O}.", "The answer would have been {O} if it had stopped.", "If the sign says so, the answer is {O}; otherwise the answer is {P}.",
                    "It would be {O} if I could see a hat, but there is none."),
    "two": ("{O} or {P}", "The answer is {O} or {P}.", "Either {O} or {P}.", "{O} and {P}", "{O}, {P}", "{O}/{P}", "Both {O} and {P} are correct.", "It could be {U} or {V}.", "Answer: {O} and {P}", "{O}\n{P}"),
    "refusal": ("I cannot tell.", "I'm sorry, I can't help with that.", "It is not possible to determine this from the video.", "The text is too blurry to read.", "I don't know.", "Unable to determine.",
                "As an AI I cannot watch videos.", "There is not enough information.", "None of the above.", "I cannot say whether it is {U}.", "I can't tell if it says {U} or {V}.", "Not visible."),
    "empty": ("", " ", "...", "?", "**", "\n\n", "<answer></answer>", "\\boxed{{}}", "Answer:", "The answer is", "Final answer:", "-"),
    "thinking, cut": ("<think>The answer is {O}", "[THINK]The answer is {O}", "<thought>{O}", "<|channel|>analysis<|message|>The answer is {O}.", "<THINKING>\\boxed{{{O}}}", "<reasoning>Answer: {O}",
                      "◁think▷Answer: {O}", "<|begin_of_thought|>{O}", "<analysis>Answer: {O}", "[thinking]{O}", "<seed:think>{O}", "<think>no</think><think>{O}"),
    "no letter": ("A sign is visible.", "I see a street.", "The video shows a car and a man.", "A sign", "U.S.A. is shown", "Vitamin C", "Plan B is shown on TV", "It's a nice day.", "Grade A beef", "Question {O}"),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One output: its family, the text, the options it chooses from and the letter meant, or None."""

    family: str
    text: str
    options: Options
    letter: str | None


def generated(half: str, seed: int = 20261127) -> list[Case]:
    """The "seen" or the "held out" half: the same for everybody, no text twice."""
    wanted = {"seen": 0, "held out": 1}[half]
    found: dict[tuple[str, tuple[str, ...]], Case] = {}
    for case, number in _all(random.Random(seed)):
        if number % 2 == wanted:
            found.setdefault((case.text, tuple(case.options.values())), case)
    return list(found.values())


def _all(draw: random.Random) -> Iterator[tuple[Case, int]]:
    for families, meant in ((ANSWERS, True), (NONE, False)):
        for family, templates in families.items():
            for number, template in enumerate(templates):
                for _ in range(_times(template)):
                    yield _case(family, template, meant, draw), number


def _times(template: str) -> int:
    if "LIST" in template or "LINES" in template:
        return 9
    return 7 if "CROSS" in template else 4 if "{" in template else 1


def _case(family: str, template: str, meant: bool, draw: random.Random) -> Case:
    options = draw.choice(SETS)
    right, other, third = draw.sample(sorted(options), 3)
    if "{CROSS" in template:
        text = _verdicts(template, options, right, draw)
    else:
        item = draw.choice(ITEMS)
        text = template.format(
            L=right, T=_in_running_text(options[right]), O=other, U=_in_running_text(options[other]),
            P=third, V=_in_running_text(options[third]),
            LIST=_listed(options, item, draw.choice(JOINS)), LINES=_listed(options, item, "\n"),
        )  # fmt: skip
    return Case(family, text, options, right if meant else None)


def _listed(options: Options, item: str, join: str) -> str:
    return join.join(item.format(k=key, v=value) for key, value in options.items())


def _verdicts(template: str, options: Options, right: str, draw: random.Random) -> str:
    wrong, good = template[len("{CROSS:") : -1].split("|")
    item = draw.choice(ITEMS[:7]) if draw.random() < 0.5 else "{k}"
    return "\n".join(
        f"{item.format(k=key, v=value.rstrip('.'))}{'' if mark[0] == ':' else ' '}{mark.strip()}"
        for key, value in options.items()
        for mark in [good if key == right else wrong]
    )


def _in_running_text(text: str) -> str:
    return text.rstrip(".")
