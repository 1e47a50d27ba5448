"""The parts of `--model openai_frames`: frames as pictures to any OpenAI-compatible endpoint, within a budget.

`settings` what was asked; `pictures` a request's body; `calls` and `replies` what the endpoint makes of it; `budget`
what it costs; `batches` all questions at once, within a day.
"""
