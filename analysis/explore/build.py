"""From a video, or a folder that `hlvid eval` left, to the page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from analysis.explore.page import Chapter, asked, write_page
from analysis.explore.series import replay, watch
from analysis.inputs import Inputs
from analysis.records import Run, runs
from evaluators.core.gaze_file import load as load_gaze
from evaluators.gaze import DEFAULT_RATIO, check_ratio
from hlvid.errors import RunError
from hlvid.mini.evidence import Seen
from hlvid.mini.evidence import load as load_boxes


def explore(
    target: Path,
    out: Path,
    inputs: Inputs,
    *,
    ratio: float | None,
    loss: float | None,
    frames: int,
    width: int,
) -> Path:
    """The page of a video or of a run; returns its index.html.

    Raises RunError for something that is neither, or a run that kept no gaze.
    """
    if target.is_dir():
        return explore_run(target, out)
    check_ratio(ratio)
    selector = inputs.looker(tells=inputs.tells | {"codec"})
    if loss is not None and selector.name != "autogaze":
        raise RunError(
            f"--loss: selector {selector.name} predicts no loss; give --ratio, or --selector autogaze"
        )
    ratio = DEFAULT_RATIO if ratio is None and loss is None and selector.name != "everything" else ratio
    question = inputs.question
    story = watch(target, selector, ratio=ratio, loss=loss, frames=frames, width=width, question=question)
    asked_for = ", ".join(f"{k} {v:g}" for k, v in (("ratio", ratio), ("loss", loss)) if v is not None)
    return write_page([Chapter(story)], out, f"{target.name}: {inputs.describe(selector)}, {asked_for}")


def explore_run(folder: Path, out: Path) -> Path:
    """The page of a run of `hlvid eval`: every video with its gaze, its questions, answers, evidence."""
    found = [run for run in runs([folder]) if run.folder == folder]
    if not found:
        raise RunError(
            f"{folder}: no results.json of `hlvid eval` there; give a video or the folder of a run"
        )
    run = found[0]
    by_video: dict[str, list[dict[str, Any]]] = {}
    for sample in run.samples():
        if sample.get("details", {}).get("gaze_file"):
            by_video.setdefault(sample["video_path"], []).append(sample)
    if not by_video:
        raise RunError(
            f"{folder}: this run kept no gaze; run a gazing model (gaze_reader, nvila_hd) with `hlvid eval`"
        )
    chapters = [
        _chapter(run, Path(path), samples)
        for path, samples in tqdm(by_video.items(), desc="videos", leave=False)
    ]
    return write_page(chapters, out, run.label)


def _chapter(run: Run, path: Path, samples: list[dict[str, Any]]) -> Chapter:
    gazes = load_gaze(run.folder / "gaze" / samples[0]["details"]["gaze_file"])
    story = replay(path, gazes, str(run.arguments.get("selector", run.results["model"])))
    boxes = _boxes(path)
    return Chapter(story, [asked(sample, boxes.get(sample["question_id"], [])) for sample in samples])


def _boxes(video: Path) -> Mapping[str, list[Seen]]:
    """Evidence of the dataset the video lies in; only HLVid-Mini has some."""
    root = video.parent.parent
    return load_boxes(root) if (root / "evidence.jsonl").is_file() else {}
