"""What of a run's records may be published: allow-lists for command lines, a search for secrets in everything else.

>>> command(["lmms_eval", "--model", "openai", "--model_args", "api_key=sk-1,max_frames_num=32"])
'lmms_eval --model openai --model_args …,max_frames_num=32'
>>> secrets("key: hf_abcdefghijklmnopqrstuv")
['an access token (hf_abc…)']

A command line holds keys, hosts and folders under names that nobody can list, so what is known to be harmless is
let through and all else becomes "…". Texts that a submitter or a model wrote cannot be listed either; there, what
looks like a key or a home folder is named, and `hlvid submit` refuses to go on.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hlvid.tasks.arguments import RECORDED
from leaderboard.benchmarks import task_names
from leaderboard.format.faults import Fault

HIDDEN = "…"
_NUMBER = re.compile(r"[-+]?\d{1,9}(\.\d{1,9})?(e[-+]?\d{1,2})?", re.I)
_HUB = re.compile(r"[A-Za-z0-9][\w.+-]{0,95}/[A-Za-z0-9][\w.+-]{0,95}|[A-Za-z0-9][\w.+-]{0,95}", re.A)
_VERSION = re.compile(r"[0-9a-f]{7,64}|v?\d[\d.]{0,20}(rc\d+)?|main|master")

#: arguments of models, of `--gen_kwargs` and flags whose numbers shape an answer and tell nothing about a machine
NUMBERS = frozenset((
    "frames", "ratio", "resolution", "loss", "seed", "repeat", "repeats", "num_video_frames", "fps", "nframes",
    "num_video_frames_thumbnail", "max_tiles_video", "gazing_ratio_tile", "gazing_ratio_thumbnail",
    "task_loss_requirement_tile", "task_loss_requirement_thumbnail", "max_frames_num", "max_num_frames",
    "num_frames", "max_frames", "max_pixels", "min_pixels", "max_new_tokens", "temperature", "top_p", "top_k",
    "num_beams", "keep", "batch_size", "limit", "num_fewshot", "shuffle",
))  # fmt: skip
WORDS = frozenset((
    "selector", "sampling", "budget", "strategy", "shape", "gazing", "choices", "reduction", "prompt", "do_sample",
    "allow_resize", "use_fast", "circular", "dtype", "torch_dtype", "attn_implementation",
))  # fmt: skip
VALUES = frozenset((
    "true", "false", "auto", "none", "on", "off", "all", "float32", "float16", "bfloat16", "sdpa", "eager",
    "flash_attention_2", "hlvid", "lmms_eval", "published", "normalised", "hash", "longest", "most_common",
    "uniform_linspace", "uniform_midpoint", "picture", "tile", "aspect", "square", "letters", "free", "autogaze",
    "centre", "coarse_first", "detail", "everything", "greedy", "optical_flow", "random", "rgb_diff", "default",
    "full", "tiny",
))  # fmt: skip
OURS = ("blind", "gaze_reader", "hlvid_frames", "nvila_hd", "nvila_video", "openai_frames")
LISTS = ("--model_args", "--gen_kwargs")
_PATTERNS = {
    "an API key": r"\b(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|pypi)[-_][A-Za-z0-9_-]{6,}",
    "an access token": r"\b(?:hf|gh[opsur]|github_pat|glpat|npm|xox[abp]|r8|dckr_pat|dop_v1)[_-][A-Za-z0-9_-]{10,}",
    "a cloud key": r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}|\bAIza[\w-]{20,}|\bya29\.[\w-]{10,}|\beyJ[\w-]{10,}\.[\w-]{5,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a password": r"(?i)(?:api[_-]?key|token|password|passwd|secret)[\"']?\s*[=:]\s*\S{4,}"
    r"|\bauthorization:\s*\S+|\bbearer\s+[\w.~+/-]{12,}|\bbasic\s+(?=\S*[\d=])[\w+/]{12,}|://[^\s/@]+:[^\s/@]+@",
    "a home folder": r"(?:/home|/Users|/root|/scratch|/gpfs|/lustre|/nfs)(?:/[\w.-]+)+|~/[\w.-]+"
    r"|[A-Za-z]:\\+Users\\+[\w.-]+|file://\S+|(?<!\S)\\\\[\w.-]+\\\w+",
    "a private host": r"(?:://|host=['\"]?)(?:localhost|10\.\d+|127\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01])"
    r"|[\w.-]+\.(?:intern|internal|local|lan|corp))\b",
}
_SECRETS = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}
_NAMED_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH")


def command(parts: Sequence[str], variables: Mapping[str, object] | None = None) -> str:
    """How to run it again, of what is known to be harmless; all else is "…".

    Args:
        parts: as recorded: the program, then its arguments.
        variables: of the environment, as recorded.
    """
    if not parts:
        return ""
    shown = [f"{name}={_word(str(value))}" for name, value in (variables or {}).items() if name in RECORDED]
    return " ".join([*shown, "lmms_eval", *_folded(_shown(*pair) for pair in _pairs(parts[1:]))])


def model_name(name: object) -> str | None:
    """A hub's id or a product's name; None for a folder, an address, or what looks like a key."""
    if not isinstance(name, str) or not _HUB.fullmatch(name) or secrets(name):
        return None
    return None if _is_host(name) else name


def revision(text: object) -> str | None:
    """A commit or version; branches are named by people, often after themselves."""
    return text if isinstance(text, str) and _VERSION.fullmatch(text) else None


def plain(text: object) -> str | None:
    """A recorded name of a library, decoder or device: letters, digits and blanks, no path or address."""
    if not isinstance(text, str) or re.search(r"[/\\@~:=]|\.\.", text) or secrets(text):
        return None
    return text[:120] or None


def secrets(text: str, own: Mapping[str, str] | None = None) -> list[str]:
    """What in a text looks like a key, password, private host or folder, each with its first characters.

    Args:
        text: anything.
        own: values that must not be in it, with what each is (`own_secrets`).
    """
    found = [kind for value, kind in (own or {}).items() if value in text]
    return found + [
        f"{kind} ({match[0][:6].strip()}{HIDDEN})"
        for kind, pattern in _SECRETS.items()
        for match in pattern.finditer(text)
    ]


def own_secrets() -> dict[str, str]:
    """Values of this machine's environment variables that are named like keys, and the home folder."""
    named = {
        value: f"the value of ${name}"
        for name, value in os.environ.items()
        if _NAMED_SECRET.search(name.upper()) and len(value) >= 8 and not value.isdigit()
    }
    home = str(Path.home())
    return named | ({home: "your home folder"} if home.count("/") > 1 or "\\" in home else {})


def private(texts: Iterable[tuple[str, int | None, str, str]]) -> list[Fault]:
    """A fault for each (file, line, field, text) that holds something private."""
    own = own_secrets()
    return [
        Fault(where, line, field, f"holds what looks like {found[0]}", "take it out: a submission is public")
        for where, line, field, text in texts
        if (found := secrets(text, own))
    ]


def texts_of(fields: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """All texts of nested fields by dotted name, as they are written (JSON would double backslashes)."""
    found: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            found |= texts_of(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            found[prefix + name] = value
    return found


def _folded(parts: Iterable[str | None]) -> list[str]:
    """What may be shown; each run of other parts (None) as one "…"."""
    found: list[str] = []
    for part in parts:
        if part is not None or found[-1:] != [HIDDEN]:
            found.append(HIDDEN if part is None else part)
    return found


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each flag with its value, whether joined by "=", given behind it, or absent; recording needs none."""
    rest = list(arguments)
    while rest:
        flag, joined, value = rest.pop(0).partition("=")
        if not joined and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
        if flag not in ("--output_path", "--log_samples"):
            yield flag, value


def _shown(flag: str, value: str) -> str | None:
    if flag == "--model" and value in models():
        return f"{flag} {value}"
    if flag == "--tasks" and value:
        tasks = [task if task in task_names() else HIDDEN for task in value.split(",")]
        return f"{flag} {','.join(tasks)}"
    if flag in LISTS and value:
        parts = (part if _harmless(*part.partition("=")[::2]) else None for part in value.split(","))
        return f"{flag} {','.join(_folded(parts))}"
    name = flag.removeprefix("--")
    return f"{flag} {value}" if flag.startswith("--") and _harmless(name, value) else None


def _harmless(name: str, value: str) -> bool:
    if name in NUMBERS:
        return _NUMBER.fullmatch(value) is not None
    return name in WORDS and value.lower() in VALUES


def _word(value: str) -> str:
    return value if value.lower() in VALUES or _NUMBER.fullmatch(value) else HIDDEN


def _is_host(name: str) -> bool:
    """Whether a name could be an address: dots between words, the last one of letters; or an IP number."""
    first = name.partition("/")[0]
    return re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}|\d+(?:\.\d+){3}|localhost", first, re.I | re.A) is not None


@lru_cache(maxsize=1)
def models() -> frozenset[str]:
    """Names that `--model` takes: lmms-eval's own, found without importing it, and ours."""
    spec = find_spec("lmms_eval")
    root = Path(spec.origin).parent / "models" if spec and spec.origin else Path("absent")
    return frozenset(OURS) | {
        path.stem for kind in ("simple", "chat") for path in (root / kind).glob("[a-z]*.py")
    }
