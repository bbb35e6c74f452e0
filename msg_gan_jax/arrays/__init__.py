"""Arrays on devices: the mesh, pixels, indices; it knows jax and no GAN."""
