"""One step of a GAN on all devices."""
from collections.abc import Callable
import functools
from typing import Any

import jax
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.config import schema
from msg_gan_jax.gan import step
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import RealBatch, State

Logs = dict[str, jax.Array]


class ShardedStep:
  """Gan.step on a mesh: the batch is split by rows, all else replicated.

  Where a step has several updates of D, one of them is compiled, and called for
  each: all of them in one program take hardly less time to run, and far more to
  compile. A loop inside of the program is no way out on a CPU, where the
  gradient of a convolution in it is a hundred times slower.

  Args:
    gan: whose step it is.
    mesh: all devices.
  """

  def __init__(self, gan: Gan, mesh: jax.sharding.Mesh):
    self._components = gan.components
    split = split_rows(mesh) if mesh.devices.size > 1 else None

    def program(function: Callable[..., Any], *static: str) -> Any:
      return jit(
          functools.partial(function, gan.components, split=split),
          static_argnames=static, donate_argnums=0,
          out_shardings=(replicated(mesh), replicated(mesh)))

    self._whole = program(step.step, 'phase')
    self._update_d = program(step.update_d, 'phase', 'keep')
    self._update_g = program(step.update_g, 'phase')

  def __call__(self, state: State, batch: RealBatch, key: jax.Array,
               phase: Phase) -> tuple[State, Logs]:
    """As Gan.step; the State that it is given is used up."""
    logs: Logs = {}
    for program, arguments in self._programs(phase):
      state, more = program(state, batch, key, **arguments)
      logs |= more
    return state, logs

  def lower(self, state: State, batch: RealBatch, key: jax.Array,
            phase: Phase) -> list[jax.stages.Lowered]:
    """The lowered programs of a step, one for each call."""
    lowered: dict[Any, jax.stages.Lowered] = {}
    calls = []
    for program, arguments in self._programs(phase):
      which = program, *(x for x in arguments.items() if x[0] != 'i')
      if which not in lowered:
        lowered[which] = program.lower(state, batch, key, **arguments)
      calls.append(lowered[which])
    return calls

  def _programs(self, phase):
    """[(program, its arguments besides those of Gan.step)] of a step."""
    if not step.in_parts(self._components):
      return [(self._whole, {'phase': phase})]
    # Facts that a part does not look at are the same in all of its phases.
    calls: list[tuple[Any, dict[str, Any]]] = [(self._update_d, {
        'i': np.int32(i), 'keep': self._components.every_pass or not i,
        'phase': phase._replace(
            penalties=(penalized,), update_g=False, penalize_g=False)})
        for i, penalized in enumerate(phase.penalties)]
    without = phase._replace(penalties=(False,) * len(phase.penalties))
    return [*calls, (self._update_g, {'phase': without})]


def check_batch(config: schema.Config, mesh: jax.sharding.Mesh) -> None:
  """Refuses a batch that the devices cannot share.

  Raises:
    ValueError: names the batch and the number of devices.
  """
  devices, train = mesh.devices.size, config.train
  grown = schema.by_size(train.grow_batches, int).values()
  for name, batch in (('batch', train.batch),
                      *(('grow_batches', batch) for batch in grown)):
    if batch % devices:
      near = max(devices, round(batch / devices) * devices)
      raise ValueError(
          f'config.train.{name}: {batch} images cannot be shared '
          f'by {devices} devices; the nearest batch that can: {near}.')
