"""What tests share: oracles of the peers, a small config, a warm cache."""
import gc
import importlib.metadata
import json
import os
import pathlib
import sys
import tempfile
import threading

# Each worker has one core: threads of a matrix product that wait for each
# other spin, and take 20 times the time of one. It is read where numpy loads.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent

# Programs that the suite starts find what Python has compiled, also where the
# environment keeps it from being written.
os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
sys.dont_write_bytecode = False

# One cache of compiled programs for the suite and for what it starts; one each
# for workers that run at once, since jax writes its files in place.
os.environ['JAX_COMPILATION_CACHE_DIR'] = os.path.join(
    tempfile.gettempdir(), 'msg_gan_jax_test_cache_'
    f'{os.getuid()}{os.environ.get("PYTEST_XDIST_WORKER", "")}')
# Below, writing and reading cost more than they save.
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '.1')
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
# Compiling is most of the suite's time. Unoptimized code takes half of it, and
# the emitters before those of MLIR, which jaxlib 0.10 still has, half of that.
# Without YNNPACK weight gradients of convolutions are many times faster.
# Each worker has one core, and to split a program for several costs time.
FLAGS = ['--xla_backend_optimization_level=0',
         '--xla_cpu_experimental_ynn_fusion_type=',
         '--xla_cpu_parallel_codegen_split_count=1']
if importlib.metadata.version('jaxlib').startswith('0.10.'):
  FLAGS.append('--xla_cpu_use_fusion_emitters=false')
os.environ.setdefault('XLA_FLAGS', ' '.join(FLAGS))
# Tracing makes objects that live; to look for dead ones takes a fifth of it.
gc.set_threshold(50_000, 20, 50)


# Files that take longest. They come first, and in this order, so that workers
# that take a file at a time end together.
LONGEST = (
    'gan/compatibility', 'experiments/experiments', 'gan/devices',
    'config/presets', 'endurance/fuzz', 'commands/browser', 'training/stop',
    'runs/checkpoints', 'gan/networks/networks', 'gan/networks/stylegan2',
    'gan/high_resolution', 'gan/growth', 'gan/programs', 'commands/look',
    'analysis/discriminator/evidence',
    'analysis/discriminator/every_network', 'training/loop', 'docs/docs',
    'style', 'runs/earlier_runs', 'commands/analysis_errors',
    'commands/bad_inputs',
    'study/page', 'commands/compare', 'training/few_pictures',
    'study/postgres', 'commands/score_runs', 'commands/linear_probe',
    'metrics/functional/precision_recall', 'study/timing', 'docs/dirac_study',
    'study/own_study', 'gan/step', 'gan/objectives/augmentations',
    'gan/networks/bfloat16', 'gan/networks/weight_norms', 'gan/networks/norms')


def pytest_configure(config):
  config.option.loadscopereorder = False  # xdist's order is by their number.


def pytest_collection_modifyitems(items):
  paths = [HERE / f'{name}_test.py' for name in LONGEST]
  items.sort(key=lambda item: paths.index(item.path) if (
      item.path in paths) else len(paths))


def pytest_collection_finish():
  """What was loaded stays: no collection of garbage looks through it again."""
  gc.collect()
  gc.freeze()


@pytest.fixture(autouse=True, scope='module')
def forgets():
  """A file's programs go with it: gigabytes that all collections look through.

  What never loads jax has none.
  """
  yield
  if 'jax' in sys.modules:
    sys.modules['jax'].clear_caches()
    gc.collect()


# Tests that may be skipped, and why; any other skipped test fails the run.
MAY_BE_SKIPPED = {
    'arrays/compilation_test.py::test_convolutions_do_without_ynnpack':
        'its option was measured on x86-64 alone',
    'data/stores/folder_test.py::test_a_folder_without_permission_is_named':
        'root may read everything',
    'data/stores/folder_test.py::test_names_may_be_of_any_script_and_of_none':
        'names of files are bytes on Linux alone',
    **dict.fromkeys((f'study/postgres_test.py::test_{name}' for name in (
        'nothing_is_lost_or_done_twice_when_workers_and_server_are_killed',
        'workers_that_begin_at_once_in_an_empty_database_all_work',
        'a_server_that_refuses_says_why')),
        'PostgreSQL is no package of Python, and may be missing'),
    **dict.fromkeys((f'commands/browser_test.py::test_{name}' for name in (
        'a_page_opens_without_a_word_and_axe_finds_no_serious_fault',
        'the_slider_moves_all_runs_and_the_axis_is_chosen',
        'without_scripts_the_newest_samples_and_all_curves_are_seen',
        'printed_no_picture_is_cut',
        'printed_no_table_leaves_the_page',
        'names_do_nothing_on_a_page',
        'a_conditional_run_says_which_classes_its_samples_are_of',
        'the_quickstart_has_its_sections',
        'the_page_of_what_d_looks_for_opens_without_a_serious_fault',
        'pages_are_what_the_documents_show',
        'the_page_of_a_run_that_diverged_says_so',
        'the_list_of_runs_opens_without_a_word_and_axe_finds_no_serious_fault',
        'a_list_that_is_open_renews_itself_and_keeps_what_was_chosen',
        'a_page_that_is_open_goes_on_with_its_run',
        'a_page_whose_server_is_gone_says_so')),
        'Chromium and axe-core are no packages of Python, and may be missing'),
    'commands/compare_test.py::test_pdflatex_takes_the_tables_and_the_figures':
        'LaTeX is no package of Python, and may be missing',
}


def skipped(config):
  """What was skipped without being on the list; workers say it to the first."""
  reporter = config.pluginmanager.get_plugin('terminalreporter')
  reports = reporter.stats.get('skipped', ()) if reporter else ()
  return sorted({report.nodeid.partition('[')[0] for report in reports} - {
      f'tests/{name}' for name in MAY_BE_SKIPPED})


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
  if not session.exitstatus and skipped(session.config):
    session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
  for name in skipped(config):
    terminalreporter.write_line(
        f'SKIPPED {name}: not in MAY_BE_SKIPPED of tests/conftest.py', red=True)


class Oracle:
  """Values that a peer gives on seeded inputs.

  Attributes:
    inputs: what the recipe defines, checked against its recorded sums.
    expected: the peer's values.
  """

  def __init__(self, entry):
    scope = {}
    exec('\n'.join(entry['recipe']['python']), scope)
    self.inputs = {name: scope[name] for name in entry['recipe']['gives']}
    for name, seen in entry['inputs_check'].items():
      got = scope.get(name)
      if isinstance(got, np.ndarray):
        np.testing.assert_allclose(
            got.astype(np.float64).sum(), seen['sum'], rtol=1e-9, atol=1e-9)
    self.scope, self.expected = scope, entry['expected']
    self.tolerance = entry['tolerance']

  def assert_close(self, got, wanted):
    """Asserts equality to the float32 tolerance that the entry states."""
    rtol = self.tolerance.get(
        'float32_rtol', max(self.tolerance['rtol'], 1e-4))
    atol = self.tolerance.get('float32_atol', self.tolerance['atol'])
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=rtol, atol=atol)


@pytest.fixture(scope='session')
def oracle():
  """name -> Oracle."""
  entries = json.loads((HERE / 'oracles.json').read_text())
  return lambda name: Oracle(entries[name])


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
  """(*argv) -> (exit status, stdout, stderr) of launch.py, in this process.

  In an empty folder, with the suite's cache of compiled programs.
  """
  from absl import flags
  from absl.testing import flagsaver

  from msg_gan_jax.commands import main
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(main, '_set_up_jax', lambda: None)

  def call(*argv):
    saved = flagsaver.save_flag_values(flags.FLAGS)
    monkeypatch.setattr(sys, 'argv', ['launch.py', *argv])
    try:
      with pytest.raises(SystemExit) as ended:
        main.main(main._parse(sys.argv))
    finally:
      flagsaver.restore_flag_values(saved, flags.FLAGS)
    return ended.value.code, *capsys.readouterr()

  return call


@pytest.fixture(scope='session')
def read_by_many():
  """(source, wanted pixels): asserts that eight threads read them at once."""
  def check(source, wanted):
    got = []

    def ask():
      for _ in range(20):
        got.append(source.images(np.arange(len(source))))
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    assert len(got) == 160 and all((x == wanted).all() for x in got)
  return check


@pytest.fixture(scope='session')
def small():
  """(**settings as networks__latent=8) -> a Config that compiles fast."""
  from msg_gan_jax.config import schema

  def make(preset='msg_progan', **settings):
    config = schema.template(preset)
    defaults = dict(
        data__resolution=16, networks__latent=8, networks__fmap_max=8,
        networks__fmap_base=64, train__batch=8, data__count=64,
        data__held_out=32, evaluate__metrics='', evaluate__best='')
    for name, value in {**defaults, **settings}.items():
      section, field = name.split('__')
      config[section][field] = value
    return schema.parse(config)

  return make
