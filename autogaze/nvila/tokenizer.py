"""A byte-level tokenizer that needs no download, for checkpoints with random weights; and reading any other.

>>> byte_tokenizer().encode("<vila/video>\\n\\nA").ids        # the placeholder is one id, every byte is one
[257, 198, 198, 32]
"""

from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from autogaze.model.checkpoint import find_file
from autogaze.nvila.config import VIDEO_TOKEN

END = "<|im_end|>"
FILE = "tokenizer.json"


def byte_tokenizer() -> Tokenizer:
    """Ids 0 to 255 are the bytes in byte-level order; then the end of text and the video placeholder."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={byte: number for number, byte in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(END, special=True), AddedToken(VIDEO_TOKEN, special=True)])
    return tokenizer


def load_tokenizer(source: str | Path, revision: str | None = None) -> Tokenizer:
    """The checkpoint's `tokenizer.json`. Raises ValueError when it lacks the end or the video token."""
    path = find_file(source, FILE, revision)
    tokenizer = Tokenizer.from_file(str(path))
    for token in (END, VIDEO_TOKEN):
        if tokenizer.token_to_id(token) is None:
            raise ValueError(f"{path}: no token {token!r}, which an NVILA-HD checkpoint has to have")
    return tokenizer
