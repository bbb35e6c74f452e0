"""The state that a run begins with: new, or another run's weights."""
import os

import jax

from msg_gan_jax import tables
from msg_gan_jax.gan import build
from msg_gan_jax.runs import checkpoint, workdir

PARTS = {'g': lambda state: state.g.params, 'd': lambda state: state.d.params,
         'ema': lambda state: state.ema}


def abstract(gan, sharding):
  """State as shapes, types and `sharding`: what a checkpoint is read into."""
  return jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
      jax.eval_shape(gan.init, jax.random.key(0)))


def fresh(gan, config, key, sharding):
  """A new State; with config.train.init_from, another run's weights in it.

  Raises:
    ValueError: an unknown part, no such run, no intact checkpoint there, or
      weights of another shape.
  """
  state = jax.jit(gan.init, out_shardings=sharding)(key)
  if not config.train.init_from:
    return state
  parts = [part.strip() for part in config.train.init_parts.split(',')]
  for part in parts:
    if part not in PARTS:
      raise ValueError(
          f'config.train.init_parts: no part {part!r}; '
          f'{tables.nearest(part, PARTS)}')
  found = weights(config.train.init_from, sharding)
  for part in parts:
    new, old = PARTS[part](found), PARTS[part](state)
    _same_shapes(part, new, old)
    if part == 'ema':
      state = state.replace(ema=new)
    else:
      player = getattr(state, part)
      state = state.replace(**{part: player.replace(params=new)})
  return state


def weights(path, sharding):
  """The State of another run's newest intact checkpoint."""
  try:
    config = workdir.load_config(path)
  except ValueError as e:
    raise ValueError(f'config.train.init_from: {e}') from e
  like = abstract(build(config), sharding)
  saved = checkpoint.Checkpoints(
      os.path.join(os.path.expanduser(path), 'checkpoints'), read_only=True)
  found = saved.restore(
      {'state': like}, partial=True, place='config.train.init_from')
  if found is None:
    raise ValueError(
        f'config.train.init_from: {path} has no checkpoint yet.')
  return found[1]['state']


def _same_shapes(part, new, old):
  place = f'config.train.init_from: {part}'
  if jax.tree.structure(new) != jax.tree.structure(old):
    raise ValueError(f'{place}: that run has other layers than this one.')
  new = jax.tree_util.tree_flatten_with_path(new)[0]
  for (path, a), b in zip(new, jax.tree.leaves(old), strict=True):
    if a.shape != b.shape:
      raise ValueError(
          f'{place}{jax.tree_util.keystr(path)}: that run has {a.shape}, '
          f'this one wants {b.shape}.')
