"""What `--model nvila_hd` is made of: its arguments, the two ways to run a checkpoint, what is recorded.

Example::

    arguments = NvilaArguments.read({"pretrained": "checkpoint", "gazing_ratio_tile": "0.2+0.06x15"})
    backend = open_backend(arguments, device="cpu", dtype="float32")
    backend.answer(question).details["tokens_llm"]
"""
