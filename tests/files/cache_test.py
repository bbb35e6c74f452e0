"""Laws of what is kept on disk: it is what was written, or it is made anew."""
import fcntl
import os
import threading

import numpy as np
import pytest

from msg_gan_jax.files import cache

ROWS = np.random.default_rng(0).integers(0, 256, (7, 4, 3), np.uint8)


@pytest.fixture
def fetch(tmp_path):
  """() -> (what is kept, how often it was made by now)."""
  made = []

  def produce(append):
    made.append(1)
    append(ROWS[:5])
    append(ROWS[5:])
    return {'more': 1}

  def fetch():
    found, about = cache.fetch(
        str(tmp_path / 'cache'), 'k' * 64, (4, 3), 9, produce)
    assert about['more'] == 1
    return found, len(made)
  return fetch


def test_what_was_kept_is_not_made_again(fetch, capfd):
  for _ in range(3):
    found, made = fetch()
    np.testing.assert_array_equal(found, ROWS)
    assert (found.dtype, made) == (np.uint8, 1)
  assert capfd.readouterr().err == ''


@pytest.mark.parametrize('harm', [
    lambda b: b[:200] + bytes([b[200] ^ 16]) + b[201:],
    lambda b: b[:-1] + bytes([b[-1] ^ 1]),
    lambda b: b.replace(b'|u1', b'|i1'),
    lambda b: b.replace(b'(7, 4, 3)', b'(7, 3, 4)'),
    lambda b: b.replace(b'False', b'True '),
    lambda b: b[:-1],
], ids=['a bit', 'the last', 'dtype', 'shape', 'order', 'cut'])
def test_bytes_that_changed_are_made_anew_and_it_is_said(
    harm, fetch, tmp_path, capfd):
  fetch()
  path = tmp_path / 'cache' / f'{"k" * 64}.npy'
  content = path.read_bytes()
  assert harm(content) != content
  path.write_bytes(harm(content))
  found, made = fetch()
  np.testing.assert_array_equal(found, ROWS)
  assert (found.dtype, made) == (np.uint8, 2)
  assert capfd.readouterr().err == (
      f"What '{tmp_path / 'cache'}' keeps as {'k' * 16}... is damaged, or of "
      'an older version; it is made anew.\n')
  assert fetch()[1] == 2


def test_of_what_is_too_large_to_be_hashed_only_the_size_counts(
    fetch, tmp_path, monkeypatch):
  fetch()
  path = tmp_path / 'cache' / f'{"k" * 64}.npy'
  path.write_bytes(path.read_bytes()[:-1] + b'x')
  monkeypatch.setattr(cache, 'MOST_HASHED_BYTES', ROWS.nbytes - 1)
  assert fetch()[1] == 1
  monkeypatch.setattr(cache, 'MOST_HASHED_BYTES', ROWS.nbytes)
  assert fetch()[1] == 2


def test_who_waits_is_told_for_what(tmp_path, fetch, capfd):
  (tmp_path / 'cache').mkdir()
  with open(tmp_path / 'cache' / f'{"k" * 64}.lock', 'w') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    waiting = threading.Thread(target=fetch)
    waiting.start()
    waiting.join(.3)
    assert waiting.is_alive()
  waiting.join()
  assert capfd.readouterr().err == (
      'Waiting for another process that prepares the same data.\n')


def test_a_folder_is_absolute_and_none_is_the_users(tmp_path, monkeypatch):
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'xdg'))
  monkeypatch.setenv('HOME', str(tmp_path))
  monkeypatch.chdir(tmp_path)
  assert cache.folder('') == str(tmp_path / 'xdg' / 'msg_gan_jax')
  assert cache.folder('~/here') == str(tmp_path / 'here')
  assert cache.folder('here') == os.path.join(os.getcwd(), 'here')
