"""Finds what was the first number in a run that is not finite.

Steps are functions of State, pictures and a key, and so they can be repeated.
"""
from collections.abc import Callable, Sequence
import dataclasses
from typing import Any, NamedTuple

import jax
from jax.sharding import Mesh
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated
from msg_gan_jax.data.batches import Batch, Batches
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.inside import BEFORE, OF_G, Place
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import fingerprints, processes
from msg_gan_jax.training import kept, monitor

# What arrays of State are called as kinds of inside.KINDS, in the order in
# which an update computes them.
_KINDS = {'stats': 'statistics', 'opt': 'optimizer', 'params': 'parameter'}


class Call(NamedTuple):
  """Steps that a run takes in one call.

  Attributes:
    images: real images shown before them.
    phase: of each of them.
    steps: how many.
  """
  images: int
  phase: Phase
  steps: int

  @property
  def shown(self) -> range:
    """Real images shown after each step."""
    size = self.phase.images
    return range(self.images + size, self.images + self.steps * size + 1, size)


@dataclasses.dataclass(frozen=True)
class Failure:
  """A call that left numbers that are not finite.

  Attributes:
    call: the call.
    shown: real images shown after the failing step in it.
    state: State before the call, on the devices.
    terms: {log: value} of the failing step, those that are not finite.
    leaves: names of State's arrays that are not finite after the call.
    cause: the first of all.
    others: how many more places were not finite in the step.
    bad_pictures: numbers of those of the step's pictures that are not finite.
    fingerprint: of State before the call.
  """
  call: Call
  shown: int
  state: State
  terms: dict[str, float]
  leaves: list[str]
  cause: Place
  others: int = 0
  bad_pictures: tuple[int, ...] = ()
  fingerprint: str = ''

  def __str__(self) -> str:
    after = f' ({self.others} more follow)' if self.others else ''
    return (f'{self.cause}{after}, in the step from '
            f'{self.shown - self.call.phase.images:,} to {self.shown:,} images')


class Repeat:
  """Repeats steps of a run, as they were.

  Args:
    gan, mesh: whose steps, and on which devices.
    step: of the run.
    batches: real pictures.
    key: of the run.
  """

  def __init__(self, gan: Gan, mesh: Mesh, step: ShardedStep, batches: Batches,
               key: jax.Array):
    self._gan, self._mesh, self._step = gan, mesh, step
    self._batches, self._key = batches, key

  def search(self, images: int, state: State, until: int,
             call: Callable[[int], tuple[Phase, int]],
             stopped: Callable[[], bool]) -> Failure | None:
    """The first call that fails; None if none does, or it was stopped.

    Args:
      images, state: where to begin.
      until: real images after which it ends.
      call: of images, (Phase, steps) of the call that the run took there.
      stopped: asked after each call.
    """
    while images < until:
      made = Call(images, *call(images))
      found, state = self.once(made, state)
      if found or stopped():
        return found
      images = made.shown[-1]
    return None

  def once(self, call: Call, state: State) -> tuple[Failure | None, State]:
    """(what failed in a call, State after it).

    Args:
      call: what is repeated.
      state: before it; used up.
    """
    before = _copy(state)
    state, logs = self._step(
        state, self.batch(call), self._key, call.phase)
    steps = _of_steps(jax.device_get(logs), call.steps)
    leaves = monitor.not_finite_leaves(state)
    first = next((i for i, of_step in enumerate(steps)
                  if monitor.not_finite(of_step)), None)
    if first is None and not leaves:
      return None, state
    del state
    at, places = call.steps - 1 if first is None else first, list[Place]()
    if was := monitor.not_finite_leaves(before):
      at, places = 0, [x._replace(update=BEFORE) for x in _of_leaves(was)]
    elif (inside := self._look_inside(call, before))[0] >= 0:
      at, places = inside
    terms = {name: float(steps[at][name])
             for name in monitor.not_finite(steps[at])}
    places = places or [*_of_results(terms, leaves)]
    return Failure(
        call, call.shown[at], before, terms, leaves, places[0],
        len(places) - 1, self._bad_pictures(call, call.shown[at]),
        fingerprints.fingerprint(before)), before

  def batch(self, call: Call) -> Any:
    """The pictures of a call."""
    return self._batches.at(*call.phase.reads(call.images, call.steps))

  def _look_inside(self, call, before):
    """(number of the failing step, places) of a call, step by step.

    (-1, []) where its steps are finite one by one, as by other rounding. Places
    are known to the main process, and the number to all.
    """
    look, state = kept.inside_of(self._gan, self._mesh), _copy(before)
    for i, shown in enumerate(call.shown):
      images = shown - call.phase.images
      state, places = look(
          state, self._batches.at(*call.phase.reads(images, 1)), self._key,
          call.phase)
      if processes.from_main(len(places)):
        return i, places
    return -1, []

  def _bad_pictures(self, call, shown):
    """Which pictures of a step are not finite; bytes always are."""
    images = self._batches.at(*call.phase.reads(
        shown - call.phase.images, 1)).images
    if images.dtype == np.uint8:
      return ()
    finite = jit(lambda x: jax.numpy.isfinite(x).all((2, 3, 4)),
                 out_shardings=replicated(self._mesh))(images)
    return tuple(np.flatnonzero(~np.asarray(finite).ravel()).tolist())

  def gathered(self, call: Call) -> Batch:
    """The pictures of a call, in each process all of them."""
    together = jit(lambda x: x, out_shardings=replicated(self._mesh))
    return Batch(*map(together, self.batch(call)))


def _of_steps(logs, steps):
  """[{name: value}] of the steps of a call."""
  return [{name: np.atleast_1d(x)[i] for name, x in logs.items()}
          for i in range(steps)]


def _of_results(terms, leaves):
  """Places of what a step returns, in the order of its computation.

  D is updated before G, and each term has the player in its name.
  """
  for player in 'dg':
    mine = [name for name in terms if (name[0] == 'g') == (player == 'g')]
    for name in mine:
      if name.endswith('grad_norm'):
        yield Place('gradient', player, 'all', update=_update(player))
      else:
        yield Place('term', player, name, update=_update(player),
                    value='nan' if np.isnan(terms[name]) else 'inf')
    yield from (place for place in _of_leaves(leaves)
                if place.player == player and place.kind != 'average')
  yield from (place for place in _of_leaves(leaves)
              if place.kind in ('average', 'feedback', 'setting'))


def _of_leaves(names: Sequence[str]):
  """Places of State's arrays, by their names."""
  places = []
  for name in names:
    part, _, rest = name.partition('.')
    group, _, leaf = rest.partition('.')
    if part in ('g', 'd'):
      places.append(Place(_KINDS[group], part, leaf, update=_update(part)))
    else:
      kind = {'ema': 'average', 'hyper': 'setting'}.get(part, 'feedback')
      places.append(Place(kind, 'g' if part == 'ema' else '', rest))
  order = [*_KINDS.values()]
  return sorted(places, key=lambda x: (
      'dg'.find(x.player) if x.player and x.kind in order else 2,
      order.index(x.kind) if x.kind in order else 0))


def _update(player):
  return 0 if player == 'd' else OF_G


@jit
def _copy(state):
  """The same arrays in memory of their own: a step uses up what it is given."""
  return jax.tree.map(jax.numpy.copy, state)
