"""Generators and discriminators as rows of tables."""
