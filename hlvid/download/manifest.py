"""The download's memory: `hlvid-download.json` in the dataset folder.

Example::

    manifest = read_manifest(Path("~/.cache/hlvid/hlvid").expanduser())
    manifest.revision, manifest.videos["clip_av_video_3_000.mp4"].sha256

It records which revision the folder holds, what each tar part contains, and the size and hash of every video
fetched, so that a later run need not ask again and a result can name its data.
"""

import os
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hlvid.download.part_index import Member
from hlvid.download.parts import sync_folder
from hlvid.errors import DownloadError

MANIFEST = "hlvid-download.json"


class PartRecord(BaseModel):
    """One tar part: its members, and whether its sha256 was found right with all of them unpacked."""

    size: int
    sha256: str | None
    verified: bool = False
    members: list[Member]


class VideoRecord(BaseModel):
    """One fetched video, as it was when its last byte had come."""

    part: str
    size: int
    sha256: str


class Manifest(BaseModel):
    """What a dataset folder holds, of which repository at which revision."""

    repo: str
    revision: str
    questions: dict[str, str] = Field(default_factory=dict)  # path -> sha256
    parts: dict[str, PartRecord] = Field(default_factory=dict)
    videos: dict[str, VideoRecord] = Field(default_factory=dict)

    def save(self, root: Path) -> None:
        """Replace the file in one step, so that a kill leaves the old or the new one."""
        fresh = root / f".{MANIFEST}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(root / MANIFEST)
        sync_folder(root)


def read_manifest(root: Path) -> Manifest | None:
    """A dataset folder's manifest; None where nothing was downloaded; DownloadError if it is damaged."""
    path = root / MANIFEST
    if not path.is_file():
        return None
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise DownloadError(f"{path}: damaged; remove it, the videos are kept and checked again") from error


def open_manifest(root: Path, repo: str, revision: str) -> Manifest:
    """The folder's manifest, or a new one; a folder of another revision is refused, never mixed."""
    manifest = read_manifest(root)
    if manifest is None:
        return Manifest(repo=repo, revision=revision)
    if manifest.revision != revision:
        raise DownloadError(
            f"{root}: holds {manifest.repo} at revision {manifest.revision}, not {revision}; "
            "give --revision to go on with it, or another --root"
        )
    return manifest
