"""`Reader`: the small NVILA-HD with what teaches it, and which parts of it a run teaches."""

import copy
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from autogaze.gaze import Gaze
from autogaze.model.checkpoint import save_tensors
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.processing import normalise
from autogaze.nvila.tokenizer import FILE
from autogaze.training.config import TrainingError
from autogaze.training.reading.initial import EMBEDDING, look_around, look_back
from autogaze.training.reading.letters import SLOTS, View
from autogaze.training.reading.questions import ALPHABET, LETTERS
from autogaze.training.reading.tokenizer import reading_tokenizer

TAUGHT = "taught.safetensors"
PLACES = "model.vision.vision_model.embeddings.position_embedding.weight"


class Reader(nn.Module):
    """head: names the characters of a patch. table: float (2, 37, hidden), what the language model is told instead of a
    patch's first and second one. flag: says behind an option whether it is the right one."""

    letters: Tensor

    def __init__(self, model: NVILAHD) -> None:
        super().__init__()
        wide = int(model.config.llm["hidden_size"])
        self.model = model
        self.head = nn.Linear(model.config.vision.hidden_size, SLOTS * len(ALPHABET))
        self.table = nn.Parameter(torch.zeros(SLOTS, len(ALPHABET), wide))
        self.flag = nn.Linear(wide, 1)
        self.register_buffer("letters", torch.tensor(_ids(LETTERS)), persistent=False)

    @classmethod
    def fresh(cls, config: NVILAConfig, seed: int) -> Self:
        """Weights to start from, the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reader = cls(NVILAHD(config))
            look_around(reader.model.vision)
            look_back(reader.model.llm)
            with torch.no_grad():
                # A character seen begins as itself as text, a second one of a patch with its halves exchanged.
                first = reader.model.llm.get_input_embeddings().weight[_ids(ALPHABET)].clone()
                first[0] = EMBEDDING * torch.randn_like(first[0])
                reader.table.copy_(torch.stack([first, first.roll(first.shape[1] // 2, 1)]))
        return reader.train()

    @property
    def view(self) -> View:
        """What its encoder sees at a time."""
        return View(self.model.config.vision.scales)

    def see(self, pixels: Tensor, masks: Tensor) -> Tensor:
        """Features (M, C) of the gazed patches, bool (B, tokens), of pixels (B, 3, side, side) in [0, 1]."""
        config = self.model.config
        gaze = Gaze.from_masks(masks[:, None], config.vision.scales, config.vision.patch_size)
        return self.model.vision.packed(normalise(pixels[:, None], config.video), gaze)

    def name(self, features: Tensor) -> Tensor:
        """Logits (..., 2, 37)."""
        out: Tensor = self.head(features).unflatten(-1, (SLOTS, len(ALPHABET)))
        return out

    def tell(self, letters: Tensor) -> Tensor:
        """What patches with these characters would be: (..., 2) -> (..., hidden)."""
        known = letters.clamp_min(0)
        return self.table[0][known[..., 0]] + self.table[1][known[..., 1]]

    def read(self, embeds: Tensor, positions: Tensor, sees: Tensor) -> Tensor:
        """The language model's last hidden states (B, S, hidden); sees: float (B, 1, S, S), see `Batch`."""
        out: Tensor = self.model.llm.model(
            inputs_embeds=embeds,
            attention_mask={"full_attention": sees},
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        return out

    def teach(self, *parts: str) -> None:
        """These parts learn, and no other."""
        for name, weight in self.named_parameters():
            weight.requires_grad_(name.startswith(parts))

    def save_taught(self, folder: Path) -> None:
        """What learns, for a run to begin with."""
        taught = {name: x.detach().cpu() for name, x in self.named_parameters() if x.requires_grad}
        save_tensors(taught, folder / TAUGHT)

    def take(self, run: Path) -> set[str]:
        """Load what another run taught; its names. An encoder of frames keeps its own positions beside one of tiles.

        Raises TrainingError where there is nothing that fits.
        """
        if not (run / TAUGHT).is_file():
            raise TrainingError(f"init {run}: holds no {TAUGHT}; finish that run first")
        tensors = load_file(str(run / TAUGHT))
        own = dict(self.named_parameters())
        if PLACES in tensors and tensors[PLACES].shape != own[PLACES].shape and self.view.whole:
            del tensors[PLACES]
        odd = [name for name, x in tensors.items() if name not in own or own[name].shape != x.shape]
        if odd:
            raise TrainingError(
                f"init {run}: {odd[0]} does not fit the shape of this run; name a run of its shape"
            )
        self.load_state_dict(tensors, strict=False)
        return set(tensors)

    def save(self, folder: Path) -> None:
        """The model in half precision and its tokenizer, as `Answerer.from_pretrained` reads them."""
        copy.deepcopy(self.model).half().cpu().save_pretrained(folder)
        reading_tokenizer().save(str(folder / FILE))


def _ids(characters: str) -> list[int]:
    return [int(reading_tokenizer().encode(character).ids[0]) for character in characters]
