"""Errors that a user is meant to read: one line, naming the file or question, the field and the remedy.

Example::

    raise DatasetError("questions.csv: row 3: column 'answer' is 'F'; allowed: A, B, C, D")

The command line prints such an error as `hlvid: <message>` and exits with 1; anything else is a defect of ours
and keeps its traceback.
"""


class HlvidError(Exception):
    """Base of all errors caused by input, environment or settings rather than by a defect in the code."""


class DatasetError(HlvidError):
    """A question file is missing, malformed or contradicts itself."""


class VideoError(HlvidError):
    """A video is missing, cannot be opened or does not hold the frames asked for."""


class DownloadError(HlvidError):
    """A download or unpacking cannot go on: no space, wrong hash, unsafe archive member."""


class AnswerError(HlvidError):
    """Predictions cannot be scored: unknown question, malformed line, wrong column."""


class RunError(HlvidError):
    """An evaluation cannot start or go on: impossible frame budget, unknown setting, failed model."""
