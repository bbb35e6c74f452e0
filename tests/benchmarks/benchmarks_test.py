"""The benchmarks read their flags, and their worker measures."""
import importlib
import json
import subprocess
import sys
import types

from helpers import ROOT
import pytest

FOLDER = ROOT / 'benchmarks'


@pytest.fixture(scope='module')
def throughput():
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(FOLDER))
    yield importlib.import_module('throughput')


def test_rows_are_depth_latent_batch(throughput):
  assert throughput.parse_rows('4,64,32; 5,256,16') == [
      (4, 64, 32), (5, 256, 16)]
  with pytest.raises(ValueError, match="--rows: found '4,64'; wanted depth"):
    throughput.parse_rows('4,64,32;4,64')


def test_a_row_is_bmsg_gan_of_that_size(throughput):
  config = throughput.bmsg_gan(throughput.Row(5, 256, 16))
  assert config.networks.name == 'bmsg_gan'
  assert config.data.resolution == 64
  assert config.networks.fmap_base == 4096
  assert config.train.batch == 16


def test_an_experiment_is_found_by_name(throughput):
  assert throughput.experiment('quickstart').data.name == 'avatars'
  with pytest.raises(ValueError, match='quickstart'):
    throughput.experiment('quickstrat')


def test_settings_of_the_command_line_are_those_of_launch(throughput):
  config = throughput.experiment('quickstart', [
      '--config.train.batch=8', '--config.data.mirror=false',
      '--config.networks.remat', '--config.objective.penalty_weight=2'])
  assert (config.train.batch, config.data.mirror, config.networks.remat,
          config.objective.penalty_weight) == (8, False, True, 2.)
  for word, error in (
      ('--config.train.batches=8', 'train.batch'),
      ('--config.train.batch=many', "wanted int, found 'many'"),
      ('--config.train.batch', 'wanted a value')):
    with pytest.raises(ValueError, match=error):
      throughput.experiment('quickstart', [word])


def test_a_flag_that_there_is_not_is_told_in_a_line():
  done = subprocess.run(
      [sys.executable, FOLDER / 'throughput.py', '--row=4,64,32'],
      capture_output=True, text=True)
  assert done.returncode == 1 and done.stderr == (
      'error: --row=4,64,32: no such flag; --help lists them.\n')


def test_a_profile_on_a_cpu_has_one_core_and_one_thread(
    throughput, monkeypatch):
  """Unless XLA_FLAGS say otherwise; an accelerator keeps all."""
  asked = []
  monkeypatch.setattr(
      throughput, 'in_worker', lambda *words: asked.append(words))
  options = types.SimpleNamespace(
      profile='traces', seconds=8, settings=['--config.train.batch=8'])
  for platform, flags in (('cpu', '--xla_a=1'), ('gpu', '--xla_a=1'), (
      'cpu', '--xla_cpu_multi_thread_eigen=true')):
    throughput.profile('a/b:c', '--config=a/b:c', {'platform': platform},
                       options, {'XLA_FLAGS': flags})
  cpu, gpu, own = asked
  assert cpu[3]['XLA_FLAGS'] == '--xla_a=1 --xla_cpu_multi_thread_eigen=false'
  assert cpu[4:] == (
      '--config.train.batch=8', '--profile=traces/a_b_c', '--one_core')
  assert gpu[3]['XLA_FLAGS'] == '--xla_a=1' and '--one_core' not in gpu
  assert own[3]['XLA_FLAGS'] == '--xla_cpu_multi_thread_eigen=true'


def test_the_outside_command_gets_the_rows_numbers(throughput):
  config = throughput.bmsg_gan(throughput.Row(4, 64, 32))
  assert throughput.fill(
      'cd ${HOME}; x {depth} {latent} {batch} {seconds} {resolution}',
      config, 8.) == 'cd ${HOME}; x 4 64 32 8 32'
  with pytest.raises(ValueError, match=r'\{width\}; known: \{depth\}'):
    throughput.fill('x {width}', config, 8.)


def test_an_outside_command_must_print_a_number(throughput):
  assert throughput.outside('echo loaded; echo 12.5') == 12.5
  for command in ('echo fast', 'echo 1; false', 'true'):
    with pytest.raises(RuntimeError, match='--beside'):
      throughput.outside(command)


def test_tables_show_medians_and_every_pair(throughput):
  found = dict(
      images_per_second=[90., 100., 120.], gemm_gflops=[400., 500., 400.],
      step_images=10, flops_a_step=2e10, memory_bytes=2**30,
      busy_cores=[1.5, 1., 1.75], theirs=[100., 80., 80.])
  assert throughput.columns(found) == {
      'img/s': '100.0', 'low-high': '90.0-120.0', 'ms/step': '100.0',
      'GFLOP/step': '20.00', 'GFLOP/img': '2.000', 'GFLOP/s': '200',
      'gemm': '400', 'share': '45%', 'MB': '1024', 'cores': '1.50'}
  beside = throughput.beside_columns(found)
  assert beside['ratio'] == '1.25'
  assert beside['of each pair'] == '0.90 1.25 1.50'
  lines = list(throughput.table({'row': beside}))
  assert len(lines) == 3 and len(set(map(len, lines))) == 1


@pytest.mark.slow
def test_the_worker_measures_a_tiny_row():
  done = subprocess.run(
      [sys.executable, FOLDER / 'throughput.py', '--worker', '--rows=2,8,4',
       '--seconds=.2', '--repeats=2'], stdout=subprocess.PIPE, text=True,
      check=True)
  found = json.loads(done.stdout.splitlines()[-1])
  assert found['step_images'] == 4
  assert len(found['images_per_second']) == len(found['gemm_gflops']) == 2
  assert all(0 < x < 1e7 for x in found['images_per_second'])
  # G's and D's convolutions at 4 and 8 px, forward and backward: megaFLOPs.
  assert 1e6 < found['flops_a_step'] < 1e8
  assert found['memory_bytes'] > 0


@pytest.mark.slow
def test_the_profile_of_a_tiny_row_finds_every_kind(tmp_path):
  done = subprocess.run(
      [sys.executable, FOLDER / 'throughput.py', '--worker', '--one_core',
       '--rows=2,8,4', f'--profile={tmp_path}'], stdout=subprocess.PIPE,
      text=True, check=True)
  found = json.loads(done.stdout.splitlines()[-1])
  kinds = found['kinds']
  assert len(kinds) == 9
  assert all(seconds > 0 for kind, (seconds, _) in kinds.items()
             if kind != 'other')
  assert sum(x for x, _ in kinds.values()) < 1.01 * found['step_seconds']
  assert [kind for kind, (_, flops) in kinds.items() if flops > 1e5] == [
      'convolution, forward', 'convolution, by input', 'convolution, by kernel',
      'product']
  assert list(tmp_path.rglob('perfetto_trace.json.gz'))


def test_options_are_compared_and_those_not_in_force_are_told(
    throughput, monkeypatch, capsys):
  """With workers that measure nothing: twice as fast without YNNPACK."""
  options = importlib.import_module('options')
  monkeypatch.setattr(options, 'in_worker', lambda name, which, seconds: (
      {'missing': ['xla_old']} if 'emitters' in name else
      {'images_per_second': [20. if 'YNNPACK' in name else 10.]}))
  monkeypatch.setattr(sys, 'argv', ['options.py', '--repeats=2'])
  options.main()
  lines = capsys.readouterr().out.splitlines()
  cells = [[x.strip() for x in line.split('|')[1:-1]] for line in lines
           if line.startswith('|')]
  assert ['no YNNPACK', '20.0', '20.0-20.0', '2.00'] in cells
  assert ['oneDNN', '10.0', '10.0-10.0', '1.00'] in cells
  assert 'old emitters: not in force here: xla_old' in lines
