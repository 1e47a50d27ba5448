"""Errors that a user is meant to read: one line, naming the file or question, the field and the remedy.

The command line prints such an error as `hlvid: <message>` and exits with 1; anything else is a defect of ours
and keeps its traceback. A path that cannot be made, read or written is the user's too: `of_path` words it.
"""

import errno
import os
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FOLDERS = ("HLVID_STATE", "HLVID_DATA", "HLVID_RUNS", "HLVID_GAZE")
"""Variables that name a folder: an error below one of them names the variable."""


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


def first_line(error: BaseException) -> str:
    """What a library said, less the pages it may have said beside; its kind where it said nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def of_path(error: OSError) -> str | None:
    """One line for an error about a path; None for another, such as a network's, which says nothing to a user."""
    if error.filename is None or isinstance(error.filename, int):
        return None
    path = Path(os.fsdecode(error.filename))
    reason = (error.strerror or type(error).__name__).lower()
    if error.errno in FULL:
        return f"{path}: {reason}; free space or choose another folder, and run again: what was written before is kept"
    if isinstance(error, FileExistsError):  # of making a folder
        reason = "a file of that name is in the way"
    for name in FOLDERS:
        folder = Path(os.environ.get(name) or os.sep).expanduser().absolute()
        if os.environ.get(name) and (path.absolute() == folder or folder in path.absolute().parents):
            return f"{path}: cannot be written or read ({reason}); set {name} to another folder"
        if os.environ.get(name) and path.absolute() in folder.parents:  # mkdir names the part that is a file
            return (
                f"{path}: cannot be written or read ({reason}); {name} is {folder}: set it to another folder"
            )
    return f"{path}: cannot be written or read ({reason}); give another path"
