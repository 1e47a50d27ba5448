"""The arguments of `--model openai_frames`, checked before anything is sent.

lmms-eval writes `--model_args` into its results, so a key may not be among them: `api_key_env` names the
environment variable that holds it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from evaluators.core.arguments import STRICT, read
from evaluators.models.frames.settings import Count, FrameSettings, Positive, Resolution
from hlvid.errors import RunError
from hlvid.video.sampling import Sampling

NAME = "openai_frames"
NO_KEY = "none"
SECRET_NAMES = ("api_key", "apikey", "key", "token", "openai_api_key", "password", "secret", "authorization")


def _json(value: object) -> object:
    """What `extra_body` may be: a mapping, JSON text, or the path of a file with it."""
    if not isinstance(value, str):
        return value
    try:
        text = value if value.lstrip().startswith("{") else Path(value).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise ValueError(f"allowed: a JSON object, or a file with one ({error})") from None


Money = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, config=STRICT)
class ApiSettings:
    """Settings of one endpoint.

    model, base_url: of the endpoint; left out, OPENAI_BASE_URL or else OpenAI's own. api_key_env: the variable that
    holds the key, "none" for a local server without keys. frames, resolution, sampling, fps: as for `hlvid_frames`.
    send: frames as "images", or as one "video" (a `video_url` of JPEGs, which vLLM takes for a video with its own
    times). image_format, quality: JPEG of a quality from 1 to 100, or PNG. detail: OpenAI's word for the pixels it
    looks at. pixel_cap: what the server's processor calls its cap on pixels, "size" or "max_pixels"; it is then
    sent with every request, wide enough for the frames (`mm_processor_kwargs`, vLLM).
    max_new_tokens: instead of the task's. reasoning_effort: the endpoint's word. extra_body: more fields of the
    request. allow_other_model: accept replies of another model than the one asked, as services give them
    when they retire one. send_temperature: False for models that allow none. token_field: what the endpoint calls the
    longest answer.

    Without influence on answers: max_request_mb (10^6 bytes; a larger request is recorded, not sent), concurrency
    (questions at a time), timeout (s, of a silent connection), retries (of the client library), price_in and
    price_out (money for a million tokens), max_cost (money), max_tokens_total, batch (ask through the endpoint's
    batches), batch_mb (10^6 bytes of one), poll (s between two looks at a batch).
    """

    model: str
    frames: Count
    resolution: Resolution
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    sampling: Sampling = "uniform_linspace"
    fps: Positive | None = None
    send: Literal["images", "video"] = "images"
    image_format: Literal["jpeg", "png"] = "jpeg"
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    detail: Literal["auto", "low", "high"] = "auto"
    pixel_cap: Literal["size", "max_pixels"] | None = None
    max_new_tokens: Count | None = None
    reasoning_effort: str | None = None
    extra_body: Annotated[dict[str, Any] | None, BeforeValidator(_json)] = None
    allow_other_model: bool = False
    send_temperature: bool = True
    token_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    max_request_mb: Positive = 20.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    timeout: Positive = 120.0
    retries: Annotated[int, Field(ge=0, le=100)] = 6
    price_in: Money | None = None
    price_out: Money | None = None
    max_cost: Money | None = None
    max_tokens_total: Count | None = None
    batch: bool = False
    batch_mb: Positive = 150.0
    poll: Positive = 30.0

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """From `--model_args`. Raises RunError naming the argument, its value and what is allowed."""
        if secret := next(_secrets({**given, "extra_body": None}), None):
            raise RunError(
                f"{NAME}: {secret} is not taken, for arguments are written into results; "
                "set it in the environment and name the variable with api_key_env="
            )
        here = os.environ.get("OPENAI_BASE_URL") or None  # which the client would take by itself
        given = {**given, "base_url": given.get("base_url") or here}
        settings = read(cls, NAME, given, "model=gpt-4o,frames=32,resolution=1344")
        settings._check()
        return settings

    def shaping(self) -> dict[str, Any]:
        """Those settings that can change an answer: the journal's identity."""
        return {name: value for name, value in asdict(self).items() if name not in NO_INFLUENCE}

    def asked_for(self) -> FrameSettings:
        """Frames and pixels, as `evaluators.models.frames` takes them."""
        return FrameSettings(self.model, self.frames, self.resolution, self.sampling, self.fps)

    def key(self) -> str:
        """The key from the environment. Raises RunError if the variable is not set, or the arguments hold the key."""
        if self.api_key_env == NO_KEY:
            return NO_KEY
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise RunError(
                f"{NAME}: the environment has no {self.api_key_env}; set it, name another variable with "
                "api_key_env=, or give api_key_env=none for a server without keys"
            )
        if key in json.dumps(asdict(self)):
            raise RunError(
                f"{NAME}: the key is among the arguments, which are written into results; leave it out"
            )
        return key

    def _check(self) -> None:
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise RunError(f"{NAME}: max_cost needs price_in and price_out, in money for a million tokens")
        if self.send == "video" and self.image_format != "jpeg":
            raise RunError(
                f"{NAME}: send=video is a row of JPEGs; leave out image_format={self.image_format}"
            )
        url = urlsplit(self.base_url or "")
        if url.username or url.password or url.query:
            raise RunError(
                f"{NAME}: base_url holds a password or a query, which would be written into results"
            )
        if secret := next(_secrets(self.extra_body), None):
            raise RunError(f"{NAME}: extra_body: {secret} would be written into results; see api_key_env")
        if taken := {"model", "messages", "stream", "n"} & set(self.extra_body or ()):
            raise RunError(f"{NAME}: extra_body: {sorted(taken)[0]} is set by {NAME} itself; leave it out")


def _secrets(value: object) -> Any:
    """The names in a nested mapping that only a secret would have."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).lower().replace("-", "_") in SECRET_NAMES:
                yield str(name)
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)


NO_INFLUENCE = (
    *("api_key_env", "max_request_mb", "concurrency", "timeout", "retries", "batch", "batch_mb", "poll"),
    *("price_in", "price_out", "max_cost", "max_tokens_total"),
)
"""Settings of limits, money and patience: they change what a run costs and never an answer."""
