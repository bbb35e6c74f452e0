"""One of the sets that are compared, and what is computed of it only once."""
from collections.abc import Callable, Hashable, Iterable, Sequence
import functools
from typing import Any, NamedTuple, NoReturn

import jax
import numpy as np

from msg_gan_jax.arrays.indices import at_random
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import console
from msg_gan_jax.metrics.features import extract, table
from msg_gan_jax.metrics.functional import frechet, references
from msg_gan_jax.metrics.moments_file import MomentsFile
from msg_gan_jax.metrics.protocols import Protocol


class Options(NamedTuple):
  """What the scores of two sets depend on, besides the pictures.

  Attributes:
    protocol: how scores are computed.
    name: the name of the protocol, a row of PROTOCOLS.
    features: a spec of features in place of the protocol's, or ''.
    weights_file, cache_dir, say: see features.table.Request.
    devices: over which a batch is split; None is all of this process.
    held_out: pictures to test a classifier on, or None.
    train: pictures that a generator has learned from, or None.
    seed: of everything that is drawn.
    psi, cutoff: by which a generator's samples are truncated.
    averaged: whether the generator has an average; without one, its samples
      are those of its raw weights, whatever was asked for.
  """
  protocol: Protocol
  name: str
  features: str = ''
  weights_file: str = ''
  cache_dir: str = ''
  say: Callable[[str], Any] = console.say
  devices: Sequence[jax.Device] | None = None
  held_out: Source | None = None
  train: Source | None = None
  seed: int = 0
  psi: float = 1.
  cutoff: int | None = None
  averaged: bool = True


class Extractors:
  """The networks that pictures are compared by, each opened once.

  Args:
    options: what they depend on.
    real: the pictures that a classifier learns from, where `options.train` is
      None.
  """

  def __init__(self, options: Options, real: Source) -> None:
    self._options, self._real = options, real
    self._taps: dict[str, set[str]] = {}
    self._opened: dict[str, table.Extractor] = {}
    self._lpips: table.PairExtractor | None = None

  def want(self, specs: Iterable[str]) -> None:
    """Opens what these features need, such that one pass gives all taps."""
    specs = [*specs]
    for name, tap in map(table.parse, specs):
      if tap not in self._taps.setdefault(name, set()):
        self._taps[name].add(tap)
        self._opened.pop(name, None)  # It has other taps only.
    for name in dict.fromkeys(table.parse(spec)[0] for spec in specs):
      self.get(name)

  def get(self, name: str) -> table.Extractor:
    """The extractor of a row of FEATURES, with all taps wanted so far."""
    if name not in self._opened:
      taps = sorted(self._taps.get(name) or {table.FEATURES[name].tap})
      options = self._options
      self._opened[name] = table.open_extractor(name, table.Request(
          tuple(taps), options.protocol, options.train or self._real,
          options.held_out, options.weights_file, options.cache_dir,
          options.say))
    return self._opened[name]

  def lpips(self) -> table.PairExtractor:
    """The learned perceptual distance."""
    if self._lpips is None:
      self._lpips = table.lpips(
          self._options.weights_file, self._options.cache_dir)
    return self._lpips

  def about(self) -> dict[str, dict[str, Any]]:
    """{name: what a record says of it}."""
    about = {name: extractor.about for name, extractor in self._opened.items()}
    if self._lpips:
      about['lpips'] = self._lpips.about
    return dict(sorted(about.items()))


class Side:
  """Pictures of one side of a comparison, their features and their moments.

  Args:
    source: the pictures.
    indices: int [n], those of them that count.
    extractors: shared by all sides.
    options: shared by all sides.
    on_disk: whether features are kept in the cache folder.
  """

  def __init__(self, source: Source, indices: np.ndarray,
               extractors: Extractors, options: Options,
               on_disk: bool = True) -> None:
    self.source, self.indices = source, indices
    self._extractors, self._options = extractors, options
    self._on_disk = on_disk
    self._features: dict[str, tuple[table.Extractor, dict]] = {}
    self._cached: dict[Hashable, Any] = {}

  def __len__(self) -> int:
    """How many pictures count."""
    return len(self.indices)

  @property
  def count(self) -> int | None:
    """How many pictures count; None where nobody has written it down."""
    return len(self)

  def images(self, most: int | None = None, seed: int = 0) -> np.ndarray:
    """uint8 [n, H, W, C]: all that count, or `most` of them, at random."""
    return self.source.images(self._some(most, seed))

  def labels(self, most: int | None = None) -> np.ndarray:
    """int32 [n], of the same pictures as `images`."""
    return self.source.labels(self._some(most))

  def images_of(self, rows: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C]: the pictures that rows of the features belong to."""
    return self.source.images(self.indices[rows])

  def _some(self, most, seed=0):
    if most is None or len(self) <= most:
      return self.indices
    # Not the first: the order of a folder is that of its classes.
    return self.indices[at_random(len(self), most, seed)]

  def features(self, spec: str) -> np.ndarray:
    """float32 [n, d]: the features of all pictures that count."""
    name, tap = table.parse(spec)
    extractor = self._extractors.get(name)
    if self._features.get(name, (None,))[0] is not extractor:
      self._features.pop(name, None)
      compute = functools.partial(
          extract.features_from_cache, cache_dir=self._options.cache_dir) if (
              self._on_disk) else extract.features
      self._features[name] = extractor, compute(
          self.source, extractor, self.indices, self._title(),
          devices=self._options.devices)
    return self._features[name][1][tap]

  def streams(self, spec: str) -> bool:
    """Whether these features are too many to be kept: they are only summed."""
    name, tap = table.parse(spec)
    width = self._extractors.get(name).taps[tap]
    return 4 * len(self) * width > extract.MOST_BYTES

  def moments(self, spec: str) -> frechet.Moments:
    """Mean and scatter of the features."""
    return self.cached(('moments', spec), lambda: self._moments(spec))

  def _moments(self, spec):
    if not self.streams(spec):
      return frechet.moments(self.features(spec))
    name, tap = table.parse(spec)
    return extract.moments(
        self.source, self._extractors.get(name), tap, self.indices,
        self._title(), self._options.devices)

  def _title(self):
    return f'{len(self):,} {self.source.name}'

  def halves(self, spec: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Features [n // 2, d] of two disjoint halves: what a perfect G has.

    None where there are fewer than four pictures, or too many to be kept.
    """
    if len(self) < 4 or self.streams(spec):
      return None
    return self.cached(('halves', spec), lambda: references.halves(
        self.features(spec), self._options.seed))

  def floor(self, name: str, spec: str,
            measure: Callable[[np.ndarray, np.ndarray], Any]) -> Any:
    """What `measure` says of the two `halves`, or None where there are none.

    Args:
      name: of what is measured; the result is kept under name and spec.
      spec: of the features.
      measure: (features, features) -> anything.
    """
    halves = self.halves(spec)
    return None if halves is None else self.cached(
        ('floor', name, spec), lambda: measure(*halves))

  def cached(self, key: Hashable, compute: Callable[[], Any]) -> Any:
    """What compute() returns, computed at the first call with this key."""
    if key not in self._cached:
      self._cached[key] = compute()
    return self._cached[key]


class MomentsSide(Side):
  """A side of which no more than a file of moments is known.

  Args:
    source: the file.
    extractors, options: see Side.
  """

  def __init__(self, source: MomentsFile, extractors: Extractors,
               options: Options) -> None:
    super().__init__(source, np.arange(0), extractors, options)
    self._moments_of_file = source.moments

  @property
  def count(self) -> int | None:
    return self._moments_of_file.n

  def features(self, spec: str) -> NoReturn:
    """Refuses: features are of pictures."""
    self.source.images(self.indices)
    raise AssertionError

  def streams(self, spec: str) -> bool:
    """True: features are not to be had."""
    return True

  def moments(self, spec: str) -> frechet.Moments:
    """Those of the file, whatever is asked for; Pair has checked them."""
    return self._moments_of_file

  def halves(self, spec: str) -> None:
    """None: there is nothing to be halved."""
