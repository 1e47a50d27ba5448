"""HLVid as lmms-eval tasks: `hlvid` (the real benchmark) and `hlvid_mini` (generated, works offline).

Example::

    lmms_eval --tasks hlvid_mini --model blind --output_path results --log_samples

`plugin` makes lmms-eval find the YAML files below this folder, `docs` prepares the data, `ledger` carries
what an answer cost from the model to the samples, `command` is the strict `lmms_eval`, `record` says where
it ran.
"""
