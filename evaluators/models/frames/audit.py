"""Asked, decoded, seen: what was to be shown to a model, what was handed over, what came out of its processor.

`read_run` takes a folder with samples of lmms-eval or of `hlvid eval`, one such file, or a journal.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.models.frames.delivery import Delivery
from evaluators.models.frames.seen import Seen
from evaluators.models.frames.settings import FrameSettings
from hlvid.errors import RunError

if TYPE_CHECKING:
    from rich.table import Table

EXACT = "exact"
SENT = "sent as asked; what a service sees cannot be measured"
Row = Mapping[str, Any]


def audit(settings: FrameSettings, delivery: Delivery, seen: Seen | None, deep: int = 1) -> dict[str, Any]:
    """One question's row, JSON-ready. deep: frames a model packs into one patch; it may repeat the last."""
    return {
        **sent(settings, delivery, _verdict(settings, delivery, seen, deep)),
        "seen": seen and asdict(seen),
    }


def sent(settings: FrameSettings, delivery: Delivery, verdict: str = SENT) -> dict[str, Any]:
    """The row of a question whose frames went to a service, which does not tell what it sees."""
    height, width = delivery.size
    return {
        "asked": {"frames": settings.frames, "resolution": settings.resolution, "fps": settings.fps},
        "decoded": {"frames": delivery.count, "height": height, "width": width},
        "seen": None,
        "distinct": len(set(delivery.indices)),
        "verdict": verdict,
    }


def _verdict(settings: FrameSettings, delivery: Delivery, seen: Seen | None, deep: int) -> str:
    faults = []
    if max(delivery.size) != settings.resolution:
        faults.append(f"decoded at {max(delivery.size)} px instead of {settings.resolution}")
    if seen is None:
        faults.append("what the model saw could not be measured")
        return "; ".join(faults)
    if not 0 <= seen.frames - delivery.count < max(1, deep):
        faults.append(f"{delivery.count} frames became {seen.frames}")
    if (seen.height, seen.width) != delivery.size:
        height, width = delivery.size
        faults.append(f"{width} x {height} px became {seen.width} x {seen.height}")
    return "; ".join(faults) or EXACT


def table(rows: Sequence[Row], title: str = "Frames: asked, decoded, seen") -> "Table":
    """A line for each different row with the number of its questions, the most frequent first."""
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for name in ("asked", "decoded", "seen by the model", "questions", "verdict"):
        made.add_column(name, justify="right" if name == "questions" else "left", overflow="fold")
    counts = Counter((_asked(row), _box(row["decoded"]), _box(row["seen"]), row["verdict"]) for row in rows)
    for (asked, decoded, seen, verdict), count in counts.most_common():
        made.add_row(asked, decoded, seen, str(count), verdict)
    return made


def read_run(path: Path) -> list[dict[str, Any]]:
    """The rows of a run that has any.

    Raises:
        RunError: no such run, or none of its answers has an audit.
    """
    if not path.exists():
        raise RunError(f"{path}: no such run; give its folder, its samples or its journal")
    rows = [row for file in _files_of(path) for row in _rows_of(file)]
    if not rows:
        raise RunError(
            f"{path}: no audited answers; audits are kept by --model hlvid_frames and openai_frames"
        )
    return rows


def _files_of(path: Path) -> list[Path]:
    """The files with a run's answers; a folder of `hlvid eval` holds lmms-eval's own copy of them, too."""
    if path.is_file():
        return [path]
    own = path / "samples.jsonl"
    return [own] if own.is_file() else sorted(path.rglob("*samples*.jsonl")) or sorted(path.glob("*.jsonl"))


def _rows_of(file: Path) -> Iterable[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            sample = json.loads(line)
        except ValueError:  # torn by a kill
            continue
        if isinstance(sample, dict):
            details = sample.get("details") or (sample.get("record") or {}).get("details") or {}
            if isinstance(details.get("audit"), dict):
                yield details["audit"]


def _asked(row: Row) -> str:
    asked = row["asked"]
    frames = f"{asked['fps']:g} fps, at most {asked['frames']}" if asked.get("fps") else f"{asked['frames']}"
    return f"{frames} x {asked['resolution']} px"


def _box(box: Mapping[str, Any] | None) -> str:
    return f"{box['frames']} x {box['width']} x {box['height']}" if box else "?"
