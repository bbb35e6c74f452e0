"""Scores that compare pictures as they are; each function is a row's."""
import numpy as np

from msg_gan_jax.metrics.functional import (
  ms_ssim,
  references,
  sliced_wasserstein,
)
from msg_gan_jax.metrics.pair import Pair, Side
from msg_gan_jax.metrics.protocols import Protocol
from msg_gan_jax.metrics.score import Score, with_class_names

_PAIRS = 10_000  # Karras et al. 2018.
_LANDSCAPE = 5, 64  # Batches, and pictures in one.


def ms_ssim_scores(pair: Pair) -> list[Score]:
  """How alike two pictures of a set are: 1 if there is one picture only.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 5; in the protocol
  `landscape` Kurach et al. 2019 (arXiv:1807.04720).
  """
  landscape = pair.protocol.similarity == 'landscape'
  form = ms_ssim.LANDSCAPE if landscape else _form(pair)

  def measure(side: Side, shuffle: bool) -> ms_ssim.Similarity:
    if landscape:
      batches, batch = _LANDSCAPE
      batch = min(batch, len(side) // batches)
      images = side.images(batches * batch)
      if shuffle:
        images = np.random.default_rng(0).permutation(images)
      return ms_ssim.landscape(images, batches, batch)
    return ms_ssim.pairs(side.images(2 * _PAIRS), min(_PAIRS, len(side) // 2),
                         pair.options.seed, form)

  # In the order of a set, a batch may be of one class; pairs are drawn.
  fake, real = measure(pair.fake, pair.given), measure(pair.real, True)
  about = {'form': form._asdict(), 'pairs': fake.pairs}
  if landscape:
    about['shuffle'] = pair.given
  return [Score('ms_ssim', fake.value, fake.standard_error, reals=real.value,
                about=about, warnings=fake.warnings)]


def fewest_of_ms_ssim(protocol: Protocol) -> tuple[int, int]:
  """Pictures that MS-SSIM needs, of reals and of fakes: pairs, or batches."""
  fewest = 2 * _LANDSCAPE[0] if protocol.similarity == 'landscape' else 2
  return fewest, fewest


def ms_ssim_within_scores(pair: Pair) -> list[Score]:
  """How alike two pictures of one class are, in the mean over classes.

  Source: Odena et al. 2017 (arXiv:1610.09585), sec. 4.2.
  """
  fake, real = (ms_ssim.within(
      side.images(2 * _PAIRS), side.labels(2 * _PAIRS), seed=pair.options.seed,
      form=_form(pair)) for side in (pair.fake, pair.real))
  return [Score('ms_ssim_within', fake.mean, reals=real.mean, about={
      'by_class': with_class_names(fake.by_class, pair.real.source.classes)})]


def _form(pair):
  """ProGAN's, which halves four times; where sides do not allow it, the other.
  """
  height, width, _ = pair.real.source.shape
  return ms_ssim.LANDSCAPE if height % 16 or width % 16 else ms_ssim.PROGAN


def check_patches(pair: Pair) -> None:
  """Refuses pictures that hold no patch."""
  for side, source in (('real', pair.real.source), ('fake', pair.fake.source)):
    height, width, _ = source.shape
    if 0 < min(height, width) < sliced_wasserstein.SMALLEST:
      raise ValueError(
          f'metrics: swd wants pictures of at least '
          f'{sliced_wasserstein.SMALLEST} pixels a side, and those of {side} '
          f'({source.name}) are {width} x {height}.')


def swd_scores(pair: Pair) -> list[Score]:
  """The sliced Wasserstein distance of patches, at every scale.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 5.
  """
  most, seed = pair.protocol.sliced, pair.options.seed
  # Of two sets in one order, one seed would draw the same classes.
  real = pair.real.images(most)
  fake = pair.fake.images(most, seed=int(pair.given))
  distances = sliced_wasserstein.swd(real, fake, seed)

  def of_halves():
    if len(real) < 4:
      return {}
    return sliced_wasserstein.swd(*references.halves(real, seed), seed)

  floor = pair.real.cached('sliced floor', of_halves)
  protocol = distances.pop('protocol')
  if pair.given and len(fake) < len(pair.fake):
    protocol['shuffle'] = True
  return [Score(f'swd_{level}', float(value), reals=floor.get(level),
                about=protocol) for level, value in distances.items()]
