"""Our models by the names that `--model` takes; imports none of them."""

MODELS = {
    "blind": ("evaluators.models.blind.Blind", "evaluators.models.blind.BlindChat"),
    "gaze_reader": (
        "evaluators.models.gaze_reader.model.GazeReader",
        "evaluators.models.gaze_reader.model.GazeReaderChat",
    ),
    "hlvid_frames": (
        "evaluators.models.frames.model.HlvidFrames",
        "evaluators.models.frames.model.HlvidFramesChat",
    ),
    "nvila_hd": ("evaluators.models.nvila.model.NvilaHD", "evaluators.models.nvila.model.NvilaHDChat"),
    "openai_frames": (
        "evaluators.models.openai.model.OpenAIFrames",
        "evaluators.models.openai.model.OpenAIFramesChat",
    ),
    "nvila_video": (
        "evaluators.models.nvila.model.NvilaVideo",
        "evaluators.models.nvila.model.NvilaVideoChat",
    ),
}
"""name -> (class for simple tasks, class for chat tasks)"""
