"""What a download did, in words."""

from dataclasses import dataclass
from pathlib import Path

from hlvid.benchmarks.registry import Benchmark
from hlvid.download.catalogue import Catalogue

MAX_SHOWN = 5


@dataclass(frozen=True)
class Report:
    """What a download did. Files are named by their places below `root`.

    Attributes:
        revision: the commit that the folder holds; "" where nothing had to be asked for.
        videos: that were wanted. `fetched` came now, `missing` are not in the repository.
        verified: archives whose sha256 was found right with all of their videos unpacked.
        notes: what a user should know although nothing failed.
    """

    benchmark: str
    root: Path
    repo: str
    revision: str
    questions: int
    videos: int
    fetched: tuple[str, ...]
    fetched_bytes: int
    missing: tuple[str, ...]
    verified: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """A few lines for the terminal."""
        lines = [
            f"{self.benchmark}: {self.repo} at {self.revision[:12] or 'the commit noted'} in {self.root}",
            f"{self.questions} questions; {self.videos - len(self.missing)} of {self.videos} videos are here; "
            f"{len(self.fetched)} files came ({size_text(self.fetched_bytes)})",
        ]
        if self.verified:
            lines.append(f"{len(self.verified)} archives verified by sha256")
        if self.missing:
            more = f" and {len(self.missing) - MAX_SHOWN} more" if len(self.missing) > MAX_SHOWN else ""
            lines.append(f"not in the repository: {', '.join(self.missing[:MAX_SHOWN])}{more}")
        return "\n".join([*lines, *self.notes])


def size_text(count: float) -> str:
    """1234567890 -> "1.23 GB" (decimal units, as the hub shows them)."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def notes_of(benchmark: Benchmark, known: Catalogue | None) -> tuple[str, ...]:
    """What a user should know although nothing failed."""
    reported = benchmark.questions_sha256
    if (
        known is None
        or reported is None
        or (known.repo, known.revision) != (benchmark.repo, benchmark.revision)
    ):
        return ()
    if not known.tables or reported in known.tables.values():
        return ()
    return (
        f"note: the question file's sha256 is not the one reported for {known.revision[:12]}; the hub's own matches",
    )
