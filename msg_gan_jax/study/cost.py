"""What a run costs: real images, updates of D, updates of G, seconds.

Papers count time in each of them, and a method that is faster in one may be
slower in another: five updates of D for one of G show five times the images.
"""
from collections.abc import Sequence

import numpy as np

from msg_gan_jax.gan.build import Gan


def updates(gan: Gan, images: Sequence[float] | np.ndarray) -> tuple[
    np.ndarray, np.ndarray]:
  """Updates of D and of G until so many real images were shown.

  Steps are counted as training takes them, also where their updates of D or
  their batches change on the way.

  Args:
    gan: of the run.
    images: [n], in any order.

  Returns:
    ([n], [n]) float64; nan where the number is.
  """
  wanted = np.asarray(images, np.float64)
  d, g = np.full(wanted.shape, np.nan), np.full(wanted.shape, np.nan)
  shown = of_d = of_g = 0
  for i in np.argsort(wanted):
    if np.isnan(wanted[i]):
      continue
    while shown < wanted[i]:
      phase = gan.phase(shown)
      shown += phase.images
      of_d += len(phase.penalties)
      of_g += phase.update_g
    d[i], g[i] = of_d, of_g
  return d, g


def seconds(clock: Sequence[float] | np.ndarray) -> np.ndarray:
  """Seconds of all starts of a run, from those of each start by itself.

  Args:
    clock: [n], 'clock.seconds' of its records in their order: each start begins
      at 0 again.

  Returns:
    [n] float64, never falling.
  """
  clock = np.asarray(clock, np.float64)
  total, last, out = 0., 0., np.empty(clock.shape)
  for i, value in enumerate(clock):
    if np.isnan(value):
      value = last
    if value < last:  # Another start.
      total += last
    last = value
    out[i] = total + value
  return out
