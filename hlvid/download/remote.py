"""Where a benchmark's files come from: the Hugging Face hub, or a folder of the same layout.

A remote can do two things only: list its files with sizes and hashes, and read a range of bytes of one of
them. Reading by range is what lets us fetch one video out of a 9.5 GB tar and go on in mid-file after a kill.
"""

import hashlib
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from hlvid.errors import DownloadError

TRIES = 5


@dataclass(frozen=True)
class RemoteFile:
    """One file of a remote: `sha256` where it states one (LFS), `git_sha1` for plain git files."""

    path: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None


class Remote(Protocol):
    """What a download needs to know about its origin; `revision` names one exact state of all its files."""

    @property
    def repo(self) -> str: ...

    @property
    def revision(self) -> str: ...

    def files(self) -> list[RemoteFile]: ...

    def read(self, path: str, start: int, length: int) -> bytes: ...


class HubRemote:
    """A dataset repository on the hub (or a mirror: `endpoint`, else $HF_ENDPOINT), at one revision."""

    def __init__(self, repo: str, revision: str, endpoint: str | None = None) -> None:
        self.repo = repo
        self._asked = revision
        self._endpoint = endpoint
        self._ranges_work = False

    @cached_property
    def _info(self) -> Any:
        """Everything the hub tells about the repository at our revision, file sizes and hashes included."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        try:
            return HfApi(endpoint=self._endpoint).dataset_info(
                self.repo, revision=self._asked, files_metadata=True, timeout=30
            )
        except GatedRepoError as error:
            raise DownloadError(
                f"{self.repo}: gated; accept its terms on the hub, then 'hf auth login'"
            ) from error
        except RevisionNotFoundError as error:
            raise DownloadError(f"{self.repo}: the hub has no revision '{self._asked}'") from error
        except RepositoryNotFoundError as error:
            raise DownloadError(f"{self.repo}: not on the hub, or private: then 'hf auth login'") from error
        except Exception as error:
            raise DownloadError(
                f"{self.repo}: the hub cannot be reached ({_brief(error)}); try again"
            ) from error

    @property
    def revision(self) -> str:
        """The commit that the revision asked for stands for."""
        return str(self._info.sha)

    def files(self) -> list[RemoteFile]:
        """All files of the repository; raises DownloadError if the hub tells no size."""
        found = []
        for item in self._info.siblings or []:
            if item.size is None:
                raise DownloadError(f"{self.repo}: the hub tells no size of {item.rfilename}")
            sha256 = item.lfs["sha256"] if item.lfs else None
            found.append(RemoteFile(item.rfilename, item.size, sha256, None if sha256 else item.blob_id))
        return found

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of `path` from `start` on; tries again on a broken connection, then raises
        DownloadError.
        """
        for attempt in range(1, TRIES + 1):
            try:
                self._check_ranges(path)
                data = self._open(path, cache_type="none", size=start + length, at=start).read(length)
                if len(data) == length:
                    return bytes(data)
                problem: Exception = ConnectionError(f"{len(data)} of {length} bytes came")
            except DownloadError:
                raise
            except Exception as error:
                problem = error
            status = getattr(getattr(problem, "response", None), "status_code", 0)
            if attempt == TRIES or 400 <= status < 500:
                break
            time.sleep(2**attempt / 4)
        raise DownloadError(
            f"{self.repo}: {path}: bytes {start}+{length}: {_brief(problem)}; run again to go on"
        ) from problem

    def _open(self, path: str, at: int, **how: Any) -> Any:
        """The hub's own file object at byte `at`, told the size so that it need not ask for it."""
        from huggingface_hub import HfFileSystem

        system = HfFileSystem(endpoint=self._endpoint)  # one a thread: the class keeps them
        file = system.open(f"datasets/{self.repo}@{self.revision}/{path}", "rb", **how)
        file.loc = at
        return file

    def _check_ranges(self, path: str) -> None:
        """Once: a server that sends the whole file for a range would fill the memory with 9.5 GB."""
        if self._ranges_work:
            return
        if self._status_of_a_range(path) != 206:
            raise DownloadError(
                f"{self.repo}: the server at {self._endpoint or 'the hub'} ignores range requests; "
                "use another endpoint"
            )
        self._ranges_work = True

    def _status_of_a_range(self, path: str) -> int:
        from huggingface_hub import hf_hub_url, utils

        client: Any = utils  # which does not declare what it hands out
        session = client.get_session()
        if not hasattr(session, "mount"):
            with self._open(path, block_size=0, at=1) as stream:
                stream.read(1)
                return int(getattr(stream.response, "status_code", 206))
        # huggingface_hub 0.x is built on requests, and its streams begin without a range.
        url = hf_hub_url(
            self.repo, path, repo_type="dataset", revision=self.revision, endpoint=self._endpoint
        )
        headers = {**client.build_hf_headers(), "Range": "bytes=1-1"}
        with session.get(url, headers=headers, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            return int(answer.status_code)


class FolderRemote:
    """A folder laid out like the hub repository: a mirror on disk, or a stand-in for tests.

    Hashes are taken from a file `SHA256SUMS` ("<hex>  <path>" a line, as sha256sum prints) where there is
    one.
    """

    repo = "folder"

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DownloadError(f"{folder}: no such folder to download from")
        self._folder = folder

    @cached_property
    def revision(self) -> str:
        """ "folder-<hex>" of names, sizes and stated hashes."""
        listing = "\n".join(f"{file.path} {file.size} {file.sha256}" for file in self.files())
        return f"folder-{hashlib.sha256(listing.encode()).hexdigest()[:16]}"

    def files(self) -> list[RemoteFile]:
        """All files below the folder, hidden ones left out."""
        sums_file = self._folder / "SHA256SUMS"
        lines = sums_file.read_text().splitlines() if sums_file.is_file() else []
        sums = {
            path.lstrip("*").strip(): digest for digest, _, path in (line.partition(" ") for line in lines)
        }
        files = sorted(path for path in self._folder.rglob("*") if path.is_file() and path != sums_file)
        names = [(path, path.relative_to(self._folder).as_posix()) for path in files]
        return [
            RemoteFile(name, path.stat().st_size, sums.get(name))
            for path, name in names
            if not any(part.startswith(".") for part in name.split("/"))
        ]

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of `path` from `start` on."""
        with (self._folder / path).open("rb") as file:
            file.seek(start)
            data = file.read(length)
        if len(data) != length:
            raise DownloadError(f"{self._folder / path}: ends before byte {start + length}; has it changed?")
        return data


def _brief(error: Exception) -> str:
    """The first line of an error of the hub's client, whose messages run over many."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
