"""The parts of `--model openai_frames`: frames as pictures to any OpenAI-compatible endpoint, within a budget.

Example::

    settings = ApiSettings.read({"model": "gpt-4o", "frames": 32, "resolution": 1344})   # settings.py
    pictures = encode(delivery.frames, "jpeg", quality=90)                               # pictures.py
    body = request(settings, delivery, pictures, "Which sign …?", {"max_new_tokens": 64})
    reply, attempts = Caller(settings, budget).ask(body)                                 # calls.py, replies.py
    budget.spent                                                                         # budget.py
"""
