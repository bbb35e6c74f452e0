"""Laws of names that others gave: they reach the terminal as what they are."""
import re

from helpers import picture, save
import numpy as np
import pytest

NAMES = 'red\x1b[2J\x1b[31m', 'blue\r\nerror: a forged line'
INSPECT = ('--mode=inspect', '--config.data.resolution=8',
           '--config.data.cache_dir=cache', '--out=out')
FOLDER = (*INSPECT, '--config.data.name=folder', '--config.data.path=data')


def assert_harmless(words):
  assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]', words)
  assert 'a forged line' in words
  assert not re.search(r'^ *error: a forged', words, re.M)


@pytest.fixture
def data(tmp_path):
  """A folder with two classes of such names."""
  for i in range(40):
    save(tmp_path / 'data' / NAMES[i % 2] / f'{i:02}.png', picture(i))
  return tmp_path / 'data'


def test_classes_are_listed(data, command):
  status, out, err = command(*FOLDER)
  assert (status, err) == (0, '')
  assert_harmless(out.replace('a forged…', 'a forged line'))
  assert r'red\x1b[2J\x1b[31m' in out and r'blue\r\nerror: a forged' in out


def test_files_that_are_skipped_are_listed(data, command):
  (data / NAMES[0] / f'{NAMES[1]}.png').write_bytes(b'\x89PNG nothing')
  status, out, err = command(*FOLDER, '--config.data.on_bad=skip')
  assert status == 0
  assert_harmless(out + err)
  assert re.search(r'blue\\r\\nerror: a forged line\.png', out)


def test_errors_have_one_beginning(data, command):
  (data / NAMES[0] / f'{NAMES[1]}.png').write_bytes(b'\x89PNG nothing')
  status, out, err = command(*FOLDER)
  assert status == 1 and err.startswith('error: ')
  assert_harmless(out + err)


def test_names_inside_of_an_archive_are_shown(tmp_path, command):
  pictures = np.stack([picture(i) for i in range(8)])
  np.savez(tmp_path / 'two.npz', **{NAMES[0]: pictures, NAMES[1]: pictures})
  status, out, err = command(
      *INSPECT, '--config.data.name=archive', '--config.data.path=two.npz')
  assert status == 1 and 'error: config.data.path: ' in err
  # The names of a list are not quoted; no line of theirs begins on the left.
  assert not re.search('[\x00-\x09\x0b-\x1f]', err)
  assert len(re.findall('^error: ', err, re.M)) == 1
