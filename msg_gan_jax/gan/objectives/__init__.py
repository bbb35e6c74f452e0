"""Losses and penalties: pure functions of logits and of players."""
