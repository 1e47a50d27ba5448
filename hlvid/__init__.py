"""hlvid: the HLVid benchmark: data, video reading, lmms-eval tasks, scoring.

Example::

    from hlvid.dataset import load
    questions = load("mini")
"""

__version__ = "0.2.0"
