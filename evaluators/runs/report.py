"""`report.html` of a run: every question with its frames, the gaze over them, options, answer and raw text.

It is made from the run's folder alone and can be made again at any time. The page opens from disk, asks nothing of
a network (its Content-Security-Policy forbids it), and treats all texts of data and models as text: they reach the
page as JSON, and its script puts them in place as text nodes.
"""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tqdm import tqdm

from autogaze.palette import COLOURS
from evaluators.runs.files import RECORD, REPORT, RESULTS, read_json, read_samples
from evaluators.runs.pictures import Album, frame_indices
from evaluators.runs.table import cost
from hlvid.errors import HlvidError


def write_report(folder: Path) -> Path:
    """Write it, and its pictures.

    Raises:
        RunError: not the folder of a finished run.
    """
    results, record = read_json(folder / RESULTS), read_json(folder / RECORD)
    samples, album = read_samples(folder), Album(folder)
    shown = tqdm(samples, desc="pictures", delay=3, leave=False)
    data = {
        "results": results,
        "cost": cost(results),
        "colours": [f"rgb{colour}" for colour in COLOURS],
        "record": {name: flat(value) for name, value in record.items()},
        "questions": [_question(sample, album) for sample in shown],
    }
    environment = Environment(
        loader=PackageLoader("evaluators.runs", "page"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        title=f"{results['task']}, {results['model']}",
        style=_asset("report.css"),
        script=_asset("report.js"),
        data=for_script(data),
    )
    path = folder / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def for_script(data: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever texts it holds."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def verdict(sample: Mapping[str, Any]) -> str:
    """ "right", "wrong", "none" (nothing that could be parsed) or "hidden" (no answer key, or not a task of ours)."""
    if sample["correct"] is None and (sample["parsed"] is not None or sample.get("how") is None):
        return "hidden"
    if sample["parsed"] is None:
        return "none"
    return "right" if sample["correct"] else "wrong"


def flat(value: Any) -> str:
    """A value of a record in one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {flat(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(flat, value)) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _question(sample: dict[str, Any], album: Album) -> dict[str, Any]:
    details = dict(sample["details"])
    note = ""
    try:
        shots = album.shots(Path(str(sample.get("video_path", ""))), details)
    except HlvidError as error:  # a video that is gone or broken by now: the answers are still worth showing
        shots, note = [], str(error)
    return {
        "id": sample["question_id"] + (f", answer {sample['repeat'] + 1}" if "repeat" in sample else ""),
        "task": sample["task"],
        "video": sample["video"],
        "category": sample.get("category"),
        "tier": sample.get("tier"),
        "stem": sample.get("stem") or sample["question_id"],
        "options": list((sample.get("options") or {}).items()),
        "answer": sample.get("answer"),
        "parsed": sample["parsed"],
        "how": sample.get("how"),
        "raw": sample.get("raw_output"),
        "verdict": verdict(sample),
        "shots": shots,
        "frames": len(frame_indices(details)),
        "note": note or str(details.get("message") or ""),
        "details": [[name, flat(value)] for name, value in details.items()],
    }


def _asset(name: str) -> str:
    return (resources.files("evaluators.runs") / "page" / name).read_text(encoding="utf-8")
