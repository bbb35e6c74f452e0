"""Sources of pictures, and batches that follow from (seed, images shown)."""
