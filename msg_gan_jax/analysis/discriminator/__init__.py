"""Looks into a discriminator: what its layers answer to, and where."""
