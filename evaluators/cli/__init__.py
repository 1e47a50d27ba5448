"""The commands of this package, one file a command; each has `mount(app)` and imports what it needs when it runs."""
