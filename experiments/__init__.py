"""Experiments: each file has a get_config() that edits the template."""
