"""What a model thought before it answered, taken away: thoughts name options that are not its answer.

>>> without_thinking("[THINK]The answer is A")           # cut off before an answer
('', True)

Known are tags in angle, square and other brackets, in any case, by the names that open models use, and the
channels of gpt-oss. A closing tag without an opening one ends thoughts that a chat template opened.
"""

import re

_NAME = (
    r"(?:\w{1,20}[:_])?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflections?|analysis|scratch_?pad|monologue|rationale|cot"
    r"|deliberation|planning|contemplat(?:e|ion|or))(?:_(?:process|step)s?)?"
)
_TAG = re.compile(
    r"(?P<close><\|end_(?:of_)?(?:thought|thinking)\|>|<end_working_out>|<unused95>|</details>|<\|channel\|>\s*final\b"
    rf"|<\|?\s*/\s*{_NAME}\s*\|?>|\[/{_NAME}\]|\{{/{_NAME}\}}|◁/{_NAME}▷)"
    rf"|(?P<open><\|?\s*{_NAME}(?:\s[^<>|]{{0,200}})?\|?>|\[{_NAME}\]|\{{{_NAME}\}}|◁{_NAME}▷"
    r"|<start_working_out>|<unused94>|<details[^<>]{0,80}reason[^<>]{0,80}>|<\|channel\|>\s*(?:analysis|commentary|thoughts?)\b)",
    re.IGNORECASE,
)


def without_thinking(text: str) -> tuple[str, bool]:
    """The text outside all thoughts, and whether the last one never ended. One pass."""
    kept: list[str] = []
    position, thinking, opened = 0, False, False
    for tag in _TAG.finditer(text):
        if tag["open"]:
            if not thinking:
                kept.append(text[position : tag.start()])
            thinking = opened = True
        elif thinking:
            thinking = False
        elif tag[0].lower() != "</details>" or opened:
            kept.clear()  # a template opened what ends here
        else:
            continue
        position = tag.end()
    if not thinking:
        kept.append(text[position:])
    return " ".join(kept), thinking
