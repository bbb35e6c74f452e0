"""How many steps a device takes in one call.

Where steps are short, a fast device waits for the host, which hands it hundreds
of arrays for each. Several steps in one program wait once. They never cross
what is due, nor a change of the Phase: a run leaves the same records, pictures
and checkpoints, however its steps are grouped. How they are depends on the
images shown alone, and on nothing that came before, so that a run that
continues takes the same groups, and has the same bits.
"""
from collections.abc import Callable
import itertools

import jax
import numpy as np

from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.training.observers import Moment

MOST = 16     # A signal is heard between calls.
WINDOW = 64   # Steps that are looked at, from a multiple of half as many.
BYTES = 16e6  # Of real images in a call: steps that show more are long.


class Groups:
  """Groups of steps: a Phase has two programs at most, of a group and of one.

  Args:
    gan: whose steps they are.
    total: real images after which the run ends.
    due: whether something is to be done at a Moment.
  """

  def __init__(self, gan: Gan, total: int, due: Callable[[Moment], bool]):
    self._gan, self._total, self._due = gan, total, due
    self._sizes: dict[tuple[int, Phase], int] = {}

  def at(self, images: int) -> tuple[Phase, int]:
    """(Phase, number of steps) of the call after `images` real images."""
    phase, size = self._gan.phase(images), self.size(images)
    shown = phase.images
    for before in range(images, images + (size - 1) * shown, shown):
      after = before + shown
      if (after >= self._total or self._gan.phase(after) != phase
          or self._due(Moment(before, after))):
        return phase, 1
    return phase, size

  def size(self, images: int) -> int:
    """Steps in a group of the Phase that holds after `images` real images."""
    phase = self._gan.phase(images)
    past = images // phase.images % (WINDOW // 2)
    window = images - past * phase.images, phase
    if window not in self._sizes:
      if len(self._sizes) > WINDOW:  # It forgets those that are past.
        self._sizes.clear()
      self._sizes[window] = self._size_in(*window)
    return self._sizes[window]

  def _most(self, phase):
    config = self._gan.components.config
    if config.train.steps_a_dispatch:
      return config.train.steps_a_dispatch
    if jax.default_backend() == 'cpu':
      return 1  # Gradients of convolutions are slow in its loops.
    step_bytes = phase.images * int(np.prod(config.data.shape))
    return int(np.clip(BYTES / step_bytes, 1, MOST))

  def _size_in(self, images, phase):
    """The size of a Phase's groups in the window that begins at `images`."""
    most = self._most(phase)
    if most == 1:
      return 1
    phases = []
    for _ in range(WINDOW):
      phases.append(self._gan.phase(images))
      images += phases[-1].images
    runs = [len([*run]) for found, run in itertools.groupby(phases)
            if found == phase]
    longest = max(runs)
    # Shorter groups are worth a program where they come again and again, as
    # between lazy penalties, and not before a Phase that comes once.
    return most if longest >= most else (
        longest if runs.count(longest) > 1 else 1)
