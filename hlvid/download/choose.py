"""Which videos a download is to fetch (all that are asked about, or those named, or of one category), and which
entries of the repository they are.

A name is a file's, with or without folder and suffix; several may stand in one word with commas between them.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from hlvid.benchmarks.needed import Wanted
from hlvid.download.archives import Entry
from hlvid.errors import DownloadError


def select(
    wanted: Sequence[Wanted],
    videos: Iterable[str] | None = None,
    questions: Iterable[str] | None = None,
    category: str | None = None,
) -> list[Wanted]:
    """The videos to fetch. `videos` and `questions` add up; `category` narrows; nothing given means everything.

    Raises:
        DownloadError: an unknown video, question or category (with the nearest known one), or nothing left over.
    """
    chosen = list(wanted)
    if videos is not None or questions is not None:
        by_video = {name: one for one in wanted for name in _names(one)}
        by_question = {name: one for one in wanted for name in one.questions}
        named = [_look_up(name, by_video, "video") for name in _split(videos)]
        named += [_look_up(name, by_question, "question") for name in _split(questions)]
        chosen = [one for one in wanted if one in named]
    if category is not None:
        known = sorted({name for one in wanted for name in one.categories})
        if category not in known:
            raise DownloadError(f"--category {category}: is none of {', '.join(known)}")
        chosen = [one for one in chosen if category in one.categories]
    if not chosen and wanted:
        raise DownloadError("nothing to download: no video is both of that category and named")
    return chosen


def choose(
    wanted: Sequence[Sequence[str]], entries: Mapping[str, Entry]
) -> tuple[list[tuple[Entry, str]], tuple[str, ...]]:
    """The entries to fetch, each with where it belongs, and the videos that are nowhere.

    A video is looked for in each of its places, then by its file name alone where just one entry has it:
    repositories have moved their folders before.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in entries.values():
        by_name.setdefault(PurePosixPath(entry.path).name, []).append(entry)
    members, missing = [], []
    for group in wanted:
        found = next((entries[place] for place in group if place in entries), None)
        alike = by_name.get(PurePosixPath(group[0]).name, [])
        if found is None and len(alike) == 1:
            found = alike[0]
        if found is None:
            missing.append(group[0])
        else:
            members.append((found, group[0]))
    return members, tuple(missing)


def _names(one: Wanted) -> set[str]:
    paths = [PurePosixPath(place) for place in one.places]
    return {name for path in paths for name in (str(path), path.name, path.stem)}


def _split(names: Iterable[str] | None) -> list[str]:
    return [part.strip() for name in names or () for part in str(name).split(",") if part.strip()]


def _look_up(name: str, known: dict[str, Wanted], kind: str) -> Wanted:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; do you mean '{close[0]}'?" if close else f"; there are {len(set(known.values()))} videos"
        raise DownloadError(f"{kind} '{name}' is not part of this benchmark{hint}")
    return known[name]
