"""LATENTS: the laws that z is drawn from."""
from typing import Protocol

import jax
import jax.numpy as jnp

from msg_gan_jax.config import schema


class Latents(Protocol):
  """A law of z; a row of LATENTS."""

  def __call__(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draws z, float32 of this shape; the last axis is that of one vector."""


def draw(networks: schema.Networks, key: jax.Array, n: int) -> jax.Array:
  """z [n, networks.latent], drawn from the law `networks.latent_law`."""
  return LATENTS[networks.latent_law](key, (n, networks.latent))


def normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Standard normal numbers.

  Source: Gulrajani et al. 2017 (arXiv:1704.00028), in its code, and most GANs
  since.
  """
  return jax.random.normal(key, shape)


def sphere(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Normal numbers, each vector scaled to the length sqrt(latent).

  Source: Karras et al. 2018 (arXiv:1710.10196), appendix A.1.
  """
  z = jax.random.normal(key, shape)
  norm = jnp.linalg.norm(z, axis=-1, keepdims=True)
  return z * (z.shape[-1]**.5 / norm)


def uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Uniform numbers in [-1, 1).

  Source: Radford et al. 2016 (arXiv:1511.06434), sec. 4, and its code.
  """
  return jax.random.uniform(key, shape, minval=-1., maxval=1.)


LATENTS: dict[str, Latents] = {
    'normal': normal,
    'sphere': sphere,
    'uniform': uniform,
}
