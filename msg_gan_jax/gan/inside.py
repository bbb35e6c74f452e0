"""Looks into a step: what in it is not finite, in the order of computation.

A step tells what it computes on its way to the `look` of its Components, where
they have one. Programs of those that have none are as if nothing were told.
"""
from collections.abc import Iterator, Mapping
import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import RealBatch, State

OF_G, BEFORE = -1, -2  # As the number of an update: of G; before the step.


class Place(NamedTuple):
  """Where a number that is not finite was seen.

  Attributes:
    kind: one of KINDS.
    player: 'g' or 'd': whose it is; of a term and of logits, whose update.
      '' of data and settings.
    leaf: which of this kind, such as a parameter, a layer or a term.
    scale: the height of the pictures or feature maps, of those that have one.
    update: in which of D's updates in the step, from 0; or OF_G, or BEFORE.
    value: 'nan' or 'inf', what there is of the two; a nan counts first.
  """
  kind: str
  player: str
  leaf: str
  scale: int | None = None
  update: int = OF_G
  value: str = 'nan'

  def __str__(self) -> str:
    whose = f"{self.player.upper()}'s " if self.player else ''
    where = {OF_G: 'in the update of G', BEFORE: 'before its updates'}.get(
        self.update, f'in update {self.update + 1} of D')
    return (f'{whose}{KINDS[self.kind]} {self.leaf}'
            + (f' at {self.scale} px' if self.scale else '')
            + f' is {self.value}, {where}')


class Inside:
  """A step that says what in it is not finite.

  It is compiled anew, update by update, so that numbers may differ from those
  of the step in training by rounding.

  Args:
    gan: whose step it is.
    mesh: all devices.
  """

  def __init__(self, gan: Gan, mesh: jax.sharding.Mesh):
    self._told: list[tuple[str, str, list[str], list[int | None]]] = []
    self._bad: set[tuple[int, int, int, str]] = set()
    components = dataclasses.replace(gan.components, look=self._look)
    self._step = ShardedStep(dataclasses.replace(
        gan, components=components), mesh, loops=False)

  def __call__(self, state: State, batch: RealBatch, key: jax.Array,
               phase: Phase) -> tuple[State, list[Place]]:
    """One step; the State given is used up.

    Args:
      state, batch, key, phase: of the step, see ShardedStep.

    Returns:
      (State, places in the order of computation): what was not finite, as far
      as this process sees it; the first of several does.
    """
    self._bad.clear()
    state, logs = self._step(state, batch, key, phase)
    jax.block_until_ready((state, logs))
    jax.effects_barrier()
    last = len(phase.penalties)
    order = sorted(self._bad, key=lambda x: (x[0] if x[0] >= 0 else last, x))
    found = []
    for update, place, i, value in order:
      kind, player, leaves, scales = self._told[place]
      found.append(Place(kind, player, leaves[i], scales[i], update, value))
    return state, found

  def _look(self, kind, player, tree, update):
    """A step's `look`: counts a place as it is traced, and sees it later."""
    floats = [(name, x) for name, x in named(tree)
              if jnp.issubdtype(x.dtype, jnp.floating)]
    if not floats:
      return
    names, arrays = zip(*floats, strict=True)
    self._told.append((kind, player, [*names], [
        x.shape[1] if x.ndim == 4 and kind in OF_SCALES else None
        for x in arrays]))
    signs = jnp.stack([jnp.stack([jnp.isnan(x).any(), jnp.isinf(x).any()])
                       for x in arrays])
    jax.debug.callback(functools.partial(
        self._see, len(self._told) - 1), signs, update)

  def _see(self, place, signs, update):
    for i, (nan, infinite) in enumerate(np.asarray(signs)):
      if nan or infinite:
        self._bad.add((int(update), place, i, 'nan' if nan else 'inf'))


def named(tree: Any, name: str = '') -> Iterator[tuple[str, jax.Array]]:
  """(name with dots, array) of a tree, dicts in the order of their entries."""
  if isinstance(tree, Mapping):
    for key, value in tree.items():
      yield from named(value, f'{name}.{key}' if name else str(key))
    return
  for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
    own = jax.tree_util.keystr(path, simple=True, separator='.')
    yield '.'.join(filter(None, (name, own))), leaf


# What a Place is of, and what a person calls it.
KINDS = {
    'setting': 'setting', 'data': 'real pictures', 'augmented': 'pictures',
    'layer': 'layer', 'fakes': 'fakes', 'logits': 'logits', 'term': 'term',
    'gradient': 'gradient of', 'statistics': 'statistics',
    'optimizer': 'optimizer state', 'parameter': 'parameter',
    'average': 'averaged', 'feedback': 'feedback',
}
OF_SCALES = ('data', 'augmented', 'layer', 'fakes')
