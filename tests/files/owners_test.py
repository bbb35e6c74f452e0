"""Laws of shared folders: what others may have written is not trusted."""
import os
import pathlib
import shutil

import numpy as np
import pytest

from msg_gan_jax.files import cache, owners
from msg_gan_jax.runs import seal

ROWS = np.random.default_rng(0).integers(0, 256, (7, 4, 3), np.uint8)
KEY = 'k' * 64
pytestmark = pytest.mark.skipif(
    not hasattr(os, 'geteuid'), reason='Windows tells no owners so')


def fetch(folder, rows=ROWS):
  """What is kept, which is `rows` if it has to be made."""
  def produce(append):
    append(rows)
    return {}
  return cache.fetch(str(folder), KEY, (4, 3), 9, produce)[0]


@pytest.fixture
def shared(tmp_path, monkeypatch):
  """A folder that all may write, as it is the user's own cache folder, too."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  folder = pathlib.Path(cache.default_folder())
  folder.mkdir()
  folder.chmod(0o777)
  return folder


def of_another_user(path, patch):
  facts, mine = os.stat, os.geteuid() + 1

  def stat(asked, **options):
    found = facts(asked, **options)
    if isinstance(asked, int) or os.fspath(asked) != str(path):
      return found
    return os.stat_result([*found[:4], mine, *found[5:]])

  patch.setattr(os, 'stat', stat)


def a_link(path, _):
  shutil.move(path, f'{path}.there')
  path.symlink_to(f'{path}.there')


HARMS = [of_another_user, a_link,
         lambda path, _: path.chmod(0o666), lambda path, _: path.chmod(0o646)]


@pytest.mark.parametrize('end', ['json', 'npy'])
@pytest.mark.parametrize('harm', HARMS)
def test_what_others_may_have_kept_is_made_anew(
    harm, end, shared, monkeypatch, capfd):
  monkeypatch.setattr(owners, '_is_own', lambda group: False)
  old = os.umask(0o002)
  try:
    fetch(shared)
  finally:
    os.umask(old)
  np.testing.assert_array_equal(fetch(shared, ROWS[::-1]), ROWS)
  with monkeypatch.context() as patch:
    harm(shared / f'{KEY}.{end}', patch)
    if harm is of_another_user:
      with pytest.raises(OSError, match='cannot be read back'):
        fetch(shared, ROWS[::-1])
    else:
      np.testing.assert_array_equal(fetch(shared, ROWS[::-1]), ROWS[::-1])
  assert 'not yours alone, and so not trusted; it is' in capfd.readouterr().err


def test_no_lock_of_the_cache_leads_out_of_it(shared):
  for there in (True, False):
    outside = shared.parent / f'precious{there}'
    if there:
      outside.write_text('mine')
    (shared / f'{KEY}.lock').symlink_to(outside)
    np.testing.assert_array_equal(fetch(shared), ROWS)
    assert outside.exists() == there
    (shared / f'{KEY}.lock').unlink()
  assert (shared.parent / 'preciousTrue').read_text() == 'mine'


@pytest.mark.parametrize('harm', HARMS)
def test_a_key_that_others_may_have_made_seals_nothing(
    harm, shared, monkeypatch):
  mark = seal.of('digest')
  assert seal.is_ours('digest', mark)
  with monkeypatch.context() as patch:
    harm(pathlib.Path(seal.key_file()), patch)
    assert not seal.is_ours('digest', mark)


def test_programs_that_others_may_have_compiled_are_not_run(
    tmp_path, monkeypatch):
  tmp_path.chmod(0o700)
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'home'))
  folder, why = cache.of_programs()
  assert not why and os.stat(folder).st_mode & 0o777 == 0o700
  program = pathlib.Path(folder, 'jit_f-cache')
  program.write_text('code')
  pathlib.Path(folder, 'autotuned').mkdir()
  assert cache.of_programs() == (folder, '')
  for harm in HARMS[:2]:
    with monkeypatch.context() as patch:
      harm(program, patch)
      assert str(program) in cache.of_programs()[1]
  program.unlink()
  # Who may write a folder puts another in the place of what lies in it, also of
  # one that lets nobody else in.
  for way in (folder, cache.default_folder(), str(tmp_path / 'home')):
    os.chmod(way, 0o777)
    assert cache.of_programs()[1] == (
        f'others may write {way}, which `chmod go-w` ends')
    os.chmod(way, 0o755 if way == folder else 0o700)
  assert not cache.of_programs()[1]
