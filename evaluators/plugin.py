"""What lmms-eval finds of us: it calls `manifests()` through its entry point when it loads its models.

Example (pyproject.toml)::

    [project.entry-points."lmms_eval.models"]
    hlvid = "evaluators.plugin:manifests"

Entry points can only bring models, so the call is also the moment to make our tasks known
(`hlvid.tasks.plugin`). Nothing heavy is imported here: lmms-eval imports a model's class when it is asked
for.
"""

from lmms_eval.models.registry_v2 import ModelManifest

from evaluators.models.registry import MODELS
from hlvid.tasks import plugin


def manifests() -> list[ModelManifest]:
    """Our models as lmms-eval wants them declared; registers our tasks on the way."""
    plugin.register()
    return [
        ModelManifest(model_id=name, simple_class_path=path, chat_class_path=f"{path}Chat")
        for name, path in MODELS.items()
    ]
