"""One run measures an accelerator: row by row, within a budget, and goes on."""
import importlib
import json
import pathlib
import subprocess
import sys
import time
import types

from helpers import ROOT
import pytest

FOLDER = ROOT / 'benchmarks'
GEMM = {'gflops': {'bfloat16': 4e5, 'float32': 1e5}, 'device': 'H1',
        'devices': 1, 'device_bytes': 8e10}
STEP = {'images_per_second': 100., 'step_images': 10, 'flops_a_step': 1e13,
        'device': 'H1', 'planned_bytes': 3e9, 'peak_bytes': 4e9,
        'compile_seconds': 20., 'programs': 3, 'from_cache': 2}


@pytest.fixture(scope='module')
def gpu():
  before = list(sys.path)
  sys.path.insert(0, str(FOLDER))
  try:
    return importlib.import_module('gpu')
  finally:
    sys.path[:] = before


@pytest.fixture
def launch(gpu, monkeypatch, tmp_path, capsys):
  """(*flags) -> what the script prints, its results in an empty folder."""
  monkeypatch.chdir(tmp_path)

  def call(*flags):
    monkeypatch.setattr(sys, 'argv', ['gpu.py', *flags])
    gpu.main()
    return capsys.readouterr().out

  return call


@pytest.fixture
def measured(gpu, monkeypatch):
  """[(row, batch)] of each try; one takes 100 s of a clock of its own.

  `answers` has what a row tells in place of STEP.
  """
  clock, tries = [0.], []

  def measure(row, options, limit):
    tries.append((row.name, row.batch))
    clock[0] += min(limit, 100.)
    if limit < 100.:
      return {'error': gpu.OUT_OF_TIME}
    return tries.answers.get(
        (row.name, row.batch), GEMM if row.name == 'gemm' else STEP)

  class Tries(list):
    answers = {}

  tries = Tries()
  monkeypatch.setattr(gpu, 'in_worker', measure)
  monkeypatch.setattr(gpu.time, 'monotonic', lambda: clock[0])
  return tries


def names(tries):
  return [name for name, _ in tries]


def records(path='gpu.jsonl'):
  return [json.loads(line) for line in
          pathlib.Path(path).read_text('utf-8').splitlines()]


def test_ours_come_first_and_the_smallest_before_the_others(gpu):
  for tiny in (False, True):
    rows = gpu.gpu_rows.plan(tiny)
    assert len({row.name for row in rows}) == len(rows)
    assert rows[0].name == 'gemm'
    first = [row for row in rows if not row.peer and row.dtype != 'float32']
    assert rows[:len(first)] == first
    for part in (first, rows[len(first):]):
      sizes = [row.pixels for row in part]
      assert sizes == sorted(sizes)
  assert {row.pixels for row in rows if row.network == 'stylegan2'} == {
      8, 16, 32}
  assert {row.name for row in gpu.gpu_rows.plan(False)} >= {
      f'{network}-{pixels}' for network in ('msg_progan', 'stylegan2')
      for pixels in (32, 64, 128, 256, 512, 1024)}


def test_every_row_of_ours_can_be_built_also_of_half_its_batch(gpu):
  from msg_gan_jax.gan.build import build
  for tiny in (False, True):
    for row in gpu.gpu_rows.plan(tiny):
      if row.network in ('gemm', 'inception') or row.peer:
        continue
      for batch in (row.batch, row.batch // 2):
        config = gpu.gpu_rows.config_of(row._replace(batch=batch), tiny)
        assert build(config).step_images == batch


def test_a_wrong_row_is_told_with_the_nearest(launch):
  with pytest.raises(SystemExit, match=(
      "error: --rows: no row 'msg_progan-23'; did you mean 'msg_progan-32'")):
    launch('--rows=gemm,msg_progan-23')
  with pytest.raises(SystemExit, match='error: --minutes: wanted more'):
    launch('--minutes=0')


def test_the_budget_ends_a_run_and_the_same_command_goes_on(launch, measured):
  said = launch('--minutes=8')
  done = names(measured)[:4]
  assert done == ['gemm', 'msg_progan-32', 'stylegan2-32', 'msg_progan-64']
  # A fifth was cut off after 80 s, and is no figure.
  assert names(measured)[4:] == ['stylegan2-64']
  assert '8 minutes are over' in said
  left = said.split('--rows=')[1].strip().split(',')
  assert left[:2] == ['stylegan2-64', 'msg_progan-128']
  measured.clear()
  said = launch('--minutes=3.5')
  assert names(measured)[:2] == left[:2]
  assert said.startswith('1 H1 of 80 GB')  # Of the results so far.
  measured.clear()
  launch('--rows=msg_progan-32')
  assert not measured
  launch('--rows=msg_progan-32', '--again')
  assert names(measured) == ['msg_progan-32']


def test_half_the_batch_is_tried_once_where_memory_is_out(
    gpu, launch, measured):
  row = 'msg_progan-1024'
  for batch in (4, 2):
    measured.answers[row, batch] = {'error': gpu.OUT_OF_MEMORY}
  said = launch(f'--rows={row}')
  assert measured == [('gemm', 0), (row, 4), (row, 2)]
  assert said.count(f'{row}: batch') == 2
  measured.clear()
  launch(f'--rows={row}')
  assert not measured
  assert [x.get('error') for x in records()] == [
      None, gpu.OUT_OF_MEMORY, gpu.OUT_OF_MEMORY]


def test_a_bad_row_costs_no_other(launch, measured):
  measured.answers['msg_progan-32', 128] = {'error': 'it is broken'}
  said = launch('--rows=msg_progan-32,stylegan2-32')
  assert 'msg_progan-32: batch 128, note it is broken' in said
  assert 'stylegan2-32: batch 128, img/s 100.0' in said


def test_peers_that_are_not_found_are_skipped_in_a_line(
    launch, measured, tmp_path):
  row = '--rows=stylegan2-32,stylegan2-32-peer'
  assert 'skipped, no --torch=PYTHON: stylegan2-32-peer' in launch(row)
  said = launch(row, f'--torch={sys.executable}')
  assert "skipped, --peers: no stylegan2-ada-pytorch in '.'" in said
  (tmp_path / 'stylegan2-ada-pytorch').mkdir()
  measured.answers['stylegan2-32-peer', 128] = {'images_per_second': 50.}
  said = launch(row, f'--torch={sys.executable}')
  cells = [x.strip() for x in next(
      line for line in said.splitlines() if ' stylegan2-32 |' in line
  ).split('|')]
  assert cells[2:-1] == [
      '128', '100.0', '100.0', '100', '25%', '100%', '3.00', '4.00', '20.0',
      '50.0', '2.00', '2 of 3 programs from the cache']


def test_what_is_of_another_commit_says_so(launch, measured):
  measured.answers['stylegan2-32', 128] = {**STEP, 'commit': 'b2'}
  assert 'note 2 of 3' in launch('--rows=msg_progan-32')
  assert 'note commit b2; 2 of 3' in launch('--rows=stylegan2-32')


def test_a_file_has_figures_of_one_device(launch, measured):
  launch('--rows=gemm')
  measured.answers['msg_progan-32', 128] = {**STEP, 'device': 'H2'}
  with pytest.raises(SystemExit, match='figures of H1, and this is H2'):
    launch('--rows=msg_progan-32')


@pytest.mark.parametrize(('script', 'found'), [
    ('echo warm; echo 12.5', {'images_per_second': 12.5}),
    ('echo fast', {'error': "its last line is no figure: 'fast'"}),
    ('echo no module >&2; exit 1', {'error': 'no module'}),
    ('echo CUDA out of memory. >&2; exit 1', {'error': 'out of memory'}),
    ('kill -9 $$', {'error': 'it ended with -9'}),
    ('sleep 60 & wait', {'error': 'not done within its limit'})])
def test_a_process_ends_within_its_limit_and_tells_why(
    gpu, monkeypatch, script, found):
  monkeypatch.setattr(
      gpu.gpu_rows, 'peer_command', lambda *_: ['sh', '-c', script])
  row = gpu.gpu_rows.Row('stylegan2', 32, 128, peer=True)
  options = types.SimpleNamespace(
      tiny=False, seconds=1., torch='', peers='', cache='')
  began = time.monotonic()
  assert gpu.in_worker(row, options, 1.) == found
  assert time.monotonic() - began < 30


@pytest.mark.slow
def test_tiny_rows_are_measured_on_a_cpu(tmp_path):
  done = subprocess.run(
      [sys.executable, FOLDER / 'gpu.py', '--tiny', '--seconds=.1',
       '--rows=msg_progan-8,inception-299'],
      cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
  gemm, step, features = records(tmp_path / 'gpu_tiny.jsonl')
  assert [x['row'] for x in (gemm, step, features)] == [
      'gemm', 'msg_progan-8', 'inception-299']
  assert all(x['images_per_second'] > 0 for x in (step, features))
  # As XLA counts it, but for what is neither a convolution nor a product.
  assert 5e6 < step['flops_a_step'] < 5e7 and step['programs'] == 1
  assert done.stdout.startswith('1 cpu, ')
