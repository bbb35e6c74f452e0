"""Programs of a D that serve all of its layers, and all of its checkpoints.

A program for each layer would be compiled longer than it runs. So one tells the
maxima of every layer, and another one goes down from any: which layer and map
it is are arguments, and so are the weights of D.
"""
from collections.abc import Sequence
import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.analysis.discriminator import projections, rules
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import sampling
from msg_gan_jax.gan.state import NOTHING, Condition

Levels = tuple[np.ndarray, ...]


class Maximum(NamedTuple):
  """The maxima of a layer's maps, of each picture of a batch.

  Attributes:
    values: float32 [B, maps].
    places: int32 [B, maps], row * width + column; 0 of a vector.
  """
  values: np.ndarray
  places: np.ndarray


class Programs:
  """What is computed of a D, compiled once.

  Args:
    judge: a D; others of the same GAN may be asked later.
    layers: names of judge.shapes that are followed.
    rule: a row of rules.RULES.
    batch: pictures in a call; None is what memory has room for.
    steps: of an integral, see projections.projection.

  Attributes:
    layers, rule, batch, steps: as given; a batch is whole groups of those that
      D looks at together.

  Raises:
    ValueError: no such layer or rule.
  """

  def __init__(self, judge: Judge, layers: Sequence[str], rule: str,
               batch: int | None = None,
               steps: int = projections.STEPS) -> None:
    rules.RULES.check(rule)
    for layer in layers:
      judge.check(layer)
    self.layers, self.rule, self.steps = tuple(layers), rule, steps
    self.batch = batch or _batch_of(judge)
    self._judge = judge
    self._up, self._down = jit(self._maxima), jit(self._projected)

  def maxima(self, judge: Judge, levels: Levels,
             labels: np.ndarray | None) -> dict[str, Maximum]:
    """The maxima of all maps of all layers.

    Args:
      judge: D.
      levels: pyramid of float32 [batch, H, W, C].
      labels: int32 [batch], if D is told classes.
    """
    found = jax.device_get(self._up(
        judge.params, judge.stats, levels, _condition(labels)))
    return {layer: Maximum(*found[layer]) for layer in self.layers}

  def projected(self, judge: Judge, levels: Levels, labels: np.ndarray | None,
                layer: str, places: np.ndarray) -> Levels:
    """See projections.projection, of the same form as `levels`.

    Args:
      judge: D.
      levels, labels: of `maxima`.
      layer: one of self.layers.
      places: int32 [batch, 3], (row, column, map) of each activation.
    """
    arguments = (_condition(labels), np.int32(self.layers.index(layer)),
                 places.astype(np.int32))
    if self.rule != rules.INTEGRATED:
      return jax.device_get(self._down(
          judge.params, judge.stats, levels, np.float32(1), *arguments))
    # No loop inside of the program: see WORKSPACE.md on loops and gradients.
    total: Any = 0.
    for step in range(self.steps):
      share = np.float32((step + .5) / self.steps)
      found = self._down(
          judge.params, judge.stats, levels, share, *arguments)
      total = found if not step else jax.tree.map(jnp.add, total, found)
    return tuple(np.asarray(t) * x / self.steps
                 for t, x in zip(total, levels, strict=True))

  def _with(self, params, stats):
    return dataclasses.replace(self._judge, params=params, stats=stats)

  def _maxima(self, params, stats, levels, condition):
    found = self._with(params, stats).activations(levels, condition)
    out = {}
    for layer in self.layers:
      x = found[layer]
      rows = x.reshape(len(x), -1, x.shape[-1] if x.ndim > 1 else 1)
      out[layer] = rows.max(1), rows.argmax(1).astype(jnp.int32)
    return out

  def _projected(self, params, stats, levels, share, condition, which, places):
    judge = self._with(params, stats)

    def activations(levels, condition):
      found = judge.activations(levels, condition)
      return [found[layer] for layer in self.layers]

    ruled = rules.with_rule(activations, self.rule)
    values, pull_back = jax.vjp(
        lambda levels: ruled(levels, condition),
        jax.tree.map(lambda x: share * x, levels))
    return pull_back([
        projections.one_hot(x, places) * (which == i)
        for i, x in enumerate(values)])[0]


def in_batches(count: int, batch: int) -> list[np.ndarray]:
  """Numbers 0 .. count - 1 in rows of `batch`; the last is filled up in turn.

  With others and not with copies of one, so that the deviation of a batch is
  about what D knows.
  """
  return [np.arange(start, start + batch) % count
          for start in range(0, count, batch)]


def _condition(labels):
  return NOTHING if labels is None else Condition(labels)


def _batch_of(judge):
  """As many as samples are drawn at once, in whole groups."""
  networks = judge.gan.components.config.networks
  size = sampling.at_once(judge.gan.shapes[-1])
  group = networks.stddev_group if networks.stddev != 'none' else 0
  return size - size % group if 0 < group < size else size
