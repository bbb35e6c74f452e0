"""The checkpoints of a run as one list: what there is, and what may go."""
from collections.abc import Sequence
import datetime
import functools
import os
import pathlib
import shutil
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.files import disk
from msg_gan_jax.runs import (
  config_file,
  fingerprints,
  milestones,
  orbax_storage,
  verification,
)
from msg_gan_jax.runs.best import FOLDER, LATEST, LOST, UNKNOWN

DAMAGED = 'damaged'
# What lies aside: nothing reads it, and a person may want it.
ASIDE = {DAMAGED: DAMAGED, LOST: 'of lost steps', UNKNOWN: 'of unknown score'}


class Entry(NamedTuple):
  """A checkpoint that lies on the disk.

  Attributes:
    folder: its own.
    images: real images shown, its name.
    kind: 'latest', 'milestone', 'older', which the next save deletes, 'best',
      or one of the values of ASIDE.
    bytes: of its files.
    date: when it was written, ISO 8601.
    score: {'value', 'judge'} that it was kept for, or None.
  """
  folder: pathlib.Path
  images: int
  kind: str
  bytes: int
  date: str
  score: dict[str, Any] | None


def entries(workdir: str | os.PathLike) -> list[Entry]:
  """All checkpoints of a run, oldest first, and what lies aside at the end.

  Args:
    workdir: its folder.

  Raises:
    ValueError: no run.
  """
  path = config_file.absolute(workdir)
  train = config_file.read_config(path)[0].train
  steps = [images for images, _ in _in(path / LATEST)]
  older = milestones.milestones(steps, train.keep_every_images)
  found = [(images, folder, (
      'latest' if images in steps[-train.keep_checkpoints:] else
      'milestone' if images in older else 'older'))
           for images, folder in _in(path / LATEST)]
  found += [(images, folder, 'best') for images, folder in _in(path / FOLDER)]
  found.sort(key=lambda x: x[0])
  found += [(images, folder, kind) for place in (LATEST, FOLDER)
            for name, kind in ASIDE.items()
            for images, folder in _in(path / place / name)]
  return [_entry(*x) for x in found if x[1].is_dir()]  # A run deletes some.


def _in(folder):
  """[(images, folder)] of checkpoints, oldest first; 12-2026.. is of 12."""
  return sorted((int(x.name.partition('-')[0]), x) for x in (
      folder.iterdir() if folder.is_dir() else ())
      if x.name.partition('-')[0].isdecimal() and '.' not in x.name
      and x.is_dir() and not x.is_symlink())


def _entry(images, folder, kind):
  record, _ = orbax_storage.attempt(orbax_storage.read_record, folder)
  date = datetime.datetime.fromtimestamp(folder.stat().st_mtime)
  return Entry(folder, images, kind, disk.held(folder),
               date.isoformat(' ', 'seconds'),
               record and record['notes'].get('score'))


def damage(entry: Entry) -> str:
  """Why a checkpoint is not what was saved, bit for bit; '' of a whole one."""
  record, why = orbax_storage.attempt(orbax_storage.read_record, entry.folder)
  if record is None:
    return why or 'its record cannot be read'
  try:
    wanted = {name: _like(*about) for name, about in record['leaves'].items()}
  except (TypeError, ValueError) as error:
    return f'its record has an array of an unknown kind ({error})'
  return verification.read(
      entry.folder, entry.images, wanted, False, str(entry.folder)).why


def _like(dtype, shape, _):
  """An array as the record of a checkpoint describes it."""
  return jax.ShapeDtypeStruct(
      tuple(shape), _keys().get(dtype) or jnp.dtype(dtype))


@functools.cache
def _keys():
  """Types of random keys by their names, which numpy does not know."""
  types = [jax.eval_shape(functools.partial(
      jax.random.key, impl=impl), 0).dtype for impl in (
          'threefry2x32', 'rbg', 'unsafe_rbg')]
  return {str(x): x for x in types}


def digest(folder: pathlib.Path) -> str:
  """A hex digest of the State in a checkpoint, as its record has it.

  It is fingerprints.fingerprint of that State.
  """
  leaves = orbax_storage.read_record(folder)['leaves']
  return fingerprints.digest({
      name.removeprefix('state.'): about for name, about in leaves.items()
      if name.startswith('state.')})


def to_prune(found: Sequence[Entry], keep: int | None, aside: bool,
             best: bool) -> list[Entry]:
  """What goes if only so much is kept.

  Args:
    found: see `entries`.
    keep: how many of the newest stay, milestones counted too; None keeps all.
    aside: whether what lies aside goes.
    best: whether the best goes.

  Raises:
    ValueError: of those that would stay in place of others none is whole.
  """
  regular = [x for x in found if x.kind not in ('best', *ASIDE.values())]
  going = regular[:-keep] if keep is not None else []
  going += [x for x in found if x.kind in ASIDE.values() and aside
            or x.kind == 'best' and best]
  # A run goes on from a regular one, and not from the best.
  goes_on = not any(x in regular for x in going)
  staying = [x for x in found if x not in going and (
      x in regular or x.kind == 'best' and goes_on)]
  if going and not any(not damage(x) for x in reversed(staying)):
    raise ValueError(
        'keep: none of the checkpoints that would stay is whole; nothing was '
        'deleted. verify=True tells which of them are.')
  return going


def delete(found: Sequence[Entry]) -> int:
  """Deletes checkpoints; returns the bytes of their files."""
  for entry in found:
    half = entry.folder.with_name(
        f'{entry.folder.name}.orbax-checkpoint-tmp-old')
    os.replace(entry.folder, half)  # Half of it is never taken for all.
    shutil.rmtree(half)
  return sum(x.bytes for x in found)
