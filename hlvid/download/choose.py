"""Which videos a download is to fetch: all, or those named, asked about, or of one category.

Example::

    select(questions, members, videos=["clip_av_video_5_001"], category="av")
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hlvid.dataset.question import Question
from hlvid.download.part_index import Member
from hlvid.errors import DownloadError


@dataclass(frozen=True)
class Selection:
    """The members to fetch, and the videos that questions need but no part holds."""

    members: tuple[Member, ...]
    missing: tuple[str, ...]


def select(
    questions: Sequence[Question],
    members: Sequence[Member],
    videos: Iterable[str] | None = None,
    ids: Iterable[str] | None = None,
    category: str | None = None,
) -> Selection:
    """The members to fetch. `videos` and `ids` add up; `category` narrows; nothing given means everything.

    Raises:
        DownloadError: an unknown video, question or category (with the nearest known one), or nothing left
        over.
    """
    if videos is None and ids is None and category is None:
        needed = {question.video for question in questions}
        missing = tuple(sorted(needed - {member.name for member in members}))
        return Selection(tuple(members), missing)
    wanted = _named(questions, members, videos, ids)
    if category is not None:
        wanted &= _of_category(questions, category)
    if not wanted:
        raise DownloadError("nothing to download: no video is both of that category and named")
    held = {member.name: member for member in members}
    found = tuple(held[name] for name in sorted(wanted) if name in held)
    return Selection(found, tuple(sorted(wanted - held.keys())))


def _named(
    questions: Sequence[Question],
    members: Sequence[Member],
    videos: Iterable[str] | None,
    ids: Iterable[str] | None,
) -> set[str]:
    """The videos named themselves and those of the questions named; all of the questions' if neither is
    given.
    """
    asked_about = {question.id: question.video for question in questions}
    if videos is None and ids is None:
        return set(asked_about.values())
    known = {PurePosixPath(name).stem: name for name in asked_about.values()}
    known |= {PurePosixPath(member.name).stem: member.name for member in members}
    known |= {name: name for name in known.values()}
    chosen = {_look_up(name, known, "video") for name in videos or ()}
    return chosen | {_look_up(str(name), asked_about, "question") for name in ids or ()}


def _of_category(questions: Sequence[Question], category: str) -> set[str]:
    by_category: dict[str, set[str]] = {}
    for question in questions:
        by_category.setdefault(question.category, set()).add(question.video)
    if category not in by_category:
        raise DownloadError(f"category '{category}' is none of {', '.join(sorted(by_category))}")
    return by_category[category]


def _look_up(name: str, known: dict[str, str], kind: str) -> str:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; do you mean '{close[0]}'?" if close else f"; there are {len(set(known.values()))} videos"
        raise DownloadError(f"{kind} '{name}' is not part of this benchmark{hint}")
    return known[name]
