"""A full disk is known by its number, by its words, or by what it led to."""
import errno
import os

import pytest

from msg_gan_jax.files import disk


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
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
