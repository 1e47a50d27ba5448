"""HLVid as lmms-eval tasks: `hlvid` (the real benchmark) and `hlvid_mini` (generated, works offline).

`plugin` makes lmms-eval find the YAML files below this folder, `docs` prepares the data, `ledger` carries
what an answer cost from the model to the samples, `command` is the strict `lmms_eval`, `record` says where
it ran.
"""
