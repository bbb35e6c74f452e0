"""Laws of --mode=inspect: what it takes, refuses and leaves alone."""
import os
import re

from helpers import save_classes
import pytest

from msg_gan_jax.commands import dry_run


def test_the_command_writes_beside_the_workdir_and_never_into_it(
    command, tmp_path):
  root = save_classes(tmp_path / 'set', 12, 28)
  argv = ['--mode=inspect', '--config=own_pictures',
          f'--config.data.path={root}',
          '--config.data.resolution=8', f'--config.data.cache_dir={tmp_path}/c']
  status, out, err = command('--workdir=a', *argv)
  assert (status, err) == (0, '')
  assert '\nworth a look\n' in out and '\n  a.inspect/inspect.json\n' in out
  assert sorted(os.listdir(tmp_path)) == ['a.inspect', 'c', 'set']
  assert command('--out=b', *argv)[0] == 0
  assert sorted(os.listdir(tmp_path)) == ['a.inspect', 'b', 'c', 'set']
  assert (tmp_path / 'b' / 'inspect.json').read_text() == (
      tmp_path / 'a.inspect' / 'inspect.json').read_text()


@pytest.mark.parametrize('argv, text', [
    (['--config.data.path=nowhere'], r"config\.data\.path: no folder 'nowher"),
    (['--config.data.path=', '--config.data.on_bad=pass'],
     r"config\.data\.on_bad: no value 'pass'"),
    (['--out=run'], r"--out: 'run' is the folder of a run, .*'run\.inspect'"),
    (['--out=file'], r"--out: 'file' is a file; wanted a folder"),
    (['--separate'],
     r'--separate: a flag of --mode=sample; this is --mode=inspect'),
    (['--dry_run'], r'--dry_run: a flag of --mode=train, --mode=checkpoints '),
    (['--nodry_run'], r'--nodry_run: a flag of --mode=train, --mode=checkpoin'),
    (['--noscales'], r'--noscales: a flag of --mode=sample, --mode=walk and '),
    (['--config.data.path=run', '--out=run/a/b'],
     r"--out: 'run/a/b' lies in config\.data\.path = 'run', .* outside of it"),
    (['--config.data.path=run', '--out=run'], r"--out: 'run' is the folder of"),
    (['--config.data.path=~', '--out=home'], r"--out: 'home' lies in"),
    (['--config.data.path=~', '--out=home/../home'],
     r"--out: 'home/\.\./home' lies in config\.data\.path = '~', "),
    (['--config.data.path=run', '--out=a/b/c'],
     r"config\.data\.path: no pictures"),
    (['--config.data.path=run', '--out=file/a'],
     r"--out: no files can be written to 'file/a': Not a directory; wanted an"),
])
def test_after_a_mistake_nothing_is_written(
    command, tmp_path, monkeypatch, argv, text):
  monkeypatch.setenv('HOME', str(tmp_path / 'home'))
  (tmp_path / 'run').mkdir()
  (tmp_path / 'run' / 'config.json').write_text('{}')
  (tmp_path / 'file').write_text('')
  status, out, err = command(
      '--mode=inspect', '--config=own_pictures', *argv)
  assert (status, out) == (1, '') and re.match(f'error: {text}', err), err
  assert sorted(os.listdir(tmp_path)) == ['file', 'run']
  assert os.listdir(tmp_path / 'run') == ['config.json']


def test_a_flag_of_several_modes_names_all_in_another(command, monkeypatch):
  status, _, err = command('--mode=train', '--out=x')
  assert status == 1 and err.startswith(
      'error: --out: a flag of --mode=sample, --mode=evaluate, --mode=inspect, '
      '--mode=walk, --mode=timelapse, --mode=mix, --mode=truncate, '
      '--mode=arithmetic, --mode=directions, --mode=project, --mode=look, '
      '--mode=linear_probe, --mode=report, --mode=compare and '
      '--mode=study_analyse; this is --mode=train.')


@pytest.mark.slow
def test_a_dry_run_names_this_mode(small, tmp_path):
  said = []
  dry_run.dry_run(small(), str(tmp_path / 'sheet.png'), said.append)
  assert len([x for x in said if '--mode=inspect' in x]) == 1
