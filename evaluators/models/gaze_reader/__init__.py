"""The reader behind `gaze_reader`: frames -> tiles -> gaze -> the picture as seen -> text -> a letter.

Example::

    reading = read_video("clip.mp4", ReaderSettings(selector="detail", resolution=3584, ratio=0.25,
    frames=12)) verdict = score_options({"A": "DL3", "B": "DL8"}, reading.lines)    # verdict.letter: "A",
    "B" or None

`settings` what can be asked for; `frames` decoding, cached; `tiling` pictures to tiles; `looking` gaze and
rebuilt picture; `regions` and `packing` what to read, laid on few canvases; `ocr` the engine; `options`
from text to evidence; `reader` all of it in order; `pictures` the same as images for a report.
"""
