"""What makes two answers the same answer: everything that shaped it, as JSON values, and a hash of them.

One rule for journals, `hlvid eval`, sweeps and the figures' cache: an answer is used again only if nothing that
shaped it changed, and always if nothing did. Places do not count (where data or weights lie, which machine), nor does
what else was asked; contents do.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

from evaluators.core.closure import code_of
from evaluators.core.weights import Named, named_in, weigh
from hlvid.dataset.identity import question_identity
from hlvid.dataset.question import Question
from hlvid.versions import version_of

Identity = dict[str, Any]


class Answering(Protocol):
    """What a model tells about itself (`evaluators.core.base.JournalledModel`).

    Its arguments with their defaults, what is loaded, device and precision, and the modules that answer.
    """

    name: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]]

    def settings(self) -> dict[str, Any]: ...
    def checkpoints(self) -> Named: ...
    def computing(self) -> dict[str, str]: ...
    def sources(self) -> list[str]: ...


PARTS = ("weights", "code", "libraries", "settings", "data", "variables")
"""Fields that are told by their own parts."""
SHOWN = 4


def hash_of(value: Mapping[str, Any]) -> str:
    """16 hex digits that differ as soon as any value does, whatever the order of keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def of_model(model: Answering) -> Identity:
    """What answers: the model with its settings, the content of every checkpoint, our code by its imports."""
    settings, checkpoints = model.settings(), checkpoints_of(model)
    return {
        "model": model.name,
        "settings": {name: value for name, value in settings.items() if name not in checkpoints},
        "weights": weigh(checkpoints),
        **model.computing(),
        "code": code_of(model.sources()),
        "libraries": versions(model.libraries),
    }


def checkpoints_of(model: Answering) -> Named:
    """Those that the model declares, and those that its settings name."""
    settings = model.settings()
    return {**named_in(settings, settings.get("revision")), **model.checkpoints()}


def key_of(question: Question, text: str, generation: Mapping[str, Any], repeat: int = 0) -> str:
    """What was asked: the question by its own content, the text really sent, how to generate, which repetition."""
    asked = {**question_identity(question), "text": text}
    return hash_of({"question": asked, "generation": dict(generation), "repeat": repeat})


def versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions of distributions, "absent" for one that is not there: {"av": "15.1.0"}."""
    return {name: version_of(name) or "absent" for name in sorted(set(names))}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What changed, a line a field: "weights of pretrained changed", "library torch: 2.6.0, now 2.7.0"."""
    found = []
    for field in {**then, **now}:
        old, new = then.get(field), now.get(field)
        if old == new:
            continue
        if field in PARTS and isinstance(old, Mapping) and isinstance(new, Mapping):
            names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            found.append(_told(field, names, old, new))
        else:
            found.append(f"{field}: {_short(old)}, now {_short(new)}")
    return found


def _told(field: str, names: list[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    if field in ("weights", "code", "data"):
        return f"{field} of {shown} changed"
    parts = [f"{name} {_short(old.get(name))}, now {_short(new.get(name))}" for name in names[:SHOWN]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{field}: {'; '.join(parts)}{more}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else f"{text[:56]}…"
