"""Laws of mistakes: each has its own text, and no traceback.

One row for each branch is in `bad_inputs_test.py`; here is what else there is.
"""
import json
import os
import re
import subprocess
import sys

from absl import flags
from absl.testing import flagsaver
from helpers import ROOT
import pytest

from msg_gan_jax.commands import main, shared_flags
from msg_gan_jax.config import schema
from msg_gan_jax.runs import config_file, workdir

SMALL = ('--config.data.resolution=8', '--config.networks.latent=8',
         '--config.networks.fmap_max=8', '--config.data.count=64',
         '--config.data.held_out=0')


def assert_fails(result, *texts):
  """One error, which says all of it, and how to see more."""
  status, out, err = result
  assert status == 1
  assert 'Traceback' not in out + err
  assert err.startswith('error: ') and err.count('error: ') == 1
  assert err.endswith('\n(--debug shows where)\n')
  for text in texts:
    assert re.search(text, err), (text, err)
  # What is listed may be long; what is said is not.
  assert len(err.partition('Known: ')[0]) < 1000


@pytest.mark.parametrize('argv, texts', [
    # A misspelt field, flag, mode or name.
    (['--config.trian.batch=8'],
     [r'--config\.trian\.batch: no such setting; did you mean '
      r"'train\.batch'\? Known: data\.cache_dir, "]),
    (['--noconfig.data.miror'], [r"data\.miror: .* mean 'data\.mirror'"]),
    (['--config.train=8'], [r'--config\.train: a group of settings']),
    (['--mode=trian'], [r"--mode: wanted one of train, sample, .*'trian'"]),
    (['--workdir='], [r"--workdir: wanted a folder, found ''"]),
    (['--config=experiments/quikstart.py'], [r"did you mean 'quickstart'"]),
    (['--config=nowhere/quickstart.py'], [r"no experiment 'nowhere/quickst"]),
    # A wrong type, or a value out of its range.
    (['--config.train.batch=8.5'], [r"batch: wanted int, found '8\.5'"]),
    (['--config.optimizer.g_rate=fast'], [r"wanted float, found 'fast'"]),
    (['--config.data.mirror=maybe'], [r"wanted bool, found 'maybe'"]),
    (['--config.train.batch'], [r'Missing value for flag --config.train.batc']),
    (['--count=0', '--mode=sample'], [r'--count=0: 0 is not a positive']),
    # An unknown name of each table.
    (['--config.objective.penalty=r3'],
     [r"config\.objective\.penalty: no penalty 'r3'; did you mean 'r[12]'"]),
    (['--config.networks.phi=simpel'],
     [r"config\.networks\.phi: no φ 'simpel'; did you mean 'simple'\? Known: "
      r'.*lin_cat.*simple']),
    (['--config.networks.name=msg_progam'],
     [r"config\.networks\.name: no network 'msg_progam'; did you mean 'msg_p"]),
    (['--config.optimizer.name=adamm'],
     [r"config\.optimizer\.name: no optimizer 'adamm'; did you mean 'adam'"]),
    (['--config.data.name=avatar'],
     [r"config\.data\.name: no source 'avatar'; did you mean 'avatars'"]),
    (['--config.networks.scales=midle'], [r"did you mean 'middle'"]),
    # What does not go together.
    (['--config.train.accumulate=2', '--config.train.batch=16',
      '--config.objective.loss=relativistic_average_hinge'],
     [r'accumulate: parts of 8 images cannot have the whole-batch statistics '
      r"of config\.objective\.loss = 'relativistic_average_hinge'.*; wanted "
      r'accumulate = 1']),
    (['--mode=sample', '--dry_run'], [
        r'--dry_run: a flag of --mode=train, --mode=checkpoints and --m']),
])
def test_each_mistake_has_its_text(command, argv, texts):
  assert_fails(command(*argv), *texts)


@pytest.mark.parametrize('source, texts', [
    ('import nothing_of_the_kind\n',
     [r"wrong\.py, line 1: ModuleNotFoundError: No module named 'nothing_of"]),
    ('x = 1\nexit(3)\n', [r'wrong\.py, line 2: SystemExit: 3']),
    ('def get_config():\n  open("/nowhere/x")\n',
     [r'wrong\.py, line 2: FileNotFoundError: .*/nowhere/x']),
    ('from msg_gan_jax.config import template\n\n\ndef get_config():\n'
     '  config = template()\n  config.train.btach = 8\n  return config\n',
     [r'wrong\.py, line 6: AttributeError: Key "btach" does not exist and '
      r'cannot be added .*Did you mean "batch" instead of "btach"']),
    ('from msg_gan_jax.config import template\n\n\ndef get_config():\n'
     '  config = template()\n  config.train.batch = "8"\n  return config\n',
     [r"wrong\.py, line 6: TypeError: Could not override field 'batch'"]),
    ('from msg_gan_jax.config import template\n\n\ndef get_config():\n'
     '  return template("msg_progam")\n',
     [r"wrong\.py, line 5: ValueError: .*did you mean 'msg_progan'"]),
    ('from ml_collections import ConfigDict\n\n\ndef get_config():\n'
     '  return ConfigDict({"seed": 1})\n',
     [r'config\.\w+: missing']),
])
def test_a_mistake_in_an_experiment_names_its_line(
    command, tmp_path, source, texts):
  (tmp_path / 'wrong.py').write_text(source)
  assert_fails(command('--config=wrong.py'), *texts)


def test_a_changed_config_lists_what_changed(command, tmp_path, small):
  with workdir.Workdir(tmp_path / 'run') as w:
    w.start(small(train__batch=8))
  assert_fails(
      command('--workdir=run', *SMALL, '--config.train.batch=16',
              '--config.train.total_images=99'),
      r'--workdir=.*run: this run was started under another config:\n',
      r'\n  config\.train\.batch: 8 -> 16\n',
      r'\n  config\.data\.resolution: 16 -> 8\n',
      r'\n  Restore these values to continue it, or choose another --workdir='
      r'FOLDER\. With --workdir=/.*run alone, without --config=EXPE')
  assert config_file.load_config(tmp_path / 'run') == small(train__batch=8)


def test_what_an_old_run_lacks_is_told_once(
    command, tmp_path, small, monkeypatch):
  with workdir.Workdir(tmp_path / 'run') as w:
    w.start(small())
  path = tmp_path / 'run' / 'config.json'
  values = json.loads(path.read_text())
  del values['train']['ema_rampup']
  path.write_text(json.dumps(values))
  for words, work in (
      ('--mode=inspect', 'analysis.dataset.inspection.inspect'),
      ('--dry_run', 'commands.dry_run.dry_run')):
    monkeypatch.setattr(f'msg_gan_jax.{work}', lambda *_: None)
    status, out, err = command('--workdir=run', words)
    assert (status, out) == (0, '')
    assert err.startswith('run: settings that did not exist when this run beg')
    assert err.count('train.ema_rampup = 0.0') == 1


def test_a_new_folder_without_an_experiment_is_told(
    command, tmp_path, small, monkeypatch):
  monkeypatch.setattr(main, '_call', lambda: 0)
  new = 'runs/faces is a new folder: the experiment quickstart begins there.'
  assert command('--workdir=runs/faces') == (0, '', f'{new}\n')
  with workdir.Workdir(tmp_path / 'runs' / 'facts') as w:
    w.start(small())
  assert command('--workdir=runs/faces', '--dry_run') == (
      0, '', f'{new} Did you mean runs/facts?\n')
  for words in (['--config=quickstart'], ['--mode=sample']):
    assert command('--workdir=runs/faces', *words) == (0, '', '')


def test_a_folder_that_is_no_run_is_refused(command, tmp_path):
  (tmp_path / 'letters').mkdir()
  (tmp_path / 'letters' / 'a.txt').write_text('Dear')
  assert_fails(command('--workdir=letters', *SMALL),
               r'--workdir=.*letters: not a run: it holds a\.txt, and no con')
  assert_fails(command('--mode=sample', '--workdir=letters'),
               r'letters: not a run, it has no config\.json')
  assert os.listdir(tmp_path / 'letters') == ['a.txt']


def test_debug_shows_where(capsys):
  saved = flagsaver.save_flag_values(flags.FLAGS)
  try:
    for argv, text in ((['--config.objective.loss=hinges'], 'no loss'),
                       (['--config.train.bach=1'], 'no such setting')):
      with pytest.raises(ValueError, match=text):
        main.main(main._parse(['launch.py', '--debug', *argv]))
  finally:
    flagsaver.restore_flag_values(saved, flags.FLAGS)
  assert capsys.readouterr().err == ''


def test_an_interrupt_is_no_error_of_the_program(command, monkeypatch):
  def interrupted():
    raise KeyboardInterrupt
  monkeypatch.setattr(main, '_call', interrupted)
  assert command() == (
      130, '', 'error: interrupted. The same command continues from the last '
      'checkpoint, or, before there is one, begins anew.\n')


def test_flags_may_stand_in_any_order(command, tmp_path, monkeypatch):
  """Settings before the experiment that they edit, and values apart."""
  (tmp_path / 'mine.py').write_text(
      'from msg_gan_jax.config import template\n\n\ndef get_config(preset):\n'
      '  return template(preset)\n')
  seen = []

  def call():
    seen.append((schema.parse(shared_flags.CONFIG.value),
                 shared_flags.experiment_name()))
    return 0

  monkeypatch.setattr(main, '_call', call)
  for argv in (
      ['--config.train.batch=8', '--noconfig.data.mirror',
       '--config=mine.py:bmsg_gan'],
      ['--config.train.batch', '8', '--config.data.mirror=false', '--config',
       'mine.py:bmsg_gan']):
    assert command(*argv) == (0, '', '')
  assert seen[0] == seen[1]
  config, name = seen[0]
  assert name == 'mine' and config.train.batch == 8
  assert config.networks.phi == 'lin_cat' and not config.data.mirror


@pytest.mark.slow
def test_the_console_is_quiet_but_for_what_is_said(tmp_path):
  """Of a whole process, with jax choosing its platform and absl its logs."""
  env = {k: v for k, v in os.environ.items() if k != 'JAX_PLATFORMS'}
  found = subprocess.run(
      [sys.executable, str(ROOT / 'launch.py'), '--config=quickstart', *SMALL,
       '--config.data.name=folder', '--config.data.path=none'],
      cwd=tmp_path, capture_output=True, text=True, timeout=120,
      env={**env, 'PYTHONPATH': str(ROOT)})
  assert found.returncode == 1 and found.stdout == ''
  first, second = found.stderr.splitlines()
  assert first.startswith("error: config.data.path: no folder 'none'; ")
  assert second == '(--debug shows where)'
