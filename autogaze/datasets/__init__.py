"""The published package's import paths: `autogaze.datasets.video_utils`."""
