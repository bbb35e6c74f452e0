"""Features of a D, as metrics and classifiers take them: [n, d] of pictures."""
from collections.abc import Callable, Mapping, Sequence
import dataclasses
import hashlib
import json
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.gan import passes, pyramid
from msg_gan_jax.gan.build import build_to_draw
from msg_gan_jax.gan.networks import norms
from msg_gan_jax.gan.state import NOTHING, Condition
from msg_gan_jax.metrics.features.table import WHERE, Extractor, Features
from msg_gan_jax.runs.fingerprints import fingerprint

GRID = 4  # Places a side that maps are pooled to.
ALL = 'convolutions'  # The tap with all layers behind each other.
BATCH = 256
_TRIED = 4  # Pictures by which it is found out what D looks at.
_SAME = 1e-3  # Of the largest activation: less is rounding.


class Reduce(NamedTuple):
  """How the activations of a layer become features.

  Attributes:
    apply: [B, C] or [B, h, w, C] -> [B, d].
    width: shape of one picture's activations -> d.
  """
  apply: Callable[[jax.Array], jax.Array]
  width: Callable[[tuple[int, ...]], int]


def _means(x):
  return x.mean((1, 2)) if x.ndim == 4 else x.reshape(len(x), -1)


def _greatest(x):
  return largest_in_grid(x).reshape(len(x), -1)


# Distances compare what is in a picture, wherever it is; a classifier may look
# at where, too.
MEANS = Reduce(_means, lambda shape: shape[-1] if shape else 1)
GRIDS = Reduce(_greatest, lambda shape: math.prod(
    [min(side, GRID) for side in shape[:-1]]) * (shape[-1] if shape else 1))


def largest_in_grid(x: jax.Array, grid: int = GRID) -> jax.Array:
  """Maps pooled by the maximum to a grid; a smaller side stays as it is.

  A side that the grid does not divide is cut into parts that overlap by a
  place, as adaptive pooling is elsewhere.

  Args:
    x: [B, h, w, C]; what has no places is given back.
    grid: places a side.

  Returns:
    [B, min(h, grid), min(w, grid), C].

  Source: Radford et al. 2016 (arXiv:1511.06434), sec. 5.1.
  """
  for axis in (1, 2) if x.ndim == 4 else ():
    side = x.shape[axis]
    if side > grid:
      x = jnp.concatenate([jax.lax.slice_in_dim(
          x, side * i // grid, -(-side * (i + 1) // grid), axis=axis
      ).max(axis, keepdims=True) for i in range(grid)], axis)
  return x


def convolutions(judge: Judge) -> tuple[str, ...]:
  """The names of D's layers with maps that are convolutions, in their order.

  These are the modules that have a kernel of four axes of their own.
  """
  def is_convolution(name):
    node = judge.params
    for part in name.partition(' (')[0].split('/'):
      node = node.get(part, {}) if isinstance(node, Mapping) else {}
    return isinstance(node, Mapping) and any(
        getattr(leaf, 'ndim', 0) == 4 for leaf in node.values())

  return tuple(name for name, shape in judge.shapes.items()
               if len(shape) == 3 and is_convolution(name))


def check(judge: Judge, layers: Sequence[str]) -> None:
  """Refuses layers of which pictures alone have no features.

  Args:
    judge: D.
    layers: names of judge.shapes.

  Raises:
    ValueError: no such layer, one that depends on the class that D is told,
      or a D of points.
  """
  if pyramid.are_points(judge.gan.shapes[-1]):
    raise ValueError('layer: this D sees points; wanted one of pictures.')
  for layer in layers:
    judge.check(layer)
  if layers and judge.gan.classes > 1:
    zero, one = (_activations(judge, judge.shapes, _noise(judge), label)
                 for label in (0, 1))
    told = [layer for layer in judge.shapes
            if _differ(zero[layer], one[layer])]
    free = [layer for layer in judge.shapes if layer not in told]
    for layer in layers:
      if layer in told:
        raise ValueError(
            f'layer={layer}: depends on the class that D is told, and features '
            'are of pictures alone; wanted '
            + (f'one that does not: {", ".join(free)}.' if free
               else 'a D that is told none.'))


def extractor(judge: Judge, layers: Sequence[str], reduce: Reduce = MEANS,
              name: str = 'd', together: bool = False) -> Extractor:
  """Makes D an Extractor.

  A picture's features are its own: a D that compares the pictures of a batch,
  as by their deviation, is shown each alone.

  Args:
    judge: D.
    layers: names of judge.shapes.
    reduce: MEANS or GRIDS.
    name: by which records call it.
    together: whether the features of all layers are one tap, ALL.

  Returns:
    Extractor of uint8 [B, H, W, C] with a tap for each layer. Its digest is of
    D's weights, of what else its layers compute by, and of these layers.

  Raises:
    ValueError: what `check` refuses.
  """
  layers = tuple(layers)
  check(judge, layers)
  widths = {layer: reduce.width(judge.shapes[layer]) for layer in layers}
  alone = sees_batch(judge, layers)

  def of_batch(params, images):
    found = _activations(dataclasses.replace(
        judge, **params), layers, from_uint8(images))
    return {layer: reduce.apply(x) for layer, x in found.items()}

  def apply(params, images):
    out = of_batch(params, images) if not alone else jax.tree.map(
        lambda x: x[:, 0], jax.vmap(of_batch, (None, 0))(
            params, images[:, None]))
    if together:
      return {ALL: jnp.concatenate([out[layer] for layer in layers], -1)}
    return out

  digest = digest_of(judge)
  how = 'means' if reduce is MEANS else f'grid {GRID}'
  whole = hashlib.sha256(
      repr((digest, layers, how, together)).encode()).hexdigest()
  return Extractor(
      name, whole, {'params': judge.params, 'stats': judge.stats}, apply,
      {ALL: sum(widths.values())} if together else widths, BATCH,
      {'features': name, 'weights': digest, 'maps': how})


def digest_of(judge: Judge) -> str:
  """16 hex digits that change with D's weights, statistics and settings."""
  config = judge.gan.components.config
  settings = json.dumps([
      fingerprint({'params': judge.params, 'stats': judge.stats or {}}),
      dataclasses.asdict(config.networks), judge.gan.shapes], sort_keys=True)
  return hashlib.sha256(settings.encode()).hexdigest()[:16]


def row(judge: Judge, where: str) -> tuple[str, Features]:
  """(name, row) of metrics.features.FEATURES of a D, a tap for each layer.

  Equal D's have one name, and unlike ones never: it has eight digits of the
  digest.

  Args:
    judge: D.
    where: its run, as errors and records call it.
  """
  name = f'd_{digest_of(judge)[:8]}'

  def opened(request):
    wanted, found = judge.gan.shapes[-1], tuple(request.real.shape)
    if found != wanted:
      raise ValueError(
          f'features: D of {where} sees pictures of {_size(wanted)}, and those '
          f'of {request.real.name} are {_size(found)}; wanted the same'
          + (f', such as resolution={wanted[0]}.' if wanted[0] == wanted[1]
             and wanted[2] == found[2] else '.'))
    made = extractor(judge, request.taps, name=name)
    return made._replace(about={**made.about, WHERE: where})

  return name, Features(
      opened, next(iter(judge.shapes)), title=f'D of {where}',
      widths={layer: MEANS.width(shape)
              for layer, shape in judge.shapes.items()})


def of_pictures(judge: Judge, images: np.ndarray) -> Judge:
  """D whose batch norms have the moments of these pictures.

  In training their averages are of reals and of fakes; of a new D they are of
  nothing. Without batch norm it is the same D, and so is one of a user's own
  with norms of its own.

  Args:
    judge: D.
    images: uint8 [n, H, W, C].

  Source: DCGAN's code takes those of the training pictures for its SVM, too.
  """
  config = judge.gan.components.config
  if not norms.sees_batch(config.networks.d_norm):
    return judge
  gan = build_to_draw(dataclasses.replace(config, networks=dataclasses.replace(
      config.networks, statistics='batch')))

  @jax.jit
  def moments(images):
    condition = _condition(judge, len(images))
    shown = pyramid.build(from_uint8(images), gan.sizes)
    return gan.components.players.d.apply(
        passes.variables(judge.params, judge.stats),
        gan.components.with_labels('d', shown, condition), condition,
        mutable=['moments'])[1].get('moments', {})

  size = min(BATCH, len(images))
  found = [moments(images[i:i + size])
           for i in range(0, len(images) - size + 1, size)]
  mean = jax.tree.map(lambda *x: sum(x) / len(found), *found)
  return dataclasses.replace(judge, stats=norms.replace(judge.stats, mean))


def sees_batch(judge: Judge, layers: Sequence[str]) -> bool:
  """Whether these activations of a picture depend on those beside it."""
  images = _noise(judge)
  beside = _activations(judge, layers, images)
  alone = _activations(judge, layers, images[:1])
  return any(_differ(beside[layer][:1], alone[layer]) for layer in layers)


def _activations(judge, layers, images, label=0):
  """{layer: activations} of finest pictures in [-1, 1]."""
  found = judge.activations(
      pyramid.build(images, judge.gan.sizes),
      _condition(judge, len(images), label))
  return {layer: found[layer] for layer in layers}


def _condition(judge, count, label=0) -> Condition:
  return Condition(jnp.full(count, label, jnp.int32)) if (
      judge.gan.classes) else NOTHING


def _noise(judge):
  return jax.random.uniform(
      jax.random.key(0), (_TRIED, *judge.gan.shapes[-1]), minval=-1.)


def _differ(a: Any, b: Any) -> bool:
  a, b = np.asarray(a), np.asarray(b)
  return bool(np.abs(a - b).max() > _SAME * max(np.abs(a).max(), 1e-30))


def _size(shape):
  height, width, channels = shape
  return f'{width} x {height} with {channels} channels'
