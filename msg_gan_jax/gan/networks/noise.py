"""Noise beside the features of both StyleGANs' generators.

Each of the two draws with keys of its own: another way would change what a
trained generator draws.
"""
from collections.abc import Sequence
import itertools

from flax import linen as nn
import jax
import jax.numpy as jnp


def for_layer(module: nn.Module, layer: int,
              shape: tuple[int, ...]) -> jax.Array:
  """N(0, 1) of (B, H, W) -> [B, H, W, 1], or [1, H, W, 1] without a key.

  Args:
    module: its key 'noise' is used. Without that key the map is a constant of
      the layer, so that G is a pure function of its inputs.
    layer: its number.
    shape: (B, H, W).

  Source: Karras et al. 2020 (arXiv:1912.04958), its code.
  """
  if module.has_rng('noise'):
    return jax.random.normal(module.make_rng('noise'), (*shape, 1))
  key = jax.random.fold_in(jax.random.key(0), layer)
  return jax.random.normal(key, (1, *shape[1:], 1))


def for_layers(module: nn.Module, batch: int,
               shapes: Sequence[tuple[int, ...]]) -> list[jax.Array]:
  """N(0, 1) for several layers: [B, H, W, 1] each, or [1, H, W, 1].

  One sampler draws for all layers, since XLA compiles each by itself, a quarter
  of the time that G and its gradient take.

  Args:
    module: its key 'noise' is used. Without that key the maps are constants.
    batch: B.
    shapes: (H, W) of the layers, the coarsest first: more of them at the end
      do not change what is constant for those before, as G grows.

  Source: Karras et al. 2019 (arXiv:1812.04948), its code.
  """
  if module.has_rng('noise'):
    key = module.make_rng('noise')
  else:
    key, batch = jax.random.key(0), 1
  ends = list(itertools.accumulate(h * w for h, w in shapes))
  maps = jnp.split(jax.random.normal(key, (batch, ends[-1])), ends[:-1], 1)
  return [x.reshape(batch, *shape, 1)
          for x, shape in zip(maps, shapes, strict=True)]
