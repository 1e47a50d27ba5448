"""NVILA-HD: gazed tiles of a long 4K video, a vision encoder that sees only the gazed patches, a language model.

From pixel to word: `grid` (which frames, which tiles), `processing` (frames to clips, in constant memory),
`gazing` (which patches of a clip), `tokens` (nine neighbours to one), `projector`, `model`, `answering`.
"""
