"""Looks at what a generator draws: samples, walks, styles, projections."""
