"""The scripts that time peers tell mistakes in a line, and keep time."""
import importlib.util
import subprocess
import sys
import types

from helpers import ROOT
import pytest

FOLDER = ROOT / 'benchmarks' / 'peers'
STEPS = 'bmsg_gan', 'mimicry', 'r3gan', 'studiogan', 'stylegan2_ada'


@pytest.fixture(scope='module')
def clock():
  spec = importlib.util.spec_from_file_location(
      'peer_clock', FOLDER / 'peer_clock.py')
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def error(script, *flags):
  """The line that a script ends with, once it has ended as it should."""
  done = subprocess.run(
      [sys.executable, FOLDER / f'{script}.py', *flags], capture_output=True,
      text=True)
  assert done.returncode == 1 and not done.stdout
  line, = done.stderr.splitlines()
  return line


@pytest.mark.parametrize('script', STEPS)
def test_a_missing_checkout_is_told_in_a_line(script, tmp_path):
  line = error(script, f'--path={tmp_path}')
  assert line.startswith(f"error: --path: found '{tmp_path}'; wanted a "
                         'checkout of https://github.com/')


def test_sizes_are_at_least_1():
  assert error('mimicry', '--width=0') == (
      'error: --width: found 0; wanted at least 1.')
  assert error('mimicry', '--seconds=0') == (
      'error: --seconds: wanted more than nothing.')
  assert error('bmsg_gan', '--depth=3').startswith('error: --depth: found 3')
  assert error('r3gan', '--width=12').startswith('error: --width: found 12')


@pytest.mark.parametrize('script', ['pytorch_fid', 'torch_fidelity', 'our_fid'])
def test_a_missing_folder_is_told_in_a_line(script, tmp_path):
  line = error(script, f'--real={tmp_path}', '--fake=none', '--weights=none')
  assert line == "error: --fake: nothing at 'none'."


def test_a_checkout_goes_first(clock, monkeypatch, tmp_path):
  monkeypatch.setattr(sys, 'path', ['here'])
  (tmp_path / 'src').mkdir()
  (tmp_path / 'src' / 'a.py').touch()
  assert clock.use_checkout(tmp_path, 'url', 'src', 'a.py') == tmp_path / 'src'
  assert sys.path == [str(tmp_path / 'src'), 'here']


def test_a_folder_of_scripts_shadows_no_package(clock, monkeypatch, capsys):
  monkeypatch.setattr(sys, 'path', ['scripts', 'packages'])
  clock.main(lambda: 12.5)
  assert sys.path == ['packages', 'scripts']
  assert capsys.readouterr().out == '12.5\n'


def test_steps_are_timed_in_whole_cycles(clock, monkeypatch):
  """A step of a tenth of a second, on a clock that only steps move."""
  now, steps = [0.], []

  def step():
    steps.append(None)
    now[0] += .1

  monkeypatch.setitem(sys.modules, 'torch', types.SimpleNamespace(
      cuda=types.SimpleNamespace(is_available=lambda: False)))
  monkeypatch.setattr(clock.time, 'perf_counter', lambda: now[0])
  rate = clock.images_a_second(step, images=64, seconds=3., cycle=4)
  assert rate == pytest.approx(640)
  assert len(steps) % 4 == 0
  assert len(steps) >= 4 + 4 + 30  # The warm-up, a cycle, three seconds.
