"""The published package's import path for the model, so that code written for it runs here unchanged.

from autogaze.models.autogaze import AutoGaze, AutoGazeConfig, AutoGazeImageProcessor
"""

from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.processing import AutoGazeImageProcessor

__all__ = ["AutoGaze", "AutoGazeConfig", "AutoGazeImageProcessor"]
