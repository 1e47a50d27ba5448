"""Latency measurements as they are kept: one row a cell, one JSON file a command, its hardware in the name.

The file holds `kind`, `shape`, `hardware`, `settings`, `environment` and `rows`. `analysis` draws it beside the paper's
figures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hlvid.files import write_json

Kind = Literal["vit", "mllm", "selector", "stages", "streaming"]
Status = Literal["ok", "out_of_memory", "skipped"]


@dataclass(frozen=True)
class Row:
    """One cell.

    fps: frames of one second of video; for `stages` the number of frames. resolution: px, long side.
    gazed: with the selector's choice, or every patch. ratio: gazing ratio over all multi-scale tokens that was asked
    for (None: all). reached: the share that was really gazed. selector: its name, None where there is none.
    tiles: of a frame. patches: tokens encoded. llm_tokens: tokens read by the language model.
    median_s, low_s, high_s: seconds, selector included, decoding apart; the fastest and slowest of n rounds.
    stages: median seconds by stage. peak_bytes: of the device, or of the process on a CPU.
    planned_bytes: for `stages`, what `hlvid plan` foretells of the device with this setting.
    attention: "math" (no flash attention, as in the paper) or "fastest". note: why a cell has no number.
    """

    kind: Kind
    fps: int
    resolution: int
    gazed: bool
    ratio: float | None
    dtype: str
    attention: str
    status: Status
    hardware: str
    selector: str | None = None
    reached: float | None = None
    tiles: int | None = None
    patches: int | None = None
    llm_tokens: int | None = None
    median_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    n: int = 0
    stages: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    planned_bytes: int | None = None
    max_fps: float | None = None
    note: str = ""


def facts(kind: Kind, shape: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of a file but its rows."""
    from hlvid.tasks.record import environment

    return {
        "kind": kind,
        "shape": shape,
        "hardware": hardware(str(settings.get("device", "cpu"))),
        "weights": "random, of the true shapes: latency does not depend on the values",
        "settings": dict(settings),
        "environment": environment(),
    }


def hardware(device: str) -> str:
    """The GPU's name, or the processor's with its number of cores."""
    import os

    import torch

    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    from hlvid.tasks.record import cpu

    return f"{cpu()}, {os.cpu_count()} cores"


def save(rows: Sequence[Row], about: Mapping[str, Any], folder: Path) -> Path:
    """Write the file, replacing an earlier one of the same settings on the same hardware; returns its path."""
    dtype = str(about["settings"].get("dtype", "float32"))
    parts = (
        "latency",
        about["kind"],
        about["shape"],
        dtype,
        about["settings"].get("attention", ""),
        about["hardware"],
    )
    path = folder / f"{_slug('-'.join(str(part) for part in parts if part))}.json"
    write_json(path, {**about, "rows": [asdict(row) for row in rows]})
    return path


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")
