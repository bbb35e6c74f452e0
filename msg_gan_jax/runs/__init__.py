"""A run on disk: its folder, lock, records and checkpoints."""
