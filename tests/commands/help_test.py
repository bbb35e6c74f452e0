"""Laws of --help, --version, and of names that a person half remembers."""
import re
import shlex
import subprocess
import sys

from helpers import ROOT
import pytest

import msg_gan_jax
from msg_gan_jax.commands import experiments, help_text, main
from msg_gan_jax.config import schema

EXAMPLES = [(mode, example) for mode, command in main.COMMANDS.items()
            for example in command.EXAMPLES]


def test_help_names_the_flags_and_the_experiments(command):
  status, out, err = command('--help')
  assert status == 0 and err == ''
  for text in ('quickstart', '--workdir', '--config', '--[no]dry_run'):
    assert text in out
  assert set(experiments.shipped()) <= set(re.findall(r'\w+', out))
  for mode, about in main.COMMANDS.items():
    assert f'\n--mode={mode}: ' in out
    assert f'\n  python launch.py{about.EXAMPLES[0]}\n' in out
    for flag in main.flags_of(mode):
      assert len(re.findall(rf'^  --(\[no\])?{flag}: ', out, re.M)) == 1


@pytest.mark.parametrize('mode', main.COMMANDS)
def test_help_about_a_mode_names_its_flags_alone(mode, command):
  status, out, err = command(f'--mode={mode}', '--help')
  assert (status, err) == (0, '')
  shown = set(re.findall(r'^  --(?:\[no\])?(\w+): ', out, re.M))
  assert shown == {'workdir', 'mode', 'debug'} | main.flags_of(mode)
  for example in main.COMMANDS[mode].EXAMPLES:
    assert f'\n  python launch.py{example}\n' in out
  settings = re.findall(r'^  --config\.([\w.]+)=', out, re.M)
  assert settings == (
      [*schema.metadata()] if 'config' in main.flags_of(mode) else [])


@pytest.mark.parametrize('mode, example', EXAMPLES)
def test_examples_are_accepted(mode, example, command, tmp_path, monkeypatch):
  (tmp_path / 'mine.py').write_text(
      'from msg_gan_jax.config import template as get_config\n')
  seen = []
  monkeypatch.setattr(main, '_call', lambda: seen.append(
      main._MODE.value) or main._check_mode() or 0)
  status, _, err = command(*shlex.split(example))
  assert (status, seen) == (0, [mode]) and 'error' not in err


@pytest.mark.parametrize('program, called', [
    ('/x/launch.py', 'python launch.py'), ('launch.py', 'python launch.py'),
    ('/x/msg_gan_jax/__main__.py', 'python -m msg_gan_jax'),
    ('/venv/bin/msg_gan_jax', 'msg_gan_jax')])
def test_help_calls_the_program_as_it_was_called(program, called):
  assert help_text.called(program) == called


def test_version_is_told_without_jax():
  found = subprocess.run(
      [sys.executable, '-X', 'importtime', '-m', 'msg_gan_jax', '--version'],
      capture_output=True, text=True, timeout=60, cwd=ROOT, check=True)
  assert re.fullmatch(
      rf'msg_gan_jax {re.escape(msg_gan_jax.__version__)}, jax [\d.]+\S*, '
      r'Python 3\.\d+\.\d+\n', found.stdout)
  assert not re.search(r'\| +jax$', found.stderr, re.M)


def test_python_completes_what_there_is():
  assert {*msg_gan_jax.__all__, '__version__'} <= {*dir(msg_gan_jax)}


@pytest.mark.parametrize('words, text', [
    ('--config=sngan', r"did you mean 'sngan_cnn_cifar10' or 'sngan_resnet_c"),
    ('--config=own', r"did you mean 'own_pictures'\? Known: "),
    ('--config=ffhq', r"did you mean 'msg_progan_ffhq', 'msg_stylegan_ffhq', "),
    ('--batch_size=8', r'--batch_size: no such flag; did you mean --config\.tr'
     r'ain\.batch\?'),
    ('--resolution=8', r'--mode=train\. Did you mean --config\.data\.resoluti'),
    ('--seed=8', r'--mode=train\. Did you mean --config\.seed\?'),
    ('--n-dis=2', r'did you mean --config\.train\.n_dis\?'),
    ('--work=x', r"did you mean 'workdir'\?"),
    ('--config.batch=8', r"did you mean 'train\.batch'\? Known: "),
    ('--config.train.resolution=8', r"did you mean 'data\.resolution'\? "),
])
def test_a_name_that_is_half_right_is_understood(words, text, command):
  status, _, err = command(words)
  assert status == 1 and re.search(text, err), err


def test_advice_about_flags_is_accepted(command, monkeypatch):
  """What is meant in place of a flag that there is not is a setting."""
  monkeypatch.setattr(main, '_call', lambda: 0)
  for name in ('batch_size', 'total', 'latents', 'mirrored', 'networks_name'):
    _, _, err = command(f'--{name}=8')
    for setting in re.findall(r'--config\.([\w.]+\w)', err):
      assert setting in schema.metadata()


def test_a_run_that_is_there_is_not_told_to_change(
    command, tmp_path, small):
  from msg_gan_jax.runs import workdir
  with workdir.Workdir(tmp_path / 'run') as run:
    run.start(small())
  _, _, err = command('--workdir=run', '--resolution=8')
  assert '--resolution: a flag of --mode=evaluate' in err
  assert 'Did you mean' not in err
