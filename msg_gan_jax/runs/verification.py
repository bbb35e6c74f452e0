"""Checkpoints that are read are those that were saved, bit for bit."""
from collections.abc import Mapping
import pathlib
from typing import Any, NamedTuple

import jax

from msg_gan_jax.config import tables
from msg_gan_jax.runs import fingerprints, orbax_storage, processes

_ELSEWHERE = 'another process could not read it'


class Verified(NamedTuple):
  """A checkpoint that was read.

  Attributes:
    leaves: {name: array}, or None if it is damaged.
    about: the description of all its leaves, as fingerprints.describe gives it.
    notes: the plain JSON that was saved with them.
    why: what is damaged, or ''.
    holds: real images shown of another checkpoint, whose files these are.
  """
  leaves: dict[str, jax.Array] | None
  about: dict[str, list]
  notes: dict[str, Any]
  why: str
  holds: int | None = None


def read(folder: pathlib.Path, images: int, wanted: Mapping[str, Any],
         partial: bool, place: str) -> Verified:
  """Reads a checkpoint, and compares it with the fingerprints beside it.

  All processes go the same way, even if only one of them finds damage.

  Args:
    folder: of the checkpoint.
    images: real images shown, its name.
    wanted: {name: array or jax.ShapeDtypeStruct} of the leaves to read.
    partial: whether it may have other leaves too.
    place: what errors begin with.

  Raises:
    ValueError: it is intact, but its leaves are not those of `wanted`:
      another program has written it, and to skip it would hide that.
  """
  record, why = orbax_storage.attempt(orbax_storage.read_record, folder)
  if not processes.all_agree(record is not None) or record is None:
    return Verified(None, {}, {}, why or _ELSEWHERE)
  if record['images'] != images:
    return Verified(
        None, {}, {}, f'it holds the checkpoint of {record["images"]} images',
        record['images'])
  _compare(record, wanted, partial, f'{place}: {folder}')
  leaves, why = orbax_storage.attempt(
      orbax_storage.read_leaves, folder, wanted)
  if not processes.all_agree(leaves is not None) or leaves is None:
    return Verified(None, {}, {}, why or _ELSEWHERE)
  saved, actual = record['leaves'], fingerprints.describe(leaves)
  bad = next((name for name in actual if saved[name] != actual[name]), None)
  if not processes.all_agree(bad is None):
    return Verified(
        None, {}, {}, _ELSEWHERE if bad is None else
        f'the data of {bad!r} are not those that were saved')
  return Verified(leaves, saved, record['notes'], '')


def holds(folder: pathlib.Path, images: int, leaves: Mapping[str, jax.Array],
          about: Mapping[str, list]) -> bool:
  """Whether a checkpoint is whole, and of these leaves.

  Args:
    folder, images: as of `read`.
    leaves: {name: array}, as they are in memory.
    about: fingerprints.describe of them.
  """
  def read_whole():
    record = orbax_storage.read_record(folder)
    _compare(record, leaves, False, '')
    if record['images'] != images:
      raise ValueError('it holds another checkpoint')
    return orbax_storage.read_leaves(folder, leaves)

  saved, _ = orbax_storage.attempt(read_whole)
  if not processes.all_agree(saved is not None) or saved is None:
    return False
  return processes.all_agree(fingerprints.describe(saved) == about)


def _compare(record, wanted, partial, place):
  """Raises for the first leaf that is not what `wanted` asks for."""
  if record['format'] != orbax_storage.FORMAT:
    raise ValueError(
        f'{place}: written in format {record["format"]}; this version of '
        f'msg_gan_jax reads format {orbax_storage.FORMAT}.')
  other = ('The checkpoint was written by another version of the program, or '
           'under another config.')
  saved = record['leaves']
  for name, x in wanted.items():
    if name not in saved:
      close = tables.closest(name, saved)
      hint = f'; the nearest is {close!r}' if close else ''
      raise ValueError(f'{place}: it has no {name!r}{hint}. {other}')
    dtype, shape, _ = saved[name]
    if (str(x.dtype), list(x.shape)) != (dtype, shape):
      raise ValueError(
          f'{place}: {name!r} is {fingerprints.kind(dtype, shape)}; wanted '
          f'{fingerprints.kind(x.dtype, x.shape)}. {other}')
  for name in saved:
    if name not in wanted and not partial:
      raise ValueError(
          f'{place}: it has {name!r}, for which there is no place now. '
          f'{other}')
