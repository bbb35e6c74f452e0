"""Passes through a network: what a linen module is called with."""
from typing import Any

from flax import linen as nn
import jax

from msg_gan_jax.gan.state import Condition, Tree


def variables(params: Tree, stats: Tree) -> dict[str, Tree]:
  """The collections of a linen module."""
  return {'params': params, 'stats': stats}


def rngs(key: jax.Array) -> dict[str, jax.Array]:
  """The keys of a pass in training: D's dropout, G's noise and style mixing."""
  return {'dropout': key, 'noise': jax.random.fold_in(key, 0),
          'mixing': jax.random.fold_in(key, 1)}


def in_training(module: nn.Module, params: Tree, stats: Tree, inputs: Any,
                condition: Condition, key: jax.Array,
                keep: bool) -> tuple[Any, Tree]:
  """(output, statistics after it) of a pass in training.

  Args:
    module, params, stats: a network.
    inputs, condition: what it sees.
    key: of what is drawn at random in it.
    keep: whether the pass may change the statistics; otherwise they are given
      back as they were.
  """
  arguments = variables(params, stats), inputs, condition, True
  if not keep:
    return module.apply(*arguments, rngs=rngs(key)), stats
  out, new = module.apply(*arguments, rngs=rngs(key), mutable=['stats'])
  return out, new.get('stats', {})
