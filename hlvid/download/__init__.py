"""Where the other benchmarks come from: repositories, folders on this machine, archives, what is missing.

Example::

    from hlvid.download import places, registry
    places.find(registry.get("videomme"), ["data/fFjv93ACGo8.mp4"])    # Path or None

`registry` says what each repository holds, `places` finds files on this machine by one rule, `archives` reads
zip and tar files over the network without storing them, `fetching` brings a benchmark here, `status` says how
much of it there is. `hlvid data` (`hlvid.download.cli`) is the command over them.
"""
