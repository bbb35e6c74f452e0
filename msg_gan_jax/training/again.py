"""Repeats the step of failed_step.json, and says whether it fails again."""
from collections.abc import Callable
import contextlib
import os
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh, replicated, split_rows
from msg_gan_jax.config import Config
from msg_gan_jax.data.batches import Batch, Batches, open_batches
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.devices import check_batch
from msg_gan_jax.gan.state import State
from msg_gan_jax.report import grids, text
from msg_gan_jax.runs import config_file, experiment_file, fingerprints
from msg_gan_jax.runs.best import LATEST
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.runs.versions import versions
from msg_gan_jax.training import failed_step, initial_state, kept
from msg_gan_jax.training.failed_step import ARRAYS, Record
from msg_gan_jax.training.first_cause import Call, Failure, Repeat

REALS = 'failed_step.png'


def repeat(workdir: str | os.PathLike, say: Callable[[str], Any],
           trust_code: bool = False, reals: bool = False) -> bool:
  """Repeats the failed step of a run, and says what came of it.

  Args:
    workdir: the run's folder.
    say: prints a line for people.
    trust_code: see runs.experiment_file.with_rows.
    reals: whether to write its real pictures as a grid, REALS in the folder.

  Returns:
    Whether it fails as it did, by the same first cause.

  Raises:
    ValueError: no such step, or what it needs is gone or damaged.
  """
  folder = config_file.absolute(workdir)
  config = config_file.load_config(folder, say)
  record = failed_step.read(folder)
  gan = experiment_file.with_rows(
      folder, lambda: build(config), trust_code, say)
  mesh = data_mesh()
  check_batch(config, mesh)
  for line in _unlike(record.made_with):
    say(f'note: {line}; other bits are possible')
  like = state_like(gan, replicated(mesh))
  state = failed_step.read_state(folder, like) if record.calls else None
  call = _last_call(gan, record)
  pictures = failed_step.read_pictures(folder) if state else None
  batches = _Kept(pictures, call, mesh) if pictures and call else open_batches(
      open_source(config).train, config, mesh)
  with contextlib.closing(batches):
    again = Repeat(gan, mesh, kept.step_of(gan, mesh), batches,
                   jax.random.wrap_key_data(
                       jnp.asarray(record.origin.key, jnp.uint32)))
    if state and call:
      say(f'the step that ended at {call.shown[-1]:,} images, from {ARRAYS}')
      _want(folder / ARRAYS, state, record.fingerprint)
      failure, _ = again.once(call, state)
    else:
      failure = _from_origin(folder, config, gan, record, like, again, say)
    if reals and failure:
      _draw(folder / REALS, config, again.gathered(failure.call), say)
  return _told(failure, record, say)


def _last_call(gan: Gan, record: Record) -> Call | None:
  """The call that failed, if it is known."""
  images, call = record.origin.images, None
  for steps in record.calls:
    call = Call(images, gan.phase(images), steps)
    images = call.shown[-1]
  return call


def _from_origin(folder: pathlib.Path, config: Config, gan: Gan,
                 record: Record, like: State, again: Repeat,
                 say: Callable[[str], Any]) -> Failure | None:
  """What fails on the way from the checkpoint on."""
  origin = record.origin
  say(f'{(record.found - origin.images):,} images are shown once more, from '
      + (f'the checkpoint of {origin.images:,} on' if origin.images else
         'the start on'))
  state = _state_at(folder, config, gan, origin.images, like)
  state = state.replace(hyper={**state.hyper, **{
      name: jax.device_put(np.float32(rate), like.hyper[name].sharding)
      for name, rate in origin.rates.items()}})
  if fingerprints.fingerprint(state) != origin.fingerprint:
    say('note: it begins with other bits than then')
  calls = iter(record.calls)
  failure = again.search(
      origin.images, state, record.found,
      lambda images: (gan.phase(images), next(calls, 1)), lambda: False)
  if failure and record.fingerprint:
    say('up to there all bits are the same as then' if (
        failure.fingerprint == record.fingerprint) else
        'note: it comes there with other bits than then, as other machines do')
  return failure


def _state_at(folder, config, gan, images, like):
  """State of a checkpoint, or of the start of a run."""
  if not images:
    init_key = jax.random.fold_in(jax.random.key(config.seed), 0)
    return initial_state.create(
        gan, config, init_key, jax.tree.leaves(like)[0].sharding)
  checkpoints = Checkpoints(folder / LATEST, read_only=True)
  if images not in checkpoints.steps():
    raise ValueError(
        f'workdir {folder}: the checkpoint of {images:,} images is gone, and '
        f'{ARRAYS} does not hold the state before the step: it is not there, '
        'or was too large. The step cannot be repeated any more.')
  restored: Any = checkpoints.restore(
      {'state': like}, partial=True, place=f'workdir {folder}', images=images)
  return restored[1]['state']


def _want(path, state, fingerprint):
  """Refuses arrays that are not those that were written."""
  if fingerprints.fingerprint(state) != fingerprint:
    raise ValueError(
        f'{path}: its bits are not those that {failed_step.FILE} speaks of. '
        'Wanted both files as one run has written them.')


class _Kept(Batches):
  """The pictures of a call that were kept; implements Batches."""

  def __init__(self, pictures, call, mesh):
    self._pictures, self._mesh = pictures, mesh
    self._first, _ = call.phase.reads(call.images, call.steps)

  def at(self, images_shown: int, shape: tuple[int, int]) -> Batch:
    begin = (images_shown - self._first) // shape[1]
    return Batch(*(jax.device_put(
        x[begin:begin + shape[0]], split_rows(self._mesh, 1))
        for x in self._pictures))

  def close(self) -> None:
    return


def _draw(path, config, pictures, say):
  """Writes real pictures, one row an update."""
  images = np.asarray(pictures.images)
  if images.dtype != np.uint8:
    say(f'{REALS}: no pictures, but points: they have no grid')
    return
  grids.save(path, grids.grid(
      images.reshape(-1, *images.shape[2:]), images.shape[1]))
  say(str(path))


def _unlike(before):
  """Lines about what is not as it was when the step failed."""
  present = versions()
  for name in ('packages', 'python', 'platform', 'devices', 'xla_flags'):
    old, new = before.get(name), present[name]
    if isinstance(old, dict):
      more = {key: (old.get(key), new[key]) for key in new
              if old.get(key) != new[key]}
      yield from (f'{name}: {key} was {was}, and is {now}'
                  for key, (was, now) in more.items())
    elif old != new:
      yield f'{name} was {old!r}, and is {new!r}'


def _told(failure, record, say):
  """Says what came of it; returns whether it is as it was."""
  if not failure:
    say('it is not reproduced: numbers are finite')
    return False
  say(f'first cause: {failure}')
  pictures = failure.bad_pictures
  if pictures:
    say(f'of the step, {text.plural(len(pictures), "picture")} not finite: '
        + ', '.join(map(str, pictures[:8])))
  if record.cause and failure.cause != record.cause:
    say(f'it fails by another cause than then: {record.cause}')
    return False
  say('it is reproduced')
  return True
