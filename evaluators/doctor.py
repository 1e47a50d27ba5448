"""`hlvid doctor`: what this environment is, and the traps that are known to give wrong numbers or late crashes.

A check returns a `Finding`; each is a small function, so that a new trap is one more function in `CHECKS`.
"""

import importlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from rich.console import Console

from hlvid.paths import data_home, data_roots, state_root, writable

State = Literal["ok", "note", "wrong"]
MARKS: dict[State, str] = {
    "ok": "[green]ok   [/green]",
    "note": "[yellow]note [/yellow]",
    "wrong": "[red]wrong[/red]",
}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: `wrong` has to be mended, `note` is worth knowing."""

    state: State
    text: str


def diagnose() -> bool:
    """Run all checks, print one line each; True when nothing is wrong."""
    console = Console(soft_wrap=True, highlight=False)
    findings = [check() for check in CHECKS]
    for finding in findings:
        console.print(f"{MARKS[finding.state]} {finding.text}")
    return all(finding.state != "wrong" for finding in findings)


def versions() -> Finding:
    """The versions that decide numbers."""
    names = ("hlvid", "lmms-eval", "torch", "transformers", "av", "numpy")
    shown = []
    for name in names:
        try:
            shown.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            return Finding("wrong", f"{name} is not installed; run 'pip install hlvid'")
    return Finding("ok", ", ".join(shown))


def decoder() -> Finding:
    """The decoder of record, and whether it can read and write the codecs that are needed."""
    import av

    missing = [name for name in ("h264", "hevc", "vp9", "av1") if name not in av.codecs_available]
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, value))}" for name, value in av.library_versions.items()
    )
    if missing:
        return Finding(
            "wrong", f"PyAV cannot decode {', '.join(missing)}; install its wheel from PyPI ({libraries})"
        )
    return Finding("ok", f"decoder: PyAV {av.__version__} ({libraries})")


def tasks() -> Finding:
    """Whether plain lmms-eval will find our tasks and models: its plugins are loaded through an entry point."""
    entries = [entry.name for entry in metadata.entry_points(group="lmms_eval.models")]
    if "hlvid" not in entries:
        return Finding("wrong", "lmms-eval will not find the hlvid tasks: reinstall with 'pip install -e .'")
    others = sorted(set(entries) - {"hlvid"})
    if others:
        return Finding(
            "note", f"other lmms-eval plugins: {', '.join(others)}; if one is broken, use our 'lmms_eval'"
        )
    return Finding("ok", "lmms-eval finds the hlvid tasks and models")


def import_names() -> Finding:
    """Whether another distribution also owns the import name `autogaze` (the published package does)."""
    others = sorted({*metadata.packages_distributions().get("autogaze", ())} - {"hlvid"})
    if others:
        owners, remedy = ", ".join(others), f"pip uninstall {' '.join(others)}"
        text = f"'import autogaze' is also owned by {owners}: results may come from it; {remedy}"
        return Finding("wrong", text)
    return Finding("ok", "'import autogaze' is hlvid's own")


def opencv() -> Finding:
    """Whether OpenCV loads: the wheel that the OCR reader brings needs libraries that slim images lack."""
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        remedy = "on Debian and Ubuntu 'apt install libxcb1 libgl1 libglib2.0-0'"
        return Finding("wrong", f"OpenCV cannot be loaded ({error}); {remedy}")
    return Finding("ok", "OpenCV loads")


def reader() -> Finding:
    """Whether `gaze_reader` can run."""
    try:
        for name in ("onnxruntime", "rapidocr", "rapidfuzz"):
            importlib.import_module(name)
    except ImportError as error:
        return Finding("note", f"gaze_reader cannot run ({error}); pip install 'hlvid[reader]'")
    return Finding("ok", "gaze_reader: OCR engine and models are there")


def accelerator() -> Finding:
    """The devices torch sees."""
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Finding("ok", f"GPU: {', '.join(names)}")
    return Finding("note", f"no CUDA device; {torch.get_num_threads()} CPU threads")


def disk() -> Finding:
    """Space where the data goes; the real benchmark takes about 152 GB. Data may be read-only once they are there."""
    home = data_home()
    existing = next(place for place in (home, *home.parents) if place.exists())
    if not existing.is_dir():
        return Finding(
            "wrong",
            f"data folder {home}: cannot be read ({existing} is no folder); set HLVID_DATA to a folder",
        )
    if not writable(home):
        places = ", ".join(map(str, data_roots()))
        return Finding("note", f"data folder {places}: may not be written; what is there can be evaluated")
    free = shutil.disk_usage(existing).free / 1e9
    state: State = "ok" if free > 160 else "note"
    return Finding(
        state, f"data folder {home}: {free:.0f} GB free (HLVid takes 152 GB, HLVid-Mini under 1 GB)"
    )


def state_folder() -> Finding:
    """Runs write their journals and prepared questions here, never below the data."""
    root = state_root()
    if not writable(root):
        return Finding("wrong", f"state folder {root}: cannot be written; set HLVID_STATE to a folder")
    return Finding("ok", f"state folder {root}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    versions,
    decoder,
    tasks,
    import_names,
    opencv,
    reader,
    accelerator,
    disk,
    state_folder,
)
