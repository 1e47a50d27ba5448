"""The parts of `--model hlvid_frames`: our frames for other people's models, and proof of what they saw.

Example::

    settings = FrameSettings(frames=64, resolution=1792)          # settings.py: what was asked
    delivery = deliver(path, settings, form_of("qwen2_5_vl"))     # delivery.py: what was decoded
    with serving(delivery, modules):                              # standins.py: whatever reader it calls
        ...                                                       # probe.py, seen.py: what came out
    table(rows)                                                   # audit.py: asked, decoded, seen
"""
