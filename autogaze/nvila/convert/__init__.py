"""From the published NVILA-HD to a checkpoint of ours: names mapped, shapes told, its code read and never run.

Example::

    plan = plan_conversion(Snapshot.of("nvidia/NVILA-8B-HD-Video"))
    print("\\n".join(plan.lines()))                        # every tensor of theirs, and where it goes
    write(plan, "converted")                              # shard by shard

`snapshot` finds the files, `names` maps tensors, `code` reads the modelling and processing code for the few choices
that no configuration states, `settings` puts our configuration together, `writing` writes it.
"""
