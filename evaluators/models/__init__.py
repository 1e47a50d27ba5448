"""lmms-eval models of this project: `blind` (no pixels), `gaze_reader` (OCR on gazed patches).

Example::

    lmms_eval --tasks hlvid_mini --model blind --model_args strategy=longest

A new model subclasses `evaluators.core.base.JournalledModel` and gets a line in `evaluators.plugin`.
"""
