"""The format of a submission: its schema, how its files are read, what is checked, how faults are told."""
