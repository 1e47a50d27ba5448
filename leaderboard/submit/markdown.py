"""Untrusted text inside Markdown: pull-request text and the CI's summary.

>>> escape("<script>|@all\\n# hi")        # shows exactly these characters, in one line
'&lt;script&gt;\\\\|&#64;all \\\\# hi'
"""

import html
import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"[\\`*_{}\[\]#!|~$]")


def escape(text: object) -> str:
    """Text that Markdown shows as it is: no markup, HTML, link, mention or line break."""
    line = " ".join(str(text).split())
    marked = html.escape(_SPECIAL.sub(lambda match: f"\\{match[0]}", line), quote=False)
    return re.sub(r"(://|www\.)", "\u2060\\1", marked).replace("@", "&#64;")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; header and cells are escaped."""
    lines = ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])
