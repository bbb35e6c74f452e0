"""Two sets of pictures, and what is computed of them only once."""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.metrics import sets
from msg_gan_jax.metrics.features import extract, table
from msg_gan_jax.metrics.functional import frechet, references


class Options(NamedTuple):
  """What the scores of two sets depend on, besides the pictures.

  Attributes:
    protocol: protocols.Protocol.
    name: its name.
    features: a FEATURES spec in place of the protocol's, or ''.
    weights_file, cache_dir, say, devices: see features.Asked, extract.features.
    held_out: source.Source to test a classifier on, or None.
    train: source.Source that a generator has learned from, or None.
    seed: of everything that is drawn.
    psi, cutoff: by which a generator's samples are truncated.
  """
  protocol: Any
  name: str
  features: str = ''
  weights_file: str = ''
  cache_dir: str = ''
  say: Callable = print
  devices: Any = None
  held_out: Any = None
  train: Any = None
  seed: int = 0
  psi: float = 1.
  cutoff: int | None = None


class Pair:
  """Reals and fakes, their features and their moments.

  Args:
    real, fake: source.Source of pictures of one shape.
    options: Options.

  Raises:
    ValueError: pictures of two shapes, or fewer than two.
  """

  def __init__(self, real, fake, options):
    real, fake = sets.alike(real, fake)
    if tuple(real.shape) != tuple(fake.shape):
      raise ValueError(
          f'--fake: pictures of {fake.name} are {_size(fake.shape)}, those of '
          f'{real.name} {_size(real.shape)}; wanted one size, as by '
          '--resolution=N.')
    for flag, one in (('real', real), ('fake', fake)):
      if len(one) < 2:
        raise ValueError(
            f'--{flag}: {one.name} has {len(one)} picture; wanted at least 2.')
    self.real, self.fake, self.options = real, fake, options
    protocol = options.protocol
    self._picked = {
        'real': _evenly(len(real), protocol.n_real or len(real)),
        'fake': np.arange(min(len(fake), protocol.n_fake or len(fake))),
        **{side: _evenly(len(one), 2**40) for side, one in (
            ('train', options.train), ('held_out', options.held_out))
           if one is not None}}
    self._taps, self._found, self._extractors = {}, {}, {}

  def want(self, specs):
    """Opens what these features need; one pass will give all their taps."""
    for name, tap in map(table.parse, specs):
      if tap not in self._taps.setdefault(name, set()):
        self._taps[name].add(tap)
        # What is known has other taps only.
        self._extractors.pop(name, None)
        for side in self._picked:
          self._found.pop((side, name), None)
    for name in self._taps:
      self.extractor(name)

  @property
  def protocol(self):
    return self.options.protocol

  @property
  def spec(self):
    """Of the features that FID and KID look at."""
    return self.options.features or self.protocol.features

  @property
  def manifold_spec(self):
    """Of those that precision and recall look at."""
    return self.options.features or self.protocol.manifold

  def n(self, side):
    return len(self._picked[side])

  def source(self, side):
    return {'real': self.real, 'fake': self.fake,
            'train': self.options.train,
            'held_out': self.options.held_out}[side]

  def images(self, side, most=None):
    """uint8 [n, H, W, C]: all that count, or `most` of them, at random."""
    return self.source(side).images(self._some(side, most))

  def labels(self, side, most=None):
    """int32 [n], of the same pictures as `images`."""
    return self.source(side).labels(self._some(side, most))

  def _some(self, side, most):
    picked = self._picked[side]
    if most is None or len(picked) <= most:
      return picked
    # Not the first: the order of a folder is that of its classes.
    mixed = np.random.default_rng(0).permutation(len(picked))[:most]
    return picked[np.sort(mixed)]

  def picked_images(self, side, numbers):
    """Those that rows of the features belong to."""
    return self.source(side).images(self._picked[side][numbers])

  def with_fake(self, fake):
    """A Pair of other fakes that knows all this one does of the reals."""
    other = Pair(self.real, fake, self.options)
    other._taps, other._extractors = self._taps, self._extractors
    other._found = {k: v for k, v in self._found.items() if 'fake' not in k}
    return other

  def features(self, side, spec):
    """float32 [n, d] of 'real', 'fake', 'train' or 'held_out' pictures."""
    name, tap = table.parse(spec)
    if (side, name) not in self._found:
      get = extract.features if side == 'fake' else functools.partial(
          extract.kept, cache_dir=self.options.cache_dir)
      self._found[side, name] = get(
          self.source(side), self.extractor(name), self._picked[side],
          self._title(side), devices=self.options.devices)
    return self._found[side, name][tap]

  def between(self, spec):
    """(images, images) -> [n]: squared distance of features, to be jitted."""
    name, tap = table.parse(spec)
    found = self.extractor(name)

    def distance(a, b):
      a, b = (found.apply(found.params, x)[tap] for x in (a, b))
      return ((a - b)**2).sum(-1)
    return distance

  def perceptual(self):
    """LPIPS: (images in 0 .. 255, likewise) -> [n], to be jitted."""
    if 'lpips' not in self._extractors:
      self._extractors['lpips'] = table.lpips(
          self.options.weights_file, self.options.cache_dir)
    return self._extractors['lpips'].apply

  def extractor(self, name):
    if name not in self._extractors:
      taps = sorted(self._taps.get(name) or {table.FEATURES[name].tap})
      o = self.options
      self._extractors[name] = table.open_extractor(
          name, table.Asked(
              tuple(taps), o.protocol, o.train or self.real, o.held_out,
              o.weights_file, o.cache_dir, o.say))
    return self._extractors[name]

  def streams(self, side, spec):
    """Whether these features are too many to be kept: only summed."""
    name, tap = table.parse(spec)
    width = self.extractor(name).taps[tap]
    return 4 * self.n(side) * width > extract.MOST_BYTES

  def moments(self, side, spec):
    return self.once(('moments', side, spec), lambda: self._moments(
        side, *table.parse(spec)))

  def _moments(self, side, name, tap):
    spec = f'{name}:{tap}'
    if not self.streams(side, spec):
      return frechet.moments(self.features(side, spec))
    return extract.moments(
        self.source(side), self.extractor(name), tap, self._picked[side],
        self._title(side), self.options.devices)

  def _title(self, side):
    return f'{self.n(side):,} {self.source(side).name}'

  def floor(self, name, measure):
    """What `measure` says of two halves of the reals' features, or None.

    Args:
      name: what it is kept under, with its features' spec: (name, spec).
      measure: (features, features) -> anything.
    """
    halves = self.halves(name[1])
    return None if halves is None else self.once(
        ('floor', *name), lambda: measure(*halves))

  def halves(self, spec):
    """Features of two disjoint halves of the reals: what a perfect G has.

    None where there are fewer than four, or too many to be kept.
    """
    if self.n('real') < 4 or self.streams('real', spec):
      return None
    return self.once(('halves', spec), lambda: references.halves(
        self.features('real', spec), self.options.seed))

  def once(self, key, compute):
    """What compute() returns, computed at the first call with this key."""
    if key not in self._found:
      self._found[key] = compute()
    return self._found[key]

  def about(self):
    """What a record says of the two sets, besides the protocol's settings."""
    return {'n_real': self.n('real'), 'n_fake': self.n('fake'),
            'real': self.real.name, 'real_digest': self.real.digest(),
            'extractors': {name: x.about
                           for name, x in sorted(self._extractors.items())}}


def _evenly(n, most):
  return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64)) if (
      n) else np.zeros(0, np.int64)


def _size(shape):
  height, width, channels = shape
  return f'{width} x {height} with {channels} channels'
