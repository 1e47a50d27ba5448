"""The journal that a run goes on from, and why it is a new one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluators.core.identity import Answering, Identity, checkpoints_of, of_model
from evaluators.core.journal import Journal, changes, run_path
from evaluators.core.requests import Asked
from evaluators.core.share import Share
from evaluators.core.weights import UNKNOWN
from hlvid.errors import RunError
from hlvid.files import write_json


def open_journal(model: Answering, runs: Path | None, rank: int, asked: Sequence[Asked]) -> Journal:
    """The journal of what answers now; says why it is a new one, and tells `hlvid eval` what is asked.

    runs: the folder of journals, if not the default one. rank: of this process.

    Raises:
        RunError: nobody can tell which weights answer, or the journal cannot be used.
    """
    identity = of_model(model)
    _refuse_unknown(model.name, identity)
    path = run_path(model.name, identity, runs)
    if not path.exists() and (why := changes(path, identity)):
        print(
            f"{model.name}: asked anew; the earlier answers, which are kept, were given under another identity: "
            + "; ".join(why),
            file=sys.stderr,
        )
    journal = Journal(path, identity, again=tuple(filter(None, os.environ.get("HLVID_AGAIN", "").split(","))))
    note = {
        "journal": path.name,
        "keys": [one.key for one in asked],
        "sources": model.sources(),
        "checkpoints": {name: list(where) for name, where in checkpoints_of(model).items()},
    }
    share = Share.here()
    own = f"{rank}-{share.number}" if share else str(rank)
    write_json(path.parent / f"asked-{own}.json", note, indent=None)
    return journal


def _refuse_unknown(name: str, identity: Identity) -> None:
    for argument, held in identity["weights"].items():
        if held.endswith(f"@{UNKNOWN}"):
            raise RunError(
                f"model {name}: {argument}: the commit of {held[4 : -len(UNKNOWN) - 1]} cannot be told: "
                "the hub does not answer, its cache has none; download it first, or give a folder"
            )
