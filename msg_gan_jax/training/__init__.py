"""The loop that trains a GAN, and what watches and measures it meanwhile."""
