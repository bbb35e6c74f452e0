"""Sources of pictures, and batches that are a function of (seed, images)."""
