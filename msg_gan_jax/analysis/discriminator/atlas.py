"""What every layer of D looks for: pictures that excite its maps, and why.

For a map of a layer these are the nine pictures with the largest maxima, the
patch of each that the receptive field of the maximum sees, and beside it what
comes down from that one activation to the pixels of every scale.

Source: Zeiler & Fergus 2014 (arXiv:1311.2901), sec. 4 and fig. 2.
"""
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.analysis.discriminator import windows
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import (
  Maximum,
  Programs,
  in_batches,
)
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.receptive_fields import Fields
from msg_gan_jax.analysis.discriminator.shown import Shown
from msg_gan_jax.arrays.pixels import to_uint8

NINE = 9
_GREY = 128  # What stands for pixels that there are not; 0 of -1 .. 1.
Ticks = Callable[[int], Any]  # Told of each batch how many it had.


class Tops(NamedTuple):
  """The pictures that excite the maps of a layer most.

  Attributes:
    values: float32 [maps, keep], the largest first.
    pictures: int64 [maps, keep], their numbers; each is there once.
    places: int32 [maps, keep], row * width + column of the maximum.
    spread: float64 [maps], the standard deviation of the maxima of all
      pictures; of a map that says the same of all it is 0.
  """
  values: np.ndarray
  pictures: np.ndarray
  places: np.ndarray
  spread: np.ndarray


class View(NamedTuple):
  """What some maps of a layer look for; m maps, k pictures of each.

  Attributes:
    layer: its name.
    maps: int [m], their numbers, of the largest spread first.
    of: how many the layer has; without: how many of them say the same of all
      pictures.
    spread: float [m], see Tops.
    values: float32 [m, k], pictures int64 [m, k], places int32 [m, k, 2] as
      (row, column): the strongest activations.
    size: height of the level that patches are of: the finest that is seen.
    patches: uint8 [m, k, h, w, C]: what the receptive field sees. Where it
      reaches over the edge there is grey.
    projections: {height of a level: float32 [m, k, h, w, C]}, the same part of
      what comes down to it; levels that the layer does not see are left out.
    corners: {height of a level: int32 [m, k, 2]}, the (row, column) at which
      that part begins in the picture; negative where it lies over the edge.
    shares: {height of a level: float [m]}, its share of the sum of absolute
      values of all levels.
  """
  layer: str
  maps: np.ndarray
  of: int
  without: int
  spread: np.ndarray
  values: np.ndarray
  pictures: np.ndarray
  places: np.ndarray
  size: int
  patches: np.ndarray
  projections: Mapping[int, np.ndarray]
  corners: Mapping[int, np.ndarray]
  shares: Mapping[int, np.ndarray]


class Collected:
  """The strongest pictures of all maps of a layer, batch after batch."""

  def __init__(self, keep: int) -> None:
    self._keep, self._count = keep, 0
    self._best: list[np.ndarray] = []  # [keep, maps] of values, pictures, ...
    self._mean: Any = 0.
    self._square: Any = 0.

  def add(self, found: Maximum, numbers: np.ndarray) -> None:
    """Takes the maxima of pictures that are called by their numbers [B]."""
    values = found.values.astype(np.float64)
    # Welford's, in blocks: maxima may be large and differ little.
    count, mean = len(values), values.mean(0)
    total = self._count + count
    apart = mean - self._mean
    self._square += ((values - mean)**2).sum(0) + (
        apart**2 * self._count * count / total)
    self._mean += apart * count / total
    self._count = total
    rows = [found.values, np.broadcast_to(
        numbers[:, None], found.values.shape), found.places]
    if self._best:
      rows = [np.concatenate(x) for x in zip(self._best, rows, strict=True)]
    order = np.argsort(-rows[0], axis=0, kind='stable')[:self._keep]
    self._best = [np.take_along_axis(x, order, 0) for x in rows]

  def tops(self) -> Tops:
    """What was found so far."""
    values, pictures, places = (x.T for x in self._best)
    return Tops(values, pictures, places,
                np.sqrt(self._square / self._count))


def strongest(programs: Programs, judge: Judge, shown: Shown, keep: int = NINE,
              tick: Ticks = int, of: Sequence[str] = (),
              ) -> tuple[dict[str, Tops], np.ndarray]:
  """One pass over pictures: what excites every map most, and all logits.

  Pictures of a kind are beside each other in a batch, as in training; where
  they are too few to be one, those of Shown.beside join them.

  Args:
    programs: with the layers, LOGIT among them.
    judge: D.
    shown: the pictures.
    keep: how many of a map.
    tick: called after each batch with the number of pictures in it.
    of: kinds that may excite a map, `keep` pictures or more; () are all.

  Returns:
    ({layer: Tops}, float32 [n] logits of all).

  Raises:
    ValueError: fewer pictures.
  """
  kinds = of or [x.kind for x in shown.kinds]
  check_count(sum(len(shown.numbers(kind)) for kind in {*kinds}), keep)
  collected = {layer: Collected(keep) for layer in programs.layers}
  logits = np.empty(len(shown), np.float32)
  for start, kind in zip(shown.starts, shown.kinds, strict=False):
    pool = start + np.arange(len(kind))
    if len(pool) < programs.group:
      pool = np.append(
          pool[:1], shown.beside(pool[:1], programs.group - 1))
    for rows in in_batches(len(kind), programs.batch, len(pool)):
      own = min(programs.batch, len(kind) - int(rows[0]))
      numbers = pool[rows]
      found = programs.maxima(
          judge, shown.levels(numbers), shown.labels(numbers))
      for layer, maximum in found.items() if kind.kind in kinds else ():
        collected[layer].add(
            Maximum(*(x[:own] for x in maximum)), numbers[:own])
      logits[numbers[:own]] = found[LOGIT].values[:own, 0]
      tick(own)
  return {layer: x.tops() for layer, x in collected.items()}, logits


def check_count(count: int, keep: int = NINE) -> None:
  """Refuses fewer pictures than are shown of a map.

  Raises:
    ValueError: count is less than keep.
  """
  if count < keep:
    raise ValueError(
        f'count: {count} pictures are too few to show the {keep} that excite a '
        f'map most; wanted {keep} or more, such as 2048.')


def unlike(tops: Mapping[str, Tops]) -> tuple[list[str], dict[str, str]]:
  """Layers without those that say what another one says.

  A norm that a network leaves out, for one, gives what it is given.

  Args:
    tops: of `strongest`, of more pictures than maps would agree on by chance.

  Returns:
    (names of the layers, {name of one left out: the one that stands for it}).
    LOGIT stands for what it is computed from.
  """
  names, same = list[str](), dict[str, str]()
  for layer, top in tops.items():
    twin = next((name for name in names if all(
        np.array_equal(a, b) for a, b in zip(
            top, tops[name], strict=True))), '')
    if twin and layer == LOGIT:
      names.remove(twin)
      same[twin] = layer
    elif twin:
      same[layer] = twin
    if not twin or layer == LOGIT:
      names.append(layer)
  return names, same


def choose(tops: Mapping[str, Tops], most: int) -> dict[str, np.ndarray]:
  """{layer: numbers of at most so many maps}, of the largest spread first."""
  return {layer: np.argsort(-x.spread, kind='stable')[:most]
          for layer, x in tops.items()}


def views(programs: Programs, fields: Fields, judge: Judge, shown: Shown,
          tops: Mapping[str, Tops], chosen: Mapping[str, np.ndarray],
          tick: Ticks = int) -> Iterator[View]:
  """Yields what the chosen maps of each layer look for.

  A picture is projected in its company, or beside others that are projected,
  and not beside those of the pass: where D looks at the batch, its activation
  may be another than `values` says.

  Args:
    programs: with the layers.
    fields: receptive fields of the same layers.
    judge: D.
    shown: the pictures that `tops` numbers, and those beside them.
    tops: of `strongest`.
    chosen: {layer: numbers of maps}.
    tick: called after each batch with the number of projections in it.
  """
  for layer, maps in chosen.items():
    top = tops[layer]
    width = (*judge.shapes[layer], 1, 1)[1] if (
        len(judge.shapes[layer]) == 3) else 1
    pictures, flat = top.pictures[maps], top.places[maps]
    places = np.stack(np.divmod(flat, width), -1).astype(np.int32)
    parts = windows.of_fields(fields.of(layer, places.reshape(-1, 2)))
    # Of vectors and logits, too, the field is what they see: all of it.
    at = np.concatenate([places, np.broadcast_to(
        maps[:, None, None], (*flat.shape, 1))], -1).reshape(-1, 3)
    cut, shares, patches = _cut(
        programs, judge, shown, layer, pictures.reshape(-1), at, parts, tick)
    grid = pictures.shape

    def framed(x, grid=grid):
      return x.reshape(*grid, *x.shape[1:])

    size = max(parts)
    weights = {s: framed(x).sum(1) for s, x in shares.items()}
    total = sum(weights.values())
    yield View(
        layer, np.asarray(maps), len(top.spread),
        int((top.spread == 0).sum()), top.spread[maps], top.values[maps],
        pictures, places, size, framed(patches),
        {s: framed(x) for s, x in cut.items()},
        {s: framed(x.corners) for s, x in parts.items()},
        {s: np.divide(x, total, out=np.zeros_like(x), where=total > 0)
         for s, x in weights.items()})


def _cut(programs, judge, shown, layer, pictures, places, parts, tick):
  """Projections and patches in their windows, and sums of absolute values.

  Returns:
    ({level: float32 [n, h, w, C]}, {level: float [n]}, uint8 [n, h, w, C]).
  """
  count, finest = len(pictures), max(parts)
  cut: dict[int, list] = {size: [] for size in parts}
  sums: dict[int, list] = {size: [] for size in parts}
  patches: list[np.ndarray] = []
  for rows in in_batches(count, programs.at_once):
    own = min(programs.at_once, count - rows[0])
    numbers = pictures[rows]
    levels = shown.levels(numbers)
    found = programs.projected(
        judge, Pictures(levels, shown.labels(numbers)), layer, places[rows],
        programs.company(shown, numbers))
    for seen, image in zip(found, levels, strict=True):
      if (size := seen.shape[1]) not in parts:
        continue
      window = parts[size]
      corners = window.corners[rows[:own]]
      cut[size].append(windows.crop(seen[:own], corners, window.shape, 0.))
      sums[size].append(np.abs(seen[:own]).sum((1, 2, 3)))
      if size == finest:
        patches.append(windows.crop(
            to_uint8(image[:own]), corners, window.shape, _GREY))
    tick(own)
  return ({s: np.concatenate(x) for s, x in cut.items()},
          {s: np.concatenate(x) for s, x in sums.items()},
          np.concatenate(patches))


def through_time(programs: Programs, fields: Fields,
                 judges: Iterable[tuple[int, Judge]], shown: Shown,
                 chosen: Mapping[str, np.ndarray], tick: Ticks = int,
                 ) -> Iterator[tuple[int, dict[str, View]]]:
  """Yields (images shown, {layer: View of one picture}) of checkpoints.

  The maps are the same in all of them, and each has the picture that excites it
  most at that time.

  Args:
    programs, fields, shown, chosen: as of `views`.
    judges: D's of one run, each with the images shown before it.
    tick: see `strongest`.

  Source: Zeiler & Fergus 2014, fig. 4.
  """
  for images, judge in judges:
    tops, _ = strongest(programs, judge, shown, 1, tick)
    yield images, {view.layer: view for view in views(
        programs, fields, judge, shown, tops, chosen)}
