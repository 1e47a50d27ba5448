"""The dataset that a figure is about: found on disk, or HLVid-Mini made on the spot.

Example::

    root = dataset_root(inputs)        # the folder with data/ and videos/; "mini" is generated if it is not there
"""

from pathlib import Path

from analysis.inputs import Inputs


def dataset_root(inputs: Inputs) -> Path:
    """The dataset's folder; HLVid-Mini of the default preset is made where it is asked for and missing.

    Raises DatasetError where another dataset is not there.
    """
    from hlvid.dataset import locate
    from hlvid.mini import make

    return make() if inputs.dataset == "mini" else locate(inputs.dataset).root
