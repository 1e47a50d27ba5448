"""How a benchmark's files get here, one way for all of them.

`remote` lists and reads what the hub or a mirror holds, `archives` looks into zips and tars over the network,
`catalogue` remembers what they hold and what came, `choose` picks, `transfer` writes files that survive a kill,
`verify_archives` proves them by sha256, `fetch` puts these together. `status` and `verify` say what is here and whether
it is whole; `cli` is the commands.
"""
