"""The small NVILA-HD's tokenizer: words of questions and the commonest of English; capitals and digits stand alone.

A character that is seen is then one token as text, too, and one rule compares and copies all of them.

>>> reading_tokenizer().encode("<vila/video> sign 38B").tokens[1:]
['Ġsign', 'Ġ', '3', '8', 'B']
"""

from functools import cache

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.nvila.tokenizer import END
from autogaze.training.reading.questions import ask, stem

SIZE = 510
COMMON = (
    "the of and to in is that for it as was with be by on not he this are or his from at which but have an had they"
    " you were there one all we can her has what who when where how many which video frame shown seen scene person"
    " left right behind front first last before after during color number sign shop street license plate text word"
    " letter read written printed answer option correct best following question choose only single given choices"
    " from select"
)
"""So that other prompts than ours are not spelled out letter by letter."""


@cache
def reading_tokenizer() -> Tokenizer:
    """Byte pairs of questions drawn for this, the same each time."""
    tokenizer = Tokenizer(models.BPE())
    alone = pre_tokenizers.Split(Regex(r"[A-Z0-9]| ?[a-z]+|\s|[^A-Za-z0-9\s]"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [alone, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    draw = np.random.default_rng(0)
    texts = [f"{stem(draw)}\n A. \n B. \n C. \n D. {ask(draw)}" for _ in range(4000)]
    texts += [f" {word}" for word in COMMON.split() for _ in range(40)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=SIZE - 2, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(END, special=True), AddedToken(VIDEO_TOKEN, special=True)])
    return tokenizer
