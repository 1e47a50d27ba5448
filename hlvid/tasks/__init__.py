"""HLVid as lmms-eval tasks: `hlvid` (the real benchmark) and `hlvid_mini` (generated, works offline).

`plugin` makes lmms-eval find the YAML files below this folder, `folder` prepares the data, `hooks` are the functions
that the YAML files name, `arguments` are the switches, `costs` carries what an answer cost from the model to the
samples, `parity` asks lmms-eval's own code, `command` is the strict `lmms_eval`, `record` says where it ran.
"""
