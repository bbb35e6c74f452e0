"""measure.py goes on where it was stopped, and prints what it has found."""
import importlib
import json
import subprocess
import sys

from helpers import ROOT
import pytest

from msg_gan_jax.gan.build import build

ABOUT = {'date': '2026-01-02T03:04:05', 'cores': 2, 'python': '3.11.7',
         'jax': '0.10.2', 'cpu': 'Some CPU, AVX2', 'commit': 'abc'}


@pytest.fixture
def measure(monkeypatch):
  """The script, with three rows that take no time on a machine of paper."""
  monkeypatch.syspath_prepend(str(ROOT / 'benchmarks'))
  for name in ('measure', 'measure_rows', 'measured', 'throughput'):
    monkeypatch.delitem(sys.modules, name, raising=False)
  module = importlib.import_module('measure')
  rows = importlib.import_module('measure_rows')
  module.calls = []

  def row(name, **kwargs):
    def run(tools):
      module.calls.append(name)
      if name == 'bad':
        raise RuntimeError('no memory is left.')
      return {'cold': 12.5, 'warm': [3., 4., 5.]}
    return rows.Row(run, lambda found: {'cold, s': f'{found["cold"]}'}, 1.5,
                    **kwargs)

  monkeypatch.setattr(module, 'ROWS', {
      'bad': row('bad'), 'good': row('good', twice=True),
      'beside': row('beside', peers=('BMSG-GAN',))})
  monkeypatch.setattr(module, 'about_of', lambda python: ABOUT | (
      {'python': '3.12.1'} if python == 'other' else {}))
  yield module
  for name in ('measure', 'measure_rows', 'measured', 'throughput'):
    sys.modules.pop(name, None)


@pytest.fixture
def call(measure, monkeypatch, tmp_path):
  """Calls the script; returns its exit status."""
  def run(*words):
    monkeypatch.setattr(
        sys, 'argv', ['measure.py', f'--out={tmp_path}/found.jsonl', *words])
    try:
      measure.main()
    except SystemExit as error:
      return error.code
    return 0
  return run


def records(tmp_path):
  return [json.loads(line) for line in
          (tmp_path / 'found.jsonl').read_text().splitlines()]


def test_a_row_that_fails_is_recorded_and_the_others_go_on(
    measure, call, tmp_path, capsys):
  assert call() == 1
  assert measure.calls == ['bad', 'good']
  bad, good = records(tmp_path)
  assert bad['failed'] == 'no memory is left.' and 'result' not in bad
  assert good['result']['cold'] == 12.5
  assert good['cpu'] == 'Some CPU, AVX2' and good['commit'] == 'abc'
  out = capsys.readouterr().out
  assert 'beside' in out and 'left out: needs --peers with BMSG-GAN' in out
  assert 'failed: bad' in out


def test_what_is_done_is_left_alone_unless_asked_again(
    measure, call, monkeypatch):
  call()
  call()
  assert measure.calls == ['bad', 'good', 'bad']
  assert call('--again', '--rows=good') == 0
  assert measure.calls[3:] == ['good']
  assert call('--rows=good', '--also=other') == 0  # The other Python alone.
  assert measure.calls[4:] == ['good']
  monkeypatch.setattr(measure, 'about_of', lambda _: ABOUT | {'commit': 'def'})
  call('--rows=good')
  assert measure.calls[5:] == ['good']


def test_without_git_there_is_no_commit(measure, monkeypatch):
  monkeypatch.setenv('PATH', '')
  assert measure.machine.commit(ROOT) == ''


def test_the_commit_is_told_apart_from_a_changed_tree(measure, tmp_path):
  """But for files that git does not track, and for results."""
  def git(*words):
    subprocess.run(['git', '-C', tmp_path, '-c', 'user.name=a', '-c',
                    'user.email=a@b', *words], check=True, capture_output=True)

  commit = measure.machine.commit
  assert commit(tmp_path) == ''
  (tmp_path / 'a.py').write_text('1')
  (tmp_path / 'old.jsonl').touch()
  git('init')
  git('add', '.')
  git('commit', '-m', 'a')
  (tmp_path / 'results.jsonl').touch()
  (tmp_path / 'old.jsonl').write_text('a row')
  clean = commit(tmp_path)
  assert len(clean) == 10
  (tmp_path / 'a.py').write_text('2')
  assert commit(tmp_path) == f'{clean}+'


def test_half_a_line_is_survived(measure, call, tmp_path):
  call('--rows=good')
  file = tmp_path / 'found.jsonl'
  file.write_text(file.read_text() + '{"row": "bad", "resu')
  assert call('--rows=good,bad') == 1
  assert measure.calls == ['good', 'bad']
  assert [x['row'] for x in measure.measured.read(file)] == ['good', 'bad']


def test_the_list_measures_nothing(measure, call, capsys, tmp_path):
  (tmp_path / 'BMSG-GAN').mkdir()
  call('--rows=good')
  capsys.readouterr()
  assert call('--list', f'--peers={tmp_path}', '--torch=python') == 0
  lines = capsys.readouterr().out.splitlines()
  assert [line.split()[-1] for line in lines[:3]] == ['do', 'done', 'do']
  assert lines[3] == '2 rows to do, about 3 minutes on two cores'
  assert measure.calls == ['good']


def test_a_row_that_there_is_not_is_told_in_a_line(call):
  assert call('--rows=best') == (
      "error: --rows: no row 'best'; known: bad, good, beside.")


def test_the_table_has_the_newest_records(measure, call, capsys):
  call()
  step = {'images_per_second': [10., 12., 11.], 'gemm_gflops': [100.] * 3,
          'theirs': [5., 6., 5.], 'flops_a_step': 2e10, 'step_images': 4,
          'memory_bytes': 1, 'busy_cores': [1.5] * 3, 'platform': 'cpu',
          'profile': {'steps': 8, 'gemm_gflops': 50., 'step_seconds': .5,
                      'kinds': {'product': [.25, 1e10]}}}
  fid = {'ours': [10., 20., 30.], 'theirs': [40., 40., 60.],
         'our_fid': [1.25], 'their_fid': [1.25]}
  capsys.readouterr()
  names = {'step': 'studiogan_dcgan', 'fid': 'fid_pytorch_fid',
           'bad': 'scaling'}
  lines = measure.measured.tables([
      {'row': 'an old one', **ABOUT, 'result': {}},
      *({'row': names[kind], **ABOUT, **found} for kind, found in (
          ('step', {'failed': 'at first'}),
          ('step', {'torch': '2.14', 'result': step}), ('fid', {'result': fid}),
          ('bad', {'failed': 'no memory'})))], sys.modules['measure_rows'].ROWS)
  assert lines[0] == ('2 cores of Some CPU, AVX2; Python 3.11.7, jax 0.10.2, '
                      'PyTorch 2.14; commit abc, 2026-01-02')
  text = '\n'.join(lines)
  assert '11.0 (10.0-12.0)' in text and '2.00 2.00 2.20' in text
  assert '4.00 2.00 2.00' in text
  assert 'an old one' not in text
  assert 'studiogan_dcgan: 8 steps on one core, gemm peak 50' in text
  assert text.endswith('No figures:\n- scaling: no memory')
  assert call('--table') == 0
  assert '12.5' in capsys.readouterr().out


def test_rows_read_what_their_scripts_print(measure, monkeypatch):
  """With commands that are not run."""
  rows = sys.modules['measure_rows']
  printed = {
      'start.py': ['cold      13.80 s to the first step,   9.00 s of them',
                   'cold      20.00 s to the first step, 9 s itself (before)',
                   'warm 1     6.60 s to the first step,   3.00 s of them',
                   'warm: median 6.60 s, 6.60 to 6.60'],
      'folder.py': ['folder source               2325 files/s, 2304 to 2385',
                    'ratio of medians 0.98; of each pair 1.01 0.98'],
      'input.py': ['|  | batch, ms | step, ms | share |', '| - | - | - | - |',
                   '| quickstart | 0.125 | 50.0 | 0.25% |'],
      'pytorch_fid.py': ['FID 12.500000', '60.25'],
      'our_fid.py': ['FID 12.500001', '30.5'], 'make_weights.py': ['1']}
  commands = []

  def lines_of(command, **_):
    commands.append(command)
    return printed[command[1].rpartition('/')[2]]

  monkeypatch.setattr(rows, 'lines_of', lines_of)
  monkeypatch.setattr(rows, 'draw', lambda *_: None)
  tools = rows.Tools('ours', 'torch', '/peers', 'found.jsonl')
  assert rows.ROWS['start_quickstart'].measure(tools) == {
      'cold': 13.8, 'cold_before': 20., 'warm': [6.6]}
  assert rows.ROWS['folder_128px'].measure(tools) == {
      'files_a_second': {'folder source': [2325, 2304, 2385]},
      'ratio': .98, 'pairs': [1.01, .98]}
  share = rows.ROWS['input']
  assert share.columns(share.measure(tools)) == {
      'quickstart, of a step': '0.25%'}
  found = rows.ROWS['fid_pytorch_fid'].measure(tools)
  assert found == {'ours': [30.5] * 3, 'theirs': [60.25] * 3,
                   'our_fid': [12.500001] * 3, 'their_fid': [12.5] * 3}
  assert [x[0] for x in commands[-6:]] == ['ours', 'torch'] * 3
  assert '--path=/peers/pytorch-fid' in commands[-1]
  printed['start.py'] = ['Traceback', 'nothing']
  with pytest.raises(RuntimeError, match='Traceback / nothing'):
    rows.ROWS['start_quickstart'].measure(tools)


def test_the_last_line_of_a_command_that_fails_is_the_reason(measure):
  rows = sys.modules['measure_rows']
  with pytest.raises(RuntimeError, match='-c ended with 3: it is over'):
    rows.lines_of([sys.executable, '-c', 'import sys; print("it is over", '
                   'file=sys.stderr); sys.exit(3)'])
  assert rows.lines_of([
      sys.executable, '-c', 'import os; print(os.environ["XDG_CACHE_HOME"])'],
      cache='here') == ['here']


def test_every_row_of_the_step_can_be_built(measure):
  """Their sizes are legal, and known to the command beside."""
  rows, throughput = sys.modules['measure_rows'], sys.modules['throughput']
  flags = [row.flags for row in rows.ROWS.values() if row.flags]
  assert len(flags) == 9
  for first, *settings in flags:
    name, _, value = first.partition('=')
    config = (throughput.experiment(value, settings) if name == '--config' else
              throughput.bmsg_gan(*throughput.parse_rows(value)))
    build(config)
    assert config.networks.dtype == 'float32'


def test_all_rows_are_measured_within_100_minutes(measure):
  """With a second Python, too."""
  rows = sys.modules['measure_rows'].ROWS.values()
  assert sum(row.minutes * (1 + row.twice) for row in rows) <= 100
