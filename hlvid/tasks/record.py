"""What results.json of lmms-eval lacks: where a number comes from, and how to get it again.

One `record_<results name>.json` lies beside each results file. It names the versions, the hardware, the decoder, the
revision of this code, the fingerprint of data and prompts, and the command.
"""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hlvid
from hlvid.files import write_json
from hlvid.tasks.arguments import RECORDED
from hlvid.tasks.folder import INFO
from hlvid.versions import OPENCV, version_of
from hlvid.video.pyav import describe

PACKAGES = (
    *("hlvid", "lmms-eval", "torch", "torchvision", "transformers", "accelerate", "datasets"),
    *("av", "decord", "numpy", "pillow", OPENCV),
    *("rapidocr", "onnxruntime", "rapidfuzz"),
)


def environment() -> dict[str, Any]:
    """Versions, hardware and decoder of this machine and process, as JSON values."""
    return {
        "hlvid": hlvid.__version__,
        "git": git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "gpus": _gpus(),
        "packages": {name: version for name in PACKAGES if (version := version_of(name)) is not None},
        "decoder": describe(),
    }


def git_revision() -> dict[str, Any] | None:
    """{"commit": hash, "dirty": tracked files differ} of this clone; None in a wheel."""
    root = Path(hlvid.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "dirty": bool(changes)}


def record(argv: Sequence[str], results: Mapping[str, Any]) -> dict[str, Any]:
    """The entry for one run.

    Args:
        argv: arguments of `lmms_eval`, which run it again together with the "variables" of the environment.
        results: what lmms-eval returns, with "samples" where they were logged.
    """
    tasks = {name: _dataset(config) for name, config in results.get("configs", {}).items()}
    return {
        "command": ["lmms_eval", *argv],
        "variables": {name: os.environ[name] for name in RECORDED if os.environ.get(name)},
        "environment": environment(),
        "datasets": {name: info for name, info in tasks.items() if info},
        "summaries": _summaries(results.get("samples") or {}, tasks),
    }


def path_of(results_file: Path) -> Path:
    """Where the record of a results file lies: one file a run, so that runs ending together share nothing."""
    return results_file.with_name(f"record_{results_file.stem}.json")


def write(results_file: Path, entry: Mapping[str, Any]) -> Path:
    """Write the record that explains a results file; returns its path."""
    path = path_of(results_file)
    write_json(path, entry)
    return path


def _summaries(samples: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy by category, tier and source of every task of ours that has answers and logged its samples."""
    from hlvid.scoring.accuracy import summarize
    from hlvid.scoring.collapse import collapse

    scored = [name for name, info in tasks.items() if info and not info.get("hidden")]
    return {name: asdict(summarize(collapse(samples[name]))) for name in scored if samples.get(name)}


def _dataset(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `hlvid.tasks.folder` wrote about a task's data; None for a task that is not ours."""
    path = Path(str(config.get("dataset_path"))) / INFO
    if not path.is_file():
        return None
    info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return info


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def cpu() -> str:
    """The processor's name; the architecture where the system does not tell."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[dict[str, Any]]:
    """Name and memory (bytes) of each CUDA device."""
    import torch

    devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return [{"name": device.name, "memory": device.total_memory} for device in devices]
