"""What a run costs: real images, updates of D, updates of G, seconds.

Papers count time in each of them, and a method that is faster in one may be
slower in another: five updates of D for one of G show five times the images.
"""
import bisect
from collections.abc import Sequence
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from msg_gan_jax.runs import starts
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written

if TYPE_CHECKING:  # Whoever reads COSTS alone does without jax.
  from msg_gan_jax.gan.build import Gan

COSTS = ('images', 'd_steps', 'g_steps', 'seconds')


def costs(written: Written, gan: 'Gan | None' = None) -> Columns:
  """What a run had cost at each of its records.

  Args:
    written: the run.
    gan: of its settings; one without an objective, of `build_to_draw`, does.
      None builds that.

  Returns:
    Columns of COSTS, a row for each record; none falls on the way. Seconds are
    those of all starts; what a start did after its last record is not known.
    They are nan where no record has any.

  Raises:
    ValueError: a row of its settings is not known here; `without_updates` has
      what can be said then.
  """
  from msg_gan_jax.gan.build import build_to_draw
  gan = gan or build_to_draw(written.config)
  found = without_updates(written)
  d, g = updates(gan, found['images'])
  return Columns(zip(COSTS, (found['images'], d, g, found['seconds']),
                     strict=True))


def without_updates(written: Written) -> Columns:
  """The same of a run whose settings build no GAN here: images and seconds."""
  images = written.records['images']
  clock = written.records.get('clock.seconds', np.full(images.shape, np.nan))
  owner = starts.owners([start.images for start in written.starts], images)
  return Columns({'images': images, 'seconds': starts.added_up(clock, owner)})


class _Stretch(NamedTuple):
  """Steps in a row with batches of one size."""
  images: int       # Real images shown before it,
  step_images: int  # and in each of its steps.
  d: int            # Updates of D before it,
  of_d: int         # and in each of its steps.
  g: int            # Updates of G before it.
  first: int        # The number of its first step, as Phases count them.


def updates(gan: 'Gan', images: Sequence[float] | np.ndarray) -> tuple[
    np.ndarray, np.ndarray]:
  """Updates of D and of G until so many real images were shown.

  Steps are counted as training takes them, also where their updates of D or
  their batches change on the way, and without going through them one by one: a
  long run has a million.

  Args:
    gan: of the run.
    images: [n], in any order.

  Returns:
    ([n], [n]) float64; nan where the number is.
  """
  from msg_gan_jax.gan.schedules import g_updates
  train = gan.components.config.train
  wanted = np.asarray(images, np.float64)
  most = math.ceil(max(wanted[~np.isnan(wanted)], default=0))
  stretches = [_stretch(gan, 0, 0, 0)]

  def after(stretch, shown):
    """(images, updates of D, of G) of the first step that reaches `shown`."""
    steps = max(0, math.ceil((shown - stretch.images) / stretch.step_images))
    return (stretch.images + steps * stretch.step_images,
            stretch.d + steps * stretch.of_d,
            stretch.g + g_updates(stretch.first + steps, train)
            - g_updates(stretch.first, train))

  while (end := _end(gan, stretches[-1].images, most)) < most:
    stretches.append(_stretch(gan, *after(stretches[-1], end)))
  begins = [stretch.images for stretch in stretches]
  d, g = np.full(wanted.shape, np.nan), np.full(wanted.shape, np.nan)
  for i in np.flatnonzero(~np.isnan(wanted)):
    stretch = stretches[max(0, bisect.bisect_left(begins, wanted[i]) - 1)]
    _, d[i], g[i] = after(stretch, wanted[i])
  return d, g


def _stretch(gan, images, d, g):
  phase = gan.phase(images)
  of_d = len(phase.penalties)
  return _Stretch(images, phase.images, d, of_d, g,
                  images // phase.batch // of_d)


def _end(gan, images, most):
  """Images from which on batches may have another size; at most `most`."""
  # Batches follow the level, and that only rises.
  return bisect.bisect_right(
      range(most), gan.phase(images).level, lo=min(images, most),
      key=lambda shown: gan.phase(shown).level)
