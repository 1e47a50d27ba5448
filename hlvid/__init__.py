"""hlvid: the HLVid benchmark: data, video reading, lmms-eval tasks, scoring."""

__version__ = "0.3.0"
