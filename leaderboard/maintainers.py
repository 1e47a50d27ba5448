"""What people grant: who maintains the board, whose an entry is, and which results somebody has reproduced.

Example of `leaderboard/maintainers.toml`, which pull requests of others may not change::

    maintainers = ["ann"]                              # logins of the forge

    [owners]
    "hlvid/some-model" = ["bob"]                       # may change this folder

    [[reproduced]]
    entry = "hlvid/some-model"
    by = "carol"                                       # not an owner
    date = 2026-11-21
    log = "https://example.org/run-of-carol"
    predictions = "sha256:…"                           # of predictions.jsonl; other predictions lose the mark

Git has no way to check an author line, so nothing is inferred from commits or from what a submission says of itself.
"""

import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, ValidationError, model_validator

from hlvid.dataset import file_hash
from hlvid.errors import RunError
from leaderboard.format.schema import FOLDER

FILE = "leaderboard/maintainers.toml"

Login = Annotated[
    str, BeforeValidator(lambda text: str(text).strip().casefold()), Field(min_length=1, max_length=60)
]
Place = Annotated[str, Field(pattern=rf"^[a-z0-9_]+/{FOLDER}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Grant(_Strict):
    """Somebody ran an entry's model again and came to its result."""

    entry: Place
    by: Login
    date: datetime.date
    log: HttpUrl
    predictions: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")


class Maintainers(_Strict):
    """The whole file; an absent one grants nothing."""

    maintainers: tuple[Login, ...] = ()
    owners: Mapping[Place, tuple[Login, ...]] = {}
    reproduced: tuple[Grant, ...] = ()

    @model_validator(mode="after")
    def _by_others(self) -> "Maintainers":
        for grant in self.reproduced:
            if grant.by in self.owners.get(grant.entry, ()):
                raise ValueError(f"{grant.entry}: {grant.by} owns it; a second run is somebody else's")
        return self

    def may_change(self, login: str, place: str) -> bool:
        """Whether an account may change an entry that is on the board: its owners and the maintainers."""
        return login.casefold() in (*self.maintainers, *self.owners.get(place, ()))

    def grant(self, place: str, predictions: Path) -> tuple[Grant | None, str | None]:
        """The grant for an entry's present predictions; or why the one on record no longer counts."""
        grant = next((one for one in self.reproduced if one.entry == place), None)
        if grant is None or file_hash(predictions) == grant.predictions:
            return grant, None
        return None, f"{grant.by} reproduced other predictions than these, on {grant.date}"


def read(text: str, where: str = FILE) -> Maintainers:
    """The file's content.

    Raises:
        RunError: not TOML, or a field that is wrong; with its name.
    """
    try:
        return Maintainers.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RunError(f"{where}: is not TOML: {error}; correct it") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "(all)"
        raise RunError(
            f"{where}: {field}: {first['msg']}; see leaderboard/maintainers.py for an example"
        ) from None


def beside(submissions: Path) -> Maintainers:
    """The file next to a folder of submissions."""
    path = submissions.parent / Path(FILE).name
    return read(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else Maintainers()
