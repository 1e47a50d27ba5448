"""Teaching a small NVILA-HD to read, in three runs: characters of gazed patches, language on characters that are told,
answers about pictures."""
