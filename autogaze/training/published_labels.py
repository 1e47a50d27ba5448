"""The labels that the authors published, as label shards: `gazing_labels.json` of `bfshi/AutoGaze-Training-Data`.

One entry a video, named by the last three parts of its path (data set, split, file): `gazing_pos`, tokens 0 to 264 of
each of its first 16 frames in the order taken, and `task_losses`, the published reconstruction loss after each. A
shorter video repeats its last frame; one that cannot be read is left out by name. Frames are brought to 224 x 224 px,
as the released training does before it crops at random.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from autogaze.gaze import tokens_per_frame
from autogaze.training.clips import SIZE, as_clip
from autogaze.training.label_making import SHARD, Part, agree, fill
from autogaze.training.labels import LabelError, LabelledClip, save
from hlvid.errors import VideoError
from hlvid.video import Video

TOKENS = tokens_per_frame()
PARTS = 3


def make_published(
    out: str | Path,
    labels: str | Path,
    videos: str | Path,
    part: Part = "train",
    processes: int = 1,
    progress: bool = True,
) -> Path:
    """Fill folder `out` with the labelled clips of all videos that are below `videos`; resumable as `make_labels`.

    Raises LabelError naming file and entry, or where no video of the part is there.
    """
    source = Path(labels)
    entries = read(source)
    root = Path(videos)
    here = [
        key
        for key in sorted(entries)
        if part in ("all", PurePosixPath(key).parent.name) and (root / key).is_file()
    ]
    if not here:
        raise LabelError(
            f"labels {source}: none of its {len(entries)} videos is under {root} (looked for part {part}, as "
            f"{root / next(iter(sorted(entries)), 'SET/train/NAME.mp4')}); give the folder that holds the data sets"
        )
    shards = dict(_shards(here))
    own = {"published": source.name, "bytes": source.stat().st_size, "part": part}
    folder, clips = Path(out), {name: len(keys) for name, keys in shards.items()}
    agree(folder, own, clips)
    jobs = {name: (name, {key: entries[key] for key in keys}) for name, keys in shards.items()}
    fill(folder, clips, jobs, partial(_make_shard, folder, root), processes, progress)
    return folder


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Every entry by data set, split and file name. Raises LabelError for a file that is no such labels."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabelError(f"labels {path}: no such file") from error
    except ValueError as error:
        raise LabelError(f"labels {path}: not JSON ({error}); fetch it again") from error
    if not isinstance(content, dict):
        raise LabelError(
            f"labels {path}: a {type(content).__name__}, expected an object with an entry a video"
        )
    return {"/".join(PurePosixPath(key).parts[-PARTS:]): value for key, value in content.items()}


def clip_of(video: Path, key: str, entry: Mapping[str, Any]) -> LabelledClip:
    """One labelled clip. Raises LabelError naming the entry and its field, VideoError for a broken video."""
    order, losses = (_lists(key, entry, field) for field in ("gazing_pos", "task_losses"))
    for t, tokens in enumerate(order):
        if not all(isinstance(token, int) and 0 <= token < TOKENS for token in tokens):
            raise LabelError(
                f"entry {key}: gazing_pos of frame {t} holds other than whole numbers of 0 to {TOKENS - 1}"
            )
    with Video.open(video) as opened:
        count = opened.frame_count
        found = opened.frames(range(min(len(order), count)), (SIZE, SIZE))
    pictures = [found[min(t, count - 1)] for t in range(len(order))]
    try:
        return LabelledClip(as_clip(pictures), tuple(map(tuple, order)), tuple(map(tuple, losses)))
    except ValueError as error:
        raise LabelError(f"entry {key}: {error}") from error


def _lists(key: str, entry: Mapping[str, Any], field: str) -> Sequence[Sequence[Any]]:
    found = entry.get(field) if isinstance(entry, Mapping) else None
    if not isinstance(found, list) or not found or not all(isinstance(part, list) and part for part in found):
        raise LabelError(f"entry {key}: {field} is missing or no list of a list a frame")
    return found


def _shards(keys: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Shards of one data set each, by name."""
    sets: dict[str, list[str]] = {}
    for key in keys:
        sets.setdefault(PurePosixPath(key).parts[0], []).append(key)
    for name, mine in sets.items():
        for number in range(-(-len(mine) // SHARD)):
            yield f"{name}-{number:04d}.safetensors", mine[number * SHARD : (number + 1) * SHARD]


def _make_shard(folder: Path, root: Path, job: tuple[str, Mapping[str, Any]]) -> int:
    name, entries = job
    clips = []
    for key, entry in entries.items():
        try:
            clips.append(clip_of(root / key, key, entry))
        except VideoError as error:
            warnings.warn(f"labels: {key} left out: {error}", stacklevel=1)
    if clips:
        save(folder / name, clips)
    return len(entries)
