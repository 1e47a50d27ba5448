"""lmms-eval models of this project: `blind` (no pixels), `gaze_reader` (OCR on gazed patches).

A new model subclasses `evaluators.core.base.JournalledModel` and gets a line in `evaluators.plugin`.
"""
