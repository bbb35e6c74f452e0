"""One step of a GAN on all devices."""
from collections.abc import Callable
import functools
import itertools
import operator
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

  Where a step has several updates of D, one of them is compiled, and used for
  each: all of them one after another in a program take hardly less time to run,
  and far more to compile. On accelerators a loop in the program of the step
  does that. On a CPU, where the gradient of a convolution in a loop is a
  hundred times slower, the update is a program of its own, which is called.

  Several steps of one Phase are a loop in one program, on any backend.

  Args:
    gan: whose step it is.
    mesh: all devices.
    loops: whether updates of D are looped over in the program; None is where
      that is fast.
  """

  def __init__(self, gan: Gan, mesh: jax.sharding.Mesh,
               loops: bool | None = None):
    self._components = gan.components
    self._loops = jax.default_backend() != 'cpu' if loops is None else loops
    split = split_rows(mesh) if mesh.devices.size > 1 else None

    def program(function: Callable[..., Any], *static: str) -> Any:
      return jit(
          functools.partial(function, gan.components, split=split),
          static_argnames=static, donate_argnums=0,
          out_shardings=(replicated(mesh), replicated(mesh)))

    self._whole = program(_looped_step, 'phase')
    self._several = program(_several_steps, 'phase')
    self._parts = {step.update_d: program(step.update_d, 'phase', 'keep'),
                   step.update_g: program(step.update_g, 'phase')}

  def __call__(self, state: State, batch: RealBatch, key: jax.Array,
               phase: Phase) -> tuple[State, Logs]:
    """One step or several, each as Gan.step; the State given is used up.

    Args:
      state, key: as of Gan.step.
      batch: images [n * phase.batches, B, H, W, C] and labels of the same n
        steps, which follow each other.
      phase: of each of these steps.

    Returns:
      (State, logs); of several steps each of the logs is [n].
    """
    logs: Logs = {}
    for program, arguments in self._programs(batch, phase):
      state, more = program(state, batch, key, **arguments)
      logs |= more
    return state, logs

  def lower(self, state: State, batch: RealBatch, key: jax.Array,
            phase: Phase) -> list[jax.stages.Lowered]:
    """The lowered programs of a call with these arguments, one for each call.

    Shapes, jax.ShapeDtypeStruct with a sharding, will do for arrays. Once one
    of them is compiled, a call finds its program.
    """
    lowered: dict[Any, jax.stages.Lowered] = {}
    calls = []
    for program, arguments in self._programs(batch, phase):
      which = program, *(x for x in arguments.items() if x[0] != 'i')
      if which not in lowered:
        lowered[which] = program.lower(state, batch, key, **arguments)
      calls.append(lowered[which])
    return calls

  def _programs(self, batch, phase):
    """[(program, its arguments besides those of Gan.step)] of a call."""
    if len(batch.images) > phase.batches:
      return [(self._several, {'phase': phase})]
    if self._loops or not step.in_parts(self._components):
      return [(self._whole, {'phase': phase})]
    return [(self._parts[function], arguments)
            for function, arguments in _parts(self._components, phase)]


def _parts(components, phase):
  """[(function, arguments besides those of Gan.step)] of a step in parts."""
  # Facts that a part does not look at are the same in all of its phases.
  calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [(step.update_d, {
      'i': np.int32(i), 'keep': components.every_pass or not i,
      'phase': phase._replace(
          penalties=(penalized,), update_g=False, penalize_g=False)})
      for i, penalized in enumerate(phase.penalties)]
  without = phase._replace(penalties=(False,) * len(phase.penalties))
  return [*calls, (step.update_g, {'phase': without})]


def _looped_step(components, state, batch, key, phase, split=None):
  """step.step, with a loop over updates of D that are alike."""
  if not step.in_parts(components):
    return step.step(components, state, batch, key, phase, split)
  *updates, (update_g, last) = _parts(components, phase)
  logs: Logs = {}
  for (keep, of_update), run in itertools.groupby(
      (arguments for _, arguments in updates),
      operator.itemgetter('keep', 'phase')):
    def update(state, i, keep=keep, of_update=of_update):
      return step.update_d(
          components, state, batch, key, i, of_update, keep, split)

    state, more = jax.lax.scan(
        update, state, np.asarray([arguments['i'] for arguments in run]))
    logs |= jax.tree.map(lambda log: log[-1], more)
  state, more = update_g(components, state, batch, key, **last, split=split)
  return state, logs | more


def _several_steps(components, state, batch, key, phase, split=None):
  """(State, logs [n]) of n steps; arguments as of ShardedStep."""
  batches = jax.tree.map(
      lambda x: x.reshape(-1, phase.batches, *x.shape[1:]), batch)
  return jax.lax.scan(
      lambda state, batch: _looped_step(
          components, state, batch, key, phase, split), state, batches)


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
