"""The reader behind `gaze_reader`: frames -> tiles -> gaze -> the picture as seen -> text -> a letter.

`settings` what can be asked for; `frames` decoding, cached; `tiling` pictures to tiles; `gazing` gaze and
rebuilt picture; `regions` and `packing` what to read, laid on few canvases; `ocr` the engine; `options`
from text to evidence; `reader` all of it in order; `pictures` the same as images for a report.
"""
