"""The published package's import paths: `autogaze.models.autogaze`."""
