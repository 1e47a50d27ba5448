"""The parts of `--model hlvid_frames`: our frames for other people's models, and proof of what they saw.

`settings` what was asked; `delivery` what was decoded; `standins` whatever reader the model calls; `probe` and `seen`
what came out; `audit` asked, decoded, seen.
"""
