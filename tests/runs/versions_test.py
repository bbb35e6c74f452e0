"""Laws of the record of a start."""
import re
import subprocess

from msg_gan_jax.runs import versions


def test_the_commit_is_known_in_a_checkout_and_none_elsewhere(
    tmp_path, monkeypatch):
  for name in ('GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'):
    monkeypatch.delenv(name, raising=False)

  def git(*words):
    subprocess.run(['git', '-C', tmp_path, '-c', 'user.name=a',
                    '-c', 'user.email=a@b', *words], check=True, stdout=-1)
  file = tmp_path / 'a.py'
  file.write_text('1')
  assert versions.commit(file) is None
  git('init', '-q')
  assert versions.commit(file) is None  # Lies there, but is not tracked.
  git('add', 'a.py')
  git('commit', '-q', '-m', 'one')
  record = versions.commit(file)
  assert re.fullmatch('[0-9a-f]{40}', record['commit']) and not record['dirty']
  file.write_text('2')
  assert versions.commit(file) == {**record, 'dirty': True}
  monkeypatch.setenv('PATH', '')
  assert versions.commit(file) is None
