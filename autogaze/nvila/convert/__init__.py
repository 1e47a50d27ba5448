"""From the published NVILA-HD to a checkpoint of ours: names mapped, shapes told, its code read and never run.

`snapshot` finds the files, `names` maps tensors, `code` reads the modelling and processing code for the few choices
that no configuration states, `processor` and `settings` put our configuration together, `conversion` plans and writes.
"""
