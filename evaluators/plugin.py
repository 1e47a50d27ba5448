"""What lmms-eval finds of us: it calls `manifests()` through its entry point when it loads its models.

Example (pyproject.toml)::

    [project.entry-points."lmms_eval.models"]
    hlvid = "evaluators.plugin:manifests"

Entry points can only bring models, so the call is also the moment to make our tasks known
(`hlvid.tasks.plugin`). Nothing heavy is imported here: lmms-eval imports a model's class when it is asked
for.
"""

from lmms_eval.models.registry_v2 import ModelManifest

from hlvid.tasks import plugin

#: name -> (class for simple tasks, class for chat tasks)
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


def manifests() -> list[ModelManifest]:
    """Our models as lmms-eval wants them declared; registers our tasks on the way."""
    plugin.register()
    return [
        ModelManifest(model_id=name, simple_class_path=simple, chat_class_path=chat)
        for name, (simple, chat) in MODELS.items()
    ]
