"""Names of sections and pages: what stands in addresses, so that links keep working.

Both are made of [a-z0-9._-] alone (`validate.FOLDER_NAME`), whatever a submitter wrote.
"""

from leaderboard.benchmarks import MINI, MINI_SETS
from leaderboard.board import Entry, Section


def section_id(section: Section) -> str:
    """The benchmark, and of HLVid-Mini the set unless it is the default one."""
    name = (section.revision or "").partition("@")[0]
    if section.benchmark == MINI and name not in ("", MINI_SETS[0]):
        return f"{section.benchmark}-{name}"
    return section.benchmark


def model_page(entry: Entry) -> str:
    """The entry's page, relative to the site's root."""
    return f"models/{entry.benchmark}/{entry.name}.html"


def settings_text(entry: Entry) -> str:
    """What tells entries of one model apart: "detail, ratio 0.10, 8 frames, 896 px"."""
    settings, left_out = entry.submission.settings, len(entry.submission.left_out)
    parts = [
        settings.selector,
        None if settings.gazing_ratio is None else f"ratio {settings.gazing_ratio:.2f}",
        None if not settings.frames else f"{settings.frames:,} frames",
        "no pixels" if settings.frames == 0 else None,
        None if not settings.resolution else f"{settings.resolution:,} px",
        f"{left_out:,} not asked" if left_out else None,
    ]
    return ", ".join(part for part in parts if part)


def label(entry: Entry) -> str:
    """Name and settings in one line, for lists to choose from."""
    settings = settings_text(entry)
    return entry.submission.model.name + (f" ({settings})" if settings else "")
