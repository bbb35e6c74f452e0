"""Looks at a data set before anyone trains on it."""
