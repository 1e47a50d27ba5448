"""A published checkpoint's tokenizer and chat template, without running any code of its own."""

from pathlib import Path
from typing import Any, Self

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.convert.snapshot import Snapshot

FILES = ("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
_MARK = "\x02the user's text\x03"


class ChatTokenizer:
    """transformers' own Qwen2 tokenizer, built from vocabulary and merges where there is no tokenizer.json."""

    def __init__(self, inner: Any, template: str | None, source: str) -> None:
        self._inner, self._template, self._source = inner, template, source

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """None where its files are not at hand. Raises CheckpointError where ids are not as the files state."""
        from transformers import Qwen2TokenizerFast

        files = {name: snapshot.path(name) for name in FILES if name in snapshot.names}
        if not {"tokenizer.json"} <= set(files) and not {"vocab.json", "merges.txt"} <= set(files):
            return None
        config = snapshot.json("tokenizer_config.json")
        inner = Qwen2TokenizerFast.from_pretrained(str(next(iter(files.values())).parent))
        stated = dict(snapshot.json("added_tokens.json"))
        stated |= {
            entry["content"]: int(number) for number, entry in config.get("added_tokens_decoder", {}).items()
        }
        for token, number in stated.items():
            if inner.convert_tokens_to_ids(token) != number:
                raise CheckpointError(
                    f"checkpoint {snapshot.source}: {token} came out as "
                    f"{inner.convert_tokens_to_ids(token)}, its files say {number}"
                )
        template = snapshot.text(TEMPLATES[0]) or snapshot.json(TEMPLATES[1]).get("chat_template")
        return cls(inner, template or config.get("chat_template"), snapshot.source)

    @property
    def size(self) -> int:
        """Highest id and one."""
        return int(max(self._inner.get_vocab().values())) + 1

    def id(self, token: str) -> int | None:
        number = self._inner.get_vocab().get(token)
        return None if number is None else int(number)

    def chat(self) -> tuple[str, str]:
        """What the template puts before and after one user's text, the start of the answer included.

        Raises CheckpointError where there is no template, or it does not hold the text once.
        """
        if not self._template:
            raise CheckpointError(f"checkpoint {self._source}: no chat template in {', '.join(TEMPLATES)}")
        for content in (_MARK, [{"type": "text", "text": _MARK}]):
            try:
                text = self._inner.apply_chat_template(
                    [{"role": "user", "content": content}],
                    chat_template=self._template,
                    tokenize=False,
                    add_generation_prompt=True,
                )
            except Exception as error:  # jinja's own, and whatever a template raises
                raise CheckpointError(
                    f"checkpoint {self._source}: its chat template fails ({error})"
                ) from error
            if text.count(_MARK) == 1:
                before, _, behind = text.partition(_MARK)
                return before, behind
        raise CheckpointError(
            f"checkpoint {self._source}: its chat template does not hold the user's text once"
        )

    def cost(self, chat: tuple[str, str]) -> int:
        """Tokens of what stands around the text."""
        return sum(len(self._inner(part, add_special_tokens=False)["input_ids"]) for part in chat)

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`."""
        self._inner.backend_tokenizer.save(str(path))
