"""Import paths of the published package; the encoders themselves live in `autogaze.encoders`."""
