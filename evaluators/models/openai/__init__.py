"""The parts of `--model openai_frames`: frames as pictures to any OpenAI-compatible endpoint, within a budget.

Example::

    settings = ApiSettings.read({"model": "gpt-4o", "frames": 32, "resolution": 1344})   # settings.py
    pictures = encode(delivery.frames, settings)                                         # pictures.py
    reply = Caller(settings, budget).ask(pictures, "Which sign …?", {"max_tokens": 64})  # calls.py
    budget.spent                                                                         # budget.py
"""
