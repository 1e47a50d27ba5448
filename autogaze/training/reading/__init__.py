"""Teaching a small NVILA-HD to read. So far its encoder, in part: docs/nvila.md says how far it came."""
