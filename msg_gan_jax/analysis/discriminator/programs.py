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

from msg_gan_jax.analysis.discriminator import extractor, projections, rules
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.shown import Shown
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import sampling
from msg_gan_jax.gan.state import NOTHING, Condition

STEPS = 16  # Of an integral; of maps there are many.
OF_WHOLE = 4  # Pictures that D looks at together, where it would be all.


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
    steps: of an integral, at midpoints.
    fewest: pictures of the smallest kind, so that none stands twice in a group.

  Attributes:
    layers, rule, steps: as given.
    batch: as given, in whole groups of those that D looks at together.
    group: how many these are; 1 where D looks at each by itself.
    others: pictures beside the one that is projected: its company. 0 where D
      looks at each by itself, or the rule holds its statistics fixed.
    at_once: pictures that are projected in a call.

  Raises:
    ValueError: no such layer or rule.
  """

  def __init__(self, judge: Judge, layers: Sequence[str], rule: str,
               batch: int | None = None, steps: int = STEPS,
               fewest: int | None = None) -> None:
    held = rules.holds_statistics(rule)
    for layer in layers:
      judge.check(layer)
    self.layers, self.rule, self.steps = tuple(layers), rule, steps
    networks = judge.gan.components.config.networks
    several = networks.stddev_group or OF_WHOLE
    self.group = several if networks.stddev != 'none' else 1
    size = batch or sampling.at_once(judge.gan.shapes[-1])
    if self.group > 1:
      size = min(size, fewest or size)
      size = max(self.group, size - size % self.group)
    self.batch = size
    # A network of a user's own may have other ways to look at the batch.
    joined = not held and (
        self.group > 1 or extractor.sees_batch(judge, self.layers))
    self.others = several - 1 if joined else 0
    self.at_once = max(1, size // (self.others + 1))
    self._judge = judge
    self._up, self._down = jit(self._maxima), jit(self._projected)

  def maxima(self, judge: Judge, levels: tuple[np.ndarray, ...],
             labels: np.ndarray | None) -> dict[str, Maximum]:
    """The maxima of all maps of all layers.

    Args:
      judge: D.
      levels: pyramid of float32 [batch, H, W, C].
      labels: int32 [batch], if D is told classes.
    """
    found = jax.device_get(self._up(judge.params, judge.stats, levels, labels))
    return {layer: Maximum(*found[layer]) for layer in self.layers}

  def company(self, shown: Shown,
              numbers: np.ndarray) -> Pictures | None:
    """What stands beside each picture where it is projected: see Shown.beside.

    Args:
      shown: all pictures.
      numbers: int [n], those that are projected.
    """
    if not self.others:
      return None
    rows = shown.beside(numbers, self.others)
    return jax.tree.map(
        lambda x: x.reshape(*rows.shape, *x.shape[1:]),
        Pictures(shown.levels(rows.ravel()), shown.labels(rows.ravel())))

  def projected(self, judge: Judge, pictures: Pictures, layer: str,
                places: np.ndarray, company: Pictures | None = None,
                ) -> tuple[np.ndarray, ...]:
    """What comes down to the pixels: see projections.down.

    'integrated' gives a pixel's share of the activation: the gradient, its mean
    over pictures from mid-grey (0) to this one, times the pixel. All shares of
    a picture add up to its activation less that of grey in the same company.

    Args:
      judge: D.
      pictures: `at_once` of them.
      layer: one of self.layers.
      places: int32 [at_once, 3], (row, column, map) of each activation.
      company: of `company`.

    Returns:
      Pyramid of float32 [at_once, H, W, C].

    Source: rules.py; integrated gradients are Sundararajan et al. 2017
    (arXiv:1703.01365), eq. 1 and 3.
    """
    if self.rule != rules.INTEGRATED:
      return jax.device_get(
          self._at(judge, pictures, layer, places, company, 1.)[1])
    # No loop inside of the program: see WORKSPACE.md on loops and gradients.
    total: Any = 0.
    for step in range(self.steps):
      found = self._at(judge, pictures, layer, places, company,
                       (step + .5) / self.steps)[1]
      total = found if not step else jax.tree.map(jnp.add, total, found)
    return tuple(np.asarray(t) * x / self.steps
                 for t, x in zip(total, pictures.levels, strict=True))

  def values(self, judge: Judge, pictures: Pictures, layer: str,
             places: np.ndarray, company: Pictures | None = None,
             share: float = 1.) -> np.ndarray:
    """float32 [at_once]: the activations that are projected.

    Args:
      judge, pictures, layer, places, company: of `projected`.
      share: what pictures are multiplied by; with 0 they are mid-grey.
    """
    return np.asarray(
        self._at(judge, pictures, layer, places, company, share)[0])

  def _at(self, judge, pictures, layer, places, company, share):
    return self._down(
        judge.params, judge.stats, pictures, np.float32(share),
        np.int32(self.layers.index(layer)), places.astype(np.int32), company)

  def _with(self, params, stats):
    return dataclasses.replace(self._judge, params=params, stats=stats)

  def _maxima(self, params, stats, levels, labels):
    found = self._with(params, stats).activations(
        levels, NOTHING if labels is None else Condition(labels))
    out = {}
    for layer in self.layers:
      x = found[layer]
      rows = x.reshape(len(x), -1, x.shape[-1] if x.ndim > 1 else 1)
      out[layer] = rows.max(1), rows.argmax(1).astype(jnp.int32)
    return out

  def _projected(self, params, stats, pictures, share, which, places, company):
    moved = pictures._replace(
        levels=jax.tree.map(lambda x: share * x, pictures.levels))
    return projections.down(self._with(params, stats), self.layers, self.rule,
                            which, moved, places, company)


def in_batches(count: int, batch: int,
               among: int | None = None) -> list[np.ndarray]:
  """Numbers 0 .. count - 1 in rows of `batch`; the last is filled up in turn.

  With others and not with copies of one, so that the deviation of a batch is
  about what D knows.

  Args:
    count: how many.
    batch: in a row.
    among: numbers from 0 that it is filled up with; None is `count`.
  """
  return [np.arange(start, start + batch) % (among or count)
          for start in range(0, count, batch)]
