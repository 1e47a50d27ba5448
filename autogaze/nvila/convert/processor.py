"""What a published checkpoint's processor files say: AutoGaze's grid and weights, normalisation."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogaze.encoders.config import parse_scales
from autogaze.nvila.convert.code import Code
from autogaze.nvila.convert.refused import RefusedError

RELEASED_SCALES, RELEASED_PATCH = (56, 112, 224, 448), 16
AUTOGAZE, MOVED = "nvidia/AutoGaze", "bfshi/AutoGaze"


def gaze_grid(processor: Mapping[str, Any], code: Code, notes: list[str]) -> tuple[tuple[int, ...], int]:
    """On which AutoGaze counts: what processor_config.json hands to the constructor, else its defaults."""
    for origin in (processor, code.defaults):
        if "target_scales" in origin and "target_patch_size" in origin:
            return parse_scales(origin["target_scales"]), int(origin["target_patch_size"])
    notes.append(
        f"no code says on which grid AutoGaze counts: {list(RELEASED_SCALES)} at {RELEASED_PATCH} px, "
        "the published code's, is taken"
    )
    return RELEASED_SCALES, RELEASED_PATCH


def selector(given: str | None, processor: Mapping[str, Any], code: Code, notes: list[str]) -> str:
    """AutoGaze's weights: those given, else those the processor names. Raises RefusedError where there are none."""
    named = str(
        given or processor.get("autogaze_model_id") or code.defaults.get("autogaze_model_id") or AUTOGAZE
    )
    if named == MOVED and not Path(named).is_dir():
        notes.append(f"the processor names {named}, which has moved: {AUTOGAZE} is taken")
        return AUTOGAZE
    there = (Path(named) / "config.json").is_file()
    if not there and (Path(named).is_dir() or not re.fullmatch(r"[\w.-]+/[\w.-]+", named)):
        raise RefusedError(
            f"AutoGaze's weights: {named}: no checkpoint in this folder, and no hub id; name another"
        )
    return named


def statistics(preprocessor: Mapping[str, Any]) -> tuple[float, float]:
    """image_mean and image_std: one number each, since ours knows no more."""
    out = []
    for name in ("image_mean", "image_std"):
        values = preprocessor.get(name, 0.5)
        values = set(values) if isinstance(values, list) else {values}
        if len(values) != 1:
            raise RefusedError(
                f"preprocessor_config.json: {name} is {sorted(values)}; one number for all channels is known"
            )
        out.append(float(values.pop()))
    if (factor := preprocessor.get("rescale_factor", 1 / 255)) and abs(factor * 255 - 1) > 1e-6:
        raise RefusedError(f"preprocessor_config.json: rescale_factor is {factor}; 1/255 is known")
    if preprocessor.get("resample", 3) != 3:
        raise RefusedError(
            f"preprocessor_config.json: resample is {preprocessor['resample']}; 3 (bicubic) is known"
        )
    return out[0], out[1]
