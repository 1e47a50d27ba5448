"""What the YAML files of `hlvid` and `hlvid_mini` name beside `hlvid.tasks.hooks`: their data.

Example (hlvid_mini.yaml)::

    dataset_path: !function utils.HLVID_MINI      # checks the data, makes them if need be, gives the folder
"""

from hlvid.tasks import folder as docs


def __getattr__(name: str) -> str:
    """`HLVID` and `HLVID_MINI` are computed when lmms-eval loads the task, not when it lists its tasks."""
    if name == "HLVID":
        return str(docs.prepare("hlvid", docs.hlvid_folder()))
    if name == "HLVID_MINI":
        return str(docs.prepare("hlvid_mini", docs.mini_folder()))
    raise AttributeError(name)
