"""Two sets of pictures that are compared, and what both share."""
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from msg_gan_jax.arrays.indices import at_random
from msg_gan_jax.data import tally
from msg_gan_jax.data.mixed_sizes import MixedSizes
from msg_gan_jax.data.source import ArraySource, Source
from msg_gan_jax.metrics import sets
from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.moments_file import MomentsFile
from msg_gan_jax.metrics.protocols import Protocol
from msg_gan_jax.metrics.side import Extractors, MomentsSide, Options, Side

__all__ = ['Options', 'Pair', 'Side']


class Pair:
  """Reals and fakes, with the networks that they are compared by.

  Args:
    real, fake: pictures, or files of moments. Where they have several sizes,
      features are needed that resize each picture by itself.
    options: what scores depend on besides them.

  Attributes:
    real, fake: Side.
    train: Side of the pictures that a generator has learned from, or None.
    held_out: Side of the pictures that it has not seen, or None.
    reals: which pictures the reals are: 'held_out' or 'train' of a data set, or
      'given'.
    given: whether the fakes are a set that has no order, and not what a
      generator draws.
    options: as given.
    extractors: the networks, opened at first use.

  Raises:
    ValueError: fewer pictures than two.
  """

  def __init__(self, real: Source, fake: Source, options: Options) -> None:
    self.given = not sets.are_drawn(fake)
    self.reals = ('held_out' if real is options.held_out else
                  'train' if real is options.train else 'given')
    real, fake = sets.in_same_channels(real, fake)
    for name, source in (('real', real), ('fake', fake)):
      if len(source) < 2 and not isinstance(source, MomentsFile):
        place = '' if source.name == name else f' in {source.name}'
        raise ValueError(
            f'{name}: {len(source)} picture{place}; wanted at least 2.')
    self.options = options
    self.extractors = Extractors(
        options, fake if isinstance(real, MomentsFile) else real)
    self.real = self._all_of(real, options.protocol.n_real)
    self.train, self.held_out = (
        None if source is None else self._all_of(source)
        for source in (options.train, options.held_out))
    self.fake = self._fakes(fake)

  def _all_of(self, source, most=0):
    if isinstance(source, MomentsFile):
      return MomentsSide(source, self.extractors, self.options)
    return Side(source, at_random(len(source), most or len(source)),
                self.extractors, self.options)

  def _fakes(self, source):
    if isinstance(source, MomentsFile):
      return MomentsSide(source, self.extractors, self.options)
    count = min(len(source), self.protocol.n_fake or len(source))
    # Not with the seed of the reals: two sets in one order would be alike.
    indices = (at_random(len(source), count, seed=1) if self.given else
               np.arange(count))
    return Side(source, indices, self.extractors, self.options, on_disk=False)

  def with_fake(self, fake: Source) -> 'Pair':
    """A Pair of other fakes that knows all this one does of the reals."""
    other = Pair(self.real.source, fake, self.options)
    other.reals = self.reals  # Grey ones may be in colour by now.
    if other.real.source is self.real.source:
      other.extractors = self.extractors
      other.real, other.train, other.held_out = (
          self.real, self.train, self.held_out)
      other.fake = other._fakes(other.fake.source)
    return other

  @property
  def protocol(self) -> Protocol:
    """How scores are computed."""
    return self.options.protocol

  @property
  def has_draws(self) -> bool:
    """Whether some pictures of a set were drawn, and not all count."""
    sides = (self.real, self.fake) if self.given else (self.real,)
    return any(len(side) < len(side.source) for side in sides)

  @property
  def spec(self) -> str:
    """Of the features that FID and KID look at."""
    return self.options.features or self.protocol.features

  @property
  def manifold_spec(self) -> str:
    """Of the features that precision and recall look at."""
    return self.options.features or self.protocol.manifold

  def want(self, specs: Iterable[str]) -> None:
    """Opens what these features need, such that one pass gives all taps.

    Raises:
      ValueError: pictures of several sizes that they cannot take, or files of
        moments of other features; or weights are missing.
    """
    specs = [*specs]
    for name in dict.fromkeys(table.parse(spec)[0] for spec in specs):
      if not table.FEATURES.look_up(name).any_size:
        self.check_one_size(name)
    if len(self.files) < 2:  # Two files need no network.
      self.extractors.want(specs)
    opened = self.extractors.about()
    for side, file in self.files.items():
      for name, tap in map(table.parse, specs):
        widths = (self.extractors.get(name).taps if name in opened
                  else table.FEATURES[name].widths)
        file.check(side, f'{name}:{tap}', widths.get(tap), opened.get(name, {}))
    if len(self.files) == 2:
      parsed = [table.parse(spec) for spec in specs]
      self.files['fake'].check_beside(
          self.files['real'], self.options.name, [*map(':'.join, parsed)],
          all(tap in table.FEATURES[name].widths for name, tap in parsed))

  @property
  def files(self) -> dict[str, MomentsFile]:
    """{'real' or 'fake': the file of moments that stands for its pictures}."""
    sides = {'real': self.real.source, 'fake': self.fake.source}
    return {name: source for name, source in sides.items()
            if isinstance(source, MomentsFile)}

  def check_pictures(self, metric: str, but: tuple[str, ...] = ()) -> None:
    """Refuses a file of moments where pictures are needed.

    Args:
      metric: what needs them.
      but: of which sides it needs none.

    Raises:
      ValueError: such a file, and what can be measured of it.
    """
    for side, file in self.files.items():
      if side not in but:
        raise ValueError(
            f'{side}: {file.name} has mu and sigma alone, and {metric} needs '
            'the pictures; wanted metrics=fid, or the pictures.')

  def check_one_size(self, what: str) -> None:
    """Refuses pictures of several sizes.

    Args:
      what: a metric or features that need one size, for the error.

    Raises:
      ValueError: which sizes there are, and what helps.
    """
    real, fake = self.real.source, self.fake.source
    # Arrays stay as they are; others can get their size.
    fixed = [x for x in (fake, real) if isinstance(x, ArraySource)]
    size = (fixed or [fake])[0].shape[0] or real.shape[0] or 64
    helps = (f'such as resolution={size}, to which all are cropped and resized'
             if len(fixed) < 2 else 'to which one of them is resized before')
    if what == table.parse(self.protocol.features)[0] and (
        not self.options.features):
      helps += (', or a protocol that resizes each by itself, such as '
                'protocol=clean with metrics=fid')
    for side, source in (('real', real), ('fake', fake)):
      if isinstance(source, MixedSizes):
        raise ValueError(f'{side}: {source.name} has {source.sizes()}; {what} '
                         f'wants one size, {helps}.')
    if tuple(real.shape) != tuple(fake.shape) and not self.files:
      raise ValueError(
          f'fake: pictures of {fake.name} are {_size(fake.shape)}, those of '
          f'{real.name} {_size(real.shape)}; wanted one size, {helps}.')

  def feature_distance(
      self, spec: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """(images, images) -> [n]: squared distance of features, to be jitted."""
    name, tap = table.parse(spec)
    extractor = self.extractors.get(name)

    def distance(a, b):
      a, b = (extractor.apply(extractor.params, x)[tap] for x in (a, b))
      return ((a - b)**2).sum(-1)
    return distance

  def about(self) -> dict[str, Any]:
    """What a record says of the two sets, besides the protocol's settings."""
    real = self.real.source
    return {'n_real': self.real.count, 'n_fake': self.fake.count,
            'real': real.name, 'real_digest': real.digest(),
            'extractors': self.extractors.about()}

  def doubts(self) -> list[str]:
    """Lines about nearly black sets, and what files of moments do not tell."""
    lines = []
    for name, side in (('real', self.real), ('fake', self.fake)):
      source = side.source
      wide = source.notes.get('more_than_8_bits')
      if wide and tally.is_dark(wide):
        suited, _ = tally.suited_range(wide['least'], wide['bright'])
        lines.append(
            f"{name}: values of {source.name} are read as {wide['black']:g} "
            f"black to {wide['white']:g} white, and nearly all of them are "
            f"below {wide['bright']:g}: the pictures are nearly black. range="
            f'{suited} would suit them.')
    for side, file in self.files.items():
      if file.moments.n is None:
        lines.append(f'{side}: {file.name} does not tell of how many pictures '
                     'it is.')
      if not file.about:
        lines.append(
            f'{side}: {file.name} does not tell by which protocol and weights '
            f'it was made; {self.options.name} is taken for granted.')
    return lines


def _size(shape):
  height, width, channels = shape
  return f'{width} x {height} with {channels} channels'
