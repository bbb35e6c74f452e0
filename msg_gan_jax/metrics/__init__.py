"""Distances between sets of pictures; they know arrays, not GANs."""
