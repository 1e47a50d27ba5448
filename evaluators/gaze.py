"""`hlvid gaze VIDEO`: watch a selector look at a video. An overlay film, a contact sheet, and the numbers.

    report = gaze_video(Path("clip.mp4"), "detail", ratio=0.1, out=Path("runs/gaze"))
    report["ratio"], report["overlay"]              # 0.0997, "runs/gaze/clip.detail.mp4"

Works on any length and resolution in constant memory: 16 frames are decoded, gazed, drawn and encoded at a
time.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.core.device import check_device
from hlvid.errors import RunError
from hlvid.video import Video, sampling
from hlvid.video.picture import Picture
from hlvid.video.tiles import fit_long_side

if TYPE_CHECKING:
    from autogaze.selectors.told import Told

SHEET_ROWS = 6
FILM_RATE = 8
DEFAULT_RATIO = 0.1


def gaze_video(
    video: Path,
    selector: str = "detail",
    ratio: float | Sequence[float] | None = None,
    loss: float | None = None,
    out: Path = Path("runs/gaze"),
    checkpoint: str | None = None,
    resolution: int = 1344,
    frames: int = 64,
    device: str = "cpu",
    question: str | None = None,
) -> dict[str, Any]:
    """Gaze at `frames` frames spread over `video`, its longer side scaled down to `resolution` px at most.

    Writes `<name>.<selector>.mp4`, `.png` and `.json` into `out`; returns what the JSON holds: settings,
    ratios (whole, per frame, in both conventions), tokens by scale, seconds by stage. `checkpoint` is for
    selectors with weights, `question` for selectors that look by it. Without ratio and loss the ratio is
    `DEFAULT_RATIO`, where the selector needs one. Raises RunError for settings that do not go together, VideoError
    for a video that cannot be read; then nothing is written.
    """
    from autogaze import selectors
    from evaluators.core.told import told_of

    if frames < 1 or resolution < 32:
        raise RunError(f"frames={frames}, resolution={resolution}: expected at least 1 frame and 32 px")
    check_device(device)
    check_ratio(ratio)
    settings = {"checkpoint": checkpoint, "device": device} if selector in selectors.LEARNED else {}
    try:
        tool = selectors.get(selector, **settings)
    except ValueError as error:
        raise RunError(str(error)) from error
    needs = selectors.needs_of(tool)
    if "question" in needs and question is None:
        raise RunError(f"--selector {selector} looks by a question; give one with --question")
    if ratio is None and loss is None and selector != "everything":
        ratio = DEFAULT_RATIO
    with Video.open(video) as source:
        out.mkdir(parents=True, exist_ok=True)
        side = min(resolution, max(source.width, source.height))
        size = fit_long_side(source.width, source.height, side)
        indices = sampling.uniform_linspace(source.frame_count, min(frames, source.frame_count))
        told = told_of(source, indices, size, needs, question)
        job = _Job(source, indices, size, told, out / f"{video.stem}.{selector}", f"{video.name}, {selector}")
        try:
            job.run(tool, ratio, loss)
        except ValueError as error:
            raise RunError(f"{video}: {error}") from error
        report = job.report(tool.settings(), ratio, loss)
    job.path(".json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def check_ratio(ratio: float | Sequence[float] | None) -> None:
    """Raises RunError for a gazing ratio, or one of several, outside (0, 1]."""
    values = ratio if isinstance(ratio, Sequence) else [] if ratio is None else [ratio]
    for value in values:
        if not (math.isfinite(value) and 0 < value <= 1):
            raise RunError(f"--ratio {value:g}: allowed are numbers above 0 and up to 1")


@dataclass
class _Job:
    """One video on its way: reads, gazes, draws, encodes, and keeps count."""

    source: Video
    indices: Sequence[int]
    size: tuple[int, int]
    told: "Told"
    stem: Path
    title: str
    seconds: dict[str, float] = field(default_factory=dict)
    per_frame: list[float] = field(default_factory=list)
    finest: list[float] = field(default_factory=list)
    by_scale: dict[int, int] = field(default_factory=dict)
    rows: list[Picture] = field(default_factory=list)

    def path(self, suffix: str) -> Path:
        """An output file beside the others; names may hold dots, so no `with_suffix`."""
        return self.stem.with_name(self.stem.name + suffix)

    def run(self, tool: Any, ratio: float | Sequence[float] | None, loss: float | None) -> None:
        """Chunk after chunk until the video ends."""
        import av
        from PIL import Image
        from tqdm import tqdm

        from autogaze.anyres import gaze_video as gaze_chunks
        from autogaze.overlay import contact_sheet

        chunks = gaze_chunks(
            self._decoded(), tool, ratio=ratio, loss=loss, told=self.told, indices=self.indices
        )
        partial = self.path(".partial.mp4")
        with av.open(str(partial), "w") as film, tqdm(total=len(self.indices), unit="frame") as bar:
            stream: Any = None
            while True:
                with self._clock("gaze", minus="decode"):
                    chunk = next(chunks, None)
                if chunk is None:
                    break
                for picture in self._drawn(chunk):
                    with self._clock("encode"):
                        stream = stream or _film_stream(film, picture)
                        film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                    bar.update()
            film.mux(stream.encode())
        partial.replace(self.path(".mp4"))
        Image.fromarray(contact_sheet(self.rows, self.title)).save(self.path(".png"))

    def _decoded(self) -> Iterator[Picture]:
        stream = self.source.stream(self.indices, self.size)
        while True:
            with self._clock("decode"):
                item = next(stream, None)
            if item is None:
                return
            yield item[1]

    def _drawn(self, chunk: Any) -> Iterator[Picture]:
        """Each frame of a chunk as three panels."""
        from autogaze.gaze import Boxes
        from autogaze.overlay import Panels
        from autogaze.reconstruction.paste import rebuild

        panels = Panels.for_size(*self.size)
        with self._clock("rebuild"):
            shown = (chunk.tiling.lay(chunk.pixels) * 255).byte().permute(0, 2, 3, 1).cpu().numpy()
            again = chunk.tiling.lay(rebuild(chunk.pixels, chunk.gaze))
            again = (again * 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        boxes = chunk.boxes()
        valid = chunk.tiling.valid
        visible = int(valid.sum()), int(valid[:, -196:].sum())  # of all scales, and of the finest
        for t in range(len(shown)):
            with self._clock("draw"):
                here = boxes.frame == t
                mine = Boxes(*(part[here].cpu() for part in boxes))
                self._count(mine.scale.tolist(), chunk.gaze.scales, visible)
                number = self.indices[chunk.start + t]
                caption = f"{number / self.source.fps:.1f} s   {self.per_frame[-1]:.1%} of patches gazed"
                picture = panels.draw(shown[t], mine, again[t], caption, chunk.gaze.scales)
                self._remember(picture)
            yield picture

    def _count(self, scales: list[int], sizes: Sequence[int], visible: tuple[int, int]) -> None:
        self.per_frame.append(len(scales) / visible[0])
        self.finest.append(len(scales) / visible[1])
        for index, size in enumerate(sizes):
            self.by_scale[size] = self.by_scale.get(size, 0) + scales.count(index)

    def _remember(self, picture: Picture) -> None:
        """Keep evenly spread frames for the contact sheet, and no more than it shows."""
        number, rows = len(self.per_frame) - 1, min(SHEET_ROWS, len(self.indices))
        wanted = [round(i * (len(self.indices) - 1) / max(1, rows - 1)) for i in range(rows)]
        if number in wanted:
            self.rows.append(picture)

    @contextmanager
    def _clock(self, stage: str, minus: str | None = None) -> Iterator[None]:
        """Add the time spent to `stage`, less what was counted under `minus` meanwhile."""
        start, before = time.perf_counter(), self.seconds.get(minus or "", 0.0)
        try:
            yield
        finally:
            inner = self.seconds.get(minus or "", 0.0) - before
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start - inner

    def report(self, settings: dict[str, Any], ratio: Any, loss: float | None) -> dict[str, Any]:
        """Everything measured, as JSON values."""
        return {
            "video": str(self.source.path),
            "selector": settings,
            "asked": {"ratio": ratio, "loss": loss},
            "frames": list(self.indices),
            "size": {"height": self.size[0], "width": self.size[1]},
            "decoder": self.source.decoder,
            "ratio": sum(self.per_frame) / len(self.per_frame),
            "ratio_of_finest": sum(self.finest) / len(self.finest),
            "ratio_per_frame": self.per_frame,
            "tokens_by_scale": {str(scale): count for scale, count in self.by_scale.items()},
            "seconds": {stage: round(spent, 4) for stage, spent in self.seconds.items()},
            "overlay": str(self.path(".mp4")),
            "sheet": str(self.path(".png")),
            "numbers": str(self.path(".json")),
        }


def _film_stream(film: Any, picture: Picture) -> Any:
    """An H.264 stream that any player shows."""
    stream = film.add_stream("libx264", rate=FILM_RATE, options={"crf": "18", "preset": "veryfast"})
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    return stream
