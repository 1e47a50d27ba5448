"""The published package's import path for the model, so that code written for it runs here unchanged.

from autogaze.models.autogaze import AutoGaze, AutoGazeConfig, AutoGazeImageProcessor
"""

from autogaze.config import AutoGazeConfig
from autogaze.model import AutoGaze
from autogaze.processing import AutoGazeImageProcessor

__all__ = ["AutoGaze", "AutoGazeConfig", "AutoGazeImageProcessor"]
