"""The published tensors' names and ours: a table of patterns, strict on both sides.

>>> ours("mm_projector.layers.2.weight")
'projector.1.weight'
>>> ours("vision_tower.vision_model.head.probe") is None        # not used, and told
True
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from autogaze.model.checkpoint import CheckpointError

Place = str | None | Callable[["re.Match[str]"], str]

TABLE: Mapping[str, Place] = {
    r"llm\.((?:model|lm_head)\..+)": r"llm.\1",
    r"vision_tower\.(vision_model\.(?:embeddings|encoder|post_layernorm)\..+)": r"vision.\1",
    # Ours has no module for the token shuffle, which is their number 0.
    r"mm_projector\.layers\.([1-9]\d*)\.(weight|bias)": lambda m: f"projector.{int(m[1]) - 1}.{m[2]}",
    r"vision_tower\.vision_model\.head\..+": None,  # pooling; per-patch features do not pass it
    r".+\.rotary_emb\.inv_freq": None,  # computed
    r".+\.position_ids": None,
}


def ours(name: str, extra: Mapping[str, str | None] | None = None) -> str | None:
    """Our name of a tensor, None where it is left out. extra: patterns that are tried before the table.

    Raises CheckpointError for a name that no pattern knows.
    """
    dropped = [pattern for pattern, place in TABLE.items() if place is None]
    table = {**(extra or {}), **dict.fromkeys(dropped), **TABLE}
    for pattern, place in table.items():
        if match := re.fullmatch(pattern, name):
            return place(match) if callable(place) else match.expand(place) if place is not None else None
    raise CheckpointError(
        f"tensor {name}: no pattern knows it; give --map FILE with a line '{re.escape(name)}: OUR.NAME', "
        "or ': null' to leave it out"
    )


def read_map(path: Path) -> dict[str, str | None]:
    """Patterns of a user's own: YAML or JSON, a regular expression to our name (`\\1` for a group) or null.

    Raises CheckpointError naming the file and the entry.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise CheckpointError(f"--map {path}: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"--map {path}: expected lines 'PATTERN: NAME' or 'PATTERN: null'")
    for pattern, place in data.items():
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise CheckpointError(f"--map {path}: {pattern!r} is no regular expression ({error})") from error
        if place is not None and not isinstance(place, str):
            raise CheckpointError(f"--map {path}: {pattern}: {place!r}; expected a name or null")
        try:  # with all groups empty
            re.fullmatch(f"{pattern}|", "").expand(place or "")  # type: ignore[union-attr]
        except (re.error, IndexError) as error:
            raise CheckpointError(
                f"--map {path}: {pattern}: {place!r} cannot be filled in ({error})"
            ) from error
    return data
