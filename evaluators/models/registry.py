"""Our models by the names that `--model` takes; imports none of them."""

MODELS = {
    "blind": "evaluators.models.blind.Blind",
    "gaze_reader": "evaluators.models.gaze_reader.model.GazeReader",
    "hlvid_frames": "evaluators.models.frames.model.HlvidFrames",
    "nvila_hd": "evaluators.models.nvila.model.NvilaHD",
    "openai_frames": "evaluators.models.openai.model.OpenAIFrames",
    "nvila_video": "evaluators.models.nvila.model.NvilaVideo",
}
"""name -> class for simple tasks; the one for chat tasks (`evaluators.core.base.for_chat`) is named so, with "Chat"."""
