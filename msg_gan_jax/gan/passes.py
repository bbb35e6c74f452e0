"""Passes through a network: what a linen module is called with."""
from collections.abc import Callable, Iterator
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
                condition: Condition, key: jax.Array, keep: bool,
                look: Callable[[Tree], None] | None = None
                ) -> tuple[Any, Tree]:
  """(output, statistics after it) of a pass in training.

  Args:
    module, params, stats: a network.
    inputs, condition: what it sees.
    key: of what is drawn at random in it.
    keep: whether the pass may change the statistics; otherwise they are given
      back as they were.
    look: is told what each layer gives, {name: output} in their order; None
      leaves that out.
  """
  arguments = variables(params, stats), inputs, condition, True
  if look:
    out, new = module.apply(
        *arguments, rngs=rngs(key), mutable=['stats', 'intermediates'],
        capture_intermediates=True)
    look(dict(_layers(new['intermediates'])))
    return out, new.get('stats', {}) if keep else stats
  if not keep:
    return module.apply(*arguments, rngs=rngs(key)), stats
  out, new = module.apply(*arguments, rngs=rngs(key), mutable=['stats'])
  return out, new.get('stats', {})


def _layers(captured: Tree, name: str = '') -> Iterator[tuple[str, Any]]:
  """(name with dots, output) of layers that flax has captured, inner first."""
  for key, value in captured.items():
    if key != '__call__' and isinstance(value, dict):
      yield from _layers(value, f'{name}.{key}'.lstrip('.'))
  if name and '__call__' in captured:
    outputs = captured['__call__']  # One of each call.
    yield name, outputs[0] if len(outputs) == 1 else outputs
