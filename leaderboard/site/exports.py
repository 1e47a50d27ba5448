"""The board for other programs and readers: JSON, CSV, an RSS feed, and `.eval_results` of the hub.

Texts are a submitter's: CSV cells that a spreadsheet would run as a formula get an apostrophe in front, XML is
escaped as the pages are, and characters that XML cannot hold are dropped.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import yaml

from leaderboard.board import Entry
from leaderboard.site.identity import model_page, settings_text
from leaderboard.site.pages import page

HUB = "bfshi/HLVid"
Facts = Mapping[str, Any]
COLUMNS = (
    "section", "name", "model", "revision", "trust", "openness", "parameters", "accuracy", "low", "high", "method",
    "rank", "n", "right", "no_letter", "frames", "resolution", "selector", "ratio", "tokens", "seconds", "hardware",
    "claimed_percent", "source", "added", "page",
)  # fmt: skip
NEWEST = 50  # items of the feed
_FORMULA = re.compile(
    r"(?:^|[;,\t\r\n])\s*[=+@\t\r-]"
)  # also behind what a spreadsheet may take for a separator
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def board_json(sections: Sequence[Facts], rows: Sequence[Facts], built: datetime) -> str:
    """All sections and entries, readable by people, too."""
    board = {"schema": 1, "built": built.isoformat(), "sections": sections, "entries": rows}
    return json.dumps(board, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def script(target: str, value: object) -> str:
    """A script that sets a global variable: pages opened from disk may load scripts, but not JSON files."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    escaped = text.replace("<", "\\u003c")
    return f"globalThis.{target} = {escaped};\n"


def board_csv(rows: Sequence[Facts]) -> str:
    """One line an entry, LF, with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def feed(rows: Sequence[Facts], titles: Mapping[str, str], url: str | None, built: datetime) -> str:
    """RSS 2.0 of the newest entries; items are linked where the site's address is known."""
    newest = sorted(rows, key=lambda row: (row["added"] or "", row["name"]), reverse=True)[:NEWEST]
    items = [
        {
            "title": _headline(row, titles),
            "description": _description(row),
            "page": row["page"],
            "date": format_datetime(datetime.fromisoformat(row["added"])) if row["added"] else None,
            "guid": f"hlvid-board:{row['section']}/{row['name']}",
        }
        for row in newest
    ]
    return _NOT_XML.sub("", page("feed.xml", items=items, url=url, date=format_datetime(built))) + "\n"


def _headline(row: Facts, titles: Mapping[str, str]) -> str:
    return f"{row['model']}: {100 * row['accuracy']:.1f} % on {titles[row['section']]} ({row['trust']})"


def _description(row: Facts) -> str:
    if row["low"] is None:
        return (
            f"{row['setting'] or 'No settings stated'}. No interval: the number of questions is not stated."
        )
    kind = "clustered by recording" if row["method"] == "clustered" else "Wilson, unclustered: too narrow"
    interval = f"95 % interval {100 * row['low']:.1f} to {100 * row['high']:.1f} % ({kind})"
    rank = f"; possible places {row['rank']['text']}" if row["rank"] else ""
    return f"{row['setting'] or 'No settings stated'}. {interval}{rank}."


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value["text"]
    if isinstance(value, str) and _FORMULA.search(value):
        return f"'{value}"
    return value


def hub_yaml(entry: Entry, url: str | None = None) -> str | None:
    """The content of `.eval_results/hlvid.yaml` for a model's page on the hub; of scored entries on HLVid itself alone.

    Args:
        entry: any.
        url: the site's address, to link what stands behind the number.
    """
    if entry.benchmark != "hlvid" or entry.interval is None or not entry.scored:
        return None
    low, high = 100 * entry.interval.low, 100 * entry.interval.high
    notes = [
        entry.trust,
        settings_text(entry),
        f"95 % interval {low:.1f} to {high:.1f} (clustered by recording)",
    ]
    result: dict[str, Any] = {
        "dataset": {"id": HUB, "task_id": "default"},
        "value": round(100 * entry.accuracy, 2),
        **({"source": {"url": url + model_page(entry), "name": "HLVid leaderboard"}} if url else {}),
        "notes": "; ".join(filter(None, notes)),
    }
    return str(yaml.safe_dump([result], sort_keys=False, allow_unicode=True, width=100))
