"""The arguments of `--model openai_frames`, checked before anything is sent.

Example::

    ApiSettings.read({"model": "gpt-4o", "frames": 32, "resolution": 1344, "max_cost": 50,
                      "price_in": 2.5, "price_out": 10.0})
    ApiSettings.read({"api_key": "sk-…"})      # RunError: keys come from the environment only

lmms-eval writes `--model_args` into its results, so a key may not be among them: `api_key_env` names the
environment variable that holds it.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self
from urllib.parse import urlsplit

from evaluators.models.frames.settings import SAMPLINGS, FrameSettings
from hlvid.errors import RunError

NAME = "openai_frames"
NO_KEY = "none"
SECRET_NAMES = ("api_key", "key", "token", "openai_api_key", "password")


@dataclass(frozen=True)
class ApiSettings:
    """Settings of one endpoint.

    model, base_url: of the endpoint; None is OpenAI's own. api_key_env: the variable that holds the key,
    "none" for a local server without keys. frames, resolution, sampling, fps: as for `hlvid_frames`.
    image_format, quality: JPEG of a quality from 1 to 100, or PNG. detail: OpenAI's word for the pixels it
    looks at. allow_other_model: accept replies of another model than the one asked, as services give them
    when they retire one. send_temperature: False for models that allow none. token_field: what the endpoint calls the
    longest answer.

    Without influence on answers: max_request_mb (10^6 bytes, refused above), concurrency (questions at a
    time), timeout (s, of a silent connection), retries, max_wait (s, longest wait for a retry), price_in and
    price_out (money for a million tokens), max_cost (money), max_tokens_total.
    """

    model: str
    frames: int
    resolution: int
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    sampling: str = "uniform_linspace"
    fps: float | None = None
    image_format: str = "jpeg"
    quality: int = 90
    detail: str = "auto"
    allow_other_model: bool = False
    send_temperature: bool = True
    token_field: str = "max_tokens"
    max_request_mb: float = 20.0
    concurrency: int = 4
    timeout: float = 120.0
    retries: int = 6
    max_wait: float = 120.0
    price_in: float | None = None
    price_out: float | None = None
    max_cost: float | None = None
    max_tokens_total: int | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """From `--model_args`. Raises RunError naming the argument, its value and what is allowed."""
        names = [one.name for one in fields(cls)]
        for name in given:
            if name in SECRET_NAMES:
                raise RunError(
                    f"{NAME}: {name} is not taken, for arguments are written into results; "
                    "set it in the environment and name the variable with api_key_env="
                )
            if name not in names:
                raise RunError(f"{NAME}: unknown argument {name!r}; allowed: {', '.join(names)}")
        for name in ("model", "frames", "resolution"):
            if given.get(name) is None:
                raise RunError(f"{NAME}: {name} is missing; as in model=gpt-4o,frames=32,resolution=1344")
        settings = cls(**{name: value for name, value in given.items() if value is not None})
        settings._check()
        return settings

    def shaping(self) -> dict[str, Any]:
        """Those settings that can change an answer: the journal's identity."""
        return {name: value for name, value in asdict(self).items() if name not in _NO_INFLUENCE}

    def asked_for(self) -> FrameSettings:
        """Frames and pixels, as `evaluators.models.frames` takes them."""
        return FrameSettings(self.model, self.frames, self.resolution, self.sampling, self.fps)

    def key(self) -> str:
        """The key from the environment. Raises RunError if the variable is not set."""
        if self.api_key_env == NO_KEY:
            return NO_KEY
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise RunError(
                f"{NAME}: the environment has no {self.api_key_env}; set it, name another variable with "
                "api_key_env=, or give api_key_env=none for a server without keys"
            )
        return key

    def _check(self) -> None:
        for name, least, most in _NUMBERS:
            value = getattr(self, name)
            whole = name in _WHOLE
            if value is not None and (
                isinstance(value, bool)
                or not isinstance(value, int if whole else int | float)
                or not least <= value <= most
            ):
                kind = "whole numbers" if whole else "numbers"
                raise RunError(f"{NAME}: {name} is {value!r}; allowed: {kind} from {least} to {most}")
        for name, allowed in _CHOICES:
            if getattr(self, name) not in allowed:
                shown = ", ".join(map(str, allowed))
                raise RunError(f"{NAME}: {name} is {getattr(self, name)!r}; allowed: {shown}")
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise RunError(f"{NAME}: max_cost needs price_in and price_out, in money for a million tokens")
        if self.base_url is not None and urlsplit(str(self.base_url)).password:
            raise RunError(f"{NAME}: base_url holds a password; it would be written into results")


_MANY = 10**12
_NUMBERS: tuple[tuple[str, float, float], ...] = (
    ("frames", 1, 10**6),
    ("resolution", 2, 10**5),
    ("fps", 0.001, 1000),
    ("quality", 1, 100),
    ("max_request_mb", 0.001, 10**6),
    ("concurrency", 1, 256),
    ("timeout", 0.01, 10**6),
    ("retries", 0, 100),
    ("max_wait", 0, 10**6),
    ("price_in", 0, _MANY),
    ("price_out", 0, _MANY),
    ("max_cost", 0, _MANY),
    ("max_tokens_total", 1, _MANY),
)
_WHOLE = ("frames", "resolution", "quality", "concurrency", "retries", "max_tokens_total")
_CHOICES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("sampling", SAMPLINGS),
    ("image_format", ("jpeg", "png")),
    ("detail", ("auto", "low", "high")),
    ("token_field", ("max_tokens", "max_completion_tokens")),
    ("allow_other_model", (True, False)),
    ("send_temperature", (True, False)),
)
_NO_INFLUENCE = (
    *("api_key_env", "max_request_mb", "concurrency", "timeout", "retries", "max_wait"),
    *("price_in", "price_out", "max_cost", "max_tokens_total"),
)
