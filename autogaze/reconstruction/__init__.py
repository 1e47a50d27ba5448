"""Pictures made from a gaze: what was seen, laid back where it was seen."""
