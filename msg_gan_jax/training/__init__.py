"""The loop that gives a GAN time and disk, and the modes beside it."""
