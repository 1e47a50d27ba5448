"""What `--model nvila_hd` is made of: its arguments, the two ways to run a checkpoint, what is recorded."""
