"""autogaze: gaze (which multi-scale patches to look at), selectors, gazed encoders."""
