"""A full disk is known by its number, by its words, or by what it led to."""
import errno
import os
import pathlib
import resource

import numpy as np
import pytest

from msg_gan_jax.files import atomic, cache, disk
from msg_gan_jax.report import curves, film, grids
from msg_gan_jax.runs import classes, records, workdir

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def _start(path, small):
  with workdir.Workdir(path.parent) as folder:
    folder.start(small())


# What writes -> the name of a file that it writes into a folder.
WRITERS = {
    'config.json': _start,
    'classes.json': lambda path, small: classes.keep(
        path.parent, ['a name of a class'] * 99),
    'metrics.jsonl': lambda path, small: records.Metrics(path.parent).write(
        8, {f'a_long_name_{i}': 1. for i in range(99)}),
    'warnings.jsonl': lambda path, small: atomic.append_json(path, 'x' * 1999),
    'grid.png': lambda path, small: grids.save(path, PICTURE),
    'curves.png': lambda path, small: curves.plot(
        [{'images': 8, 'd_loss': 1.}, {'images': 16, 'd_loss': 2.}], path),
    'walk.webp': lambda path, small: film.write(
        path, iter([PICTURE, PICTURE]), 2, 2),
    'key.npy': lambda path, small: cache.fetch(
        str(path.parent), 'key', (64, 3), 64, lambda append: append(PICTURE)),
}


@pytest.mark.parametrize('number', [
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_known_however_it_is_told(number):
  told = OSError(number, os.strerror(number))
  words = ValueError(f'RESOURCE_EXHAUSTED: [OS error {number}: '
                     f'{os.strerror(number)}]')
  for first in told, words:
    second = RuntimeError('the checkpoint could not be written')
    second.__cause__ = first
    assert disk.is_full(first) and disk.is_full(second)


@pytest.mark.parametrize('error', [
    None, OSError(errno.EACCES, 'Permission denied'), ValueError('full')])
def test_other_errors_are_not_of_a_full_disk(error):
  assert not disk.is_full(error)


@pytest.mark.parametrize('name', WRITERS)
def test_whatever_is_written_names_its_file(name, tmp_path, small):
  """And leaves nothing half-written, and the room that is left is told."""
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
  try:
    with pytest.raises(OSError) as full:
      WRITERS[name](tmp_path / name, small)
    text = disk.told(full.value, 'elsewhere')
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
  assert text.startswith(f'{tmp_path / name}: the file would be larger than a '
                         'file may be there (1 kB by ulimit -f); '), text
  assert ' are free on that disk. Raise that limit, or' in text
  assert not [*pathlib.Path(tmp_path).glob('*.tmp')]


def test_room_is_that_of_the_folder_that_is_there(tmp_path):
  assert disk.room(tmp_path / 'not' / 'there') == pytest.approx(
      disk.room(tmp_path), rel=.2) and disk.room(tmp_path) > 1e6
