"""Scores of any two sets of pictures: protocols, features, tables."""
