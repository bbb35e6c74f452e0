"""One table of bad inputs: each has its text, and a branch of its own.

A row is what a person may get wrong, and runs through the command line. What
of one branch has many texts is in `errors_test.py` and beside its module.
"""
import collections
import contextlib
import io
import os
import re
import subprocess
import sys
import traceback
from typing import NamedTuple

from absl import flags
from absl.testing import flagsaver
from bad_inputs.builders import SMALL, STEPS, Here
from bad_inputs.rows import ROWS
from helpers import ROOT
import jax
import pytest

from msg_gan_jax.commands import main
from msg_gan_jax.config import schema
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import (
  checkpoints,
  workdir,
)
from msg_gan_jax.training import monitor

PACKAGE = os.path.join(ROOT, 'msg_gan_jax', '')
NAMES = [row.name for row in ROWS]
LEAST = {'config': 15, 'flags': 10, 'data': 15, 'checkpoints': 10,
         'z and labels': 10}


class Outcome(NamedTuple):
  """What the command did.

  Attributes:
    status, out, err: its exit status and its words.
    branch: where msg_gan_jax raised, 'file:line'.
    began: whether there is a run now that was not there before.
  """
  status: int
  out: str
  err: str
  branch: str
  began: bool = False


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  """A run of five checkpoints that nobody trained."""
  here = Here(tmp_path_factory.mktemp('whole'), None, None)
  values = schema.template().to_dict()
  for name, value in SMALL.items():
    section, field = name.split('.')
    values[section][field] = value
  gan = build(schema.parse(values))
  state = gan.init(jax.random.key(0))
  with workdir.Workdir(here.path / 'run') as folder:
    folder.start(schema.parse(values))
  with checkpoints.Checkpoints(here.path / 'run' / 'checkpoints', 9) as c:
    for step in STEPS:
      c.save(step, {'state': state, 'before': monitor.like_grid(gan)})
  return here.path / 'run'


@pytest.fixture(scope='module')
def outcome(whole, tmp_path_factory):
  """Row -> Outcome; each row runs once."""
  found = {}

  def of(row):
    if row.name not in found:
      path = tmp_path_factory.mktemp('row')
      with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as m:
        made = row.make
        here = Here(path, whole, stack)
        argv = made(here) if callable(made) else made
        m.chdir(path)
        run = path / 'run' / 'config.json'
        before = run.exists()
        found[row.name] = command(argv, m)._replace(
            began=run.exists() and not before)
    return found[row.name]

  return of


def command(argv, monkeypatch):
  """launch.py in this process."""
  raised, text = [], main._text
  monkeypatch.setattr(main, '_text', lambda e: raised.append(e) or text(e))
  # The suite has a cache of its own.
  monkeypatch.setattr(main, '_set_up_jax', lambda: None)
  monkeypatch.setattr(sys, 'argv', ['launch.py', *argv])
  out, err = io.StringIO(), io.StringIO()
  saved = flagsaver.save_flag_values(flags.FLAGS)
  try:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      with pytest.raises(SystemExit) as ended:
        main.main(main._parse(sys.argv))
  finally:
    flagsaver.restore_flag_values(saved, flags.FLAGS)
  ours = [f'{frame.filename.removeprefix(PACKAGE)}:{frame.lineno}'
          for error in raised
          for frame in traceback.extract_tb(error.__traceback__)
          if frame.filename.startswith(PACKAGE)]
  return Outcome(ended.value.code, out.getvalue(), err.getvalue(),
                 ours[-1] if ours else '')


@pytest.mark.parametrize('row', ROWS, ids=NAMES)
def test_a_bad_input_is_told_in_words(row, outcome):
  status, out, err, branch, began = outcome(row)
  assert status == 1 and not began and 'Traceback' not in out + err
  assert err.count('error: ') == 1, err
  assert err.endswith('\n(--debug shows where)\n')
  said = err[err.index('error: '):]
  assert re.search(row.text, said), (row.text, said)
  assert len(said.partition('Known: ')[0]) < 2000
  assert branch


def test_no_two_rows_are_of_the_same_branch(outcome):
  rows_of = collections.defaultdict(list)
  for row in ROWS:
    rows_of[outcome(row).branch].append(row.name)
  assert {k: v for k, v in rows_of.items() if len(v) > 1} == {}
  counts = collections.Counter(row.group for row in ROWS)
  print(len(ROWS), 'rows:', dict(counts))
  assert len(NAMES) == len(set(NAMES)) >= 60
  assert all(counts[group] >= least for group, least in LEAST.items())


@pytest.mark.slow
@pytest.mark.parametrize('name', [
    'no such flag', 'a zip that is cut off',
    'checkpoints, each damaged in another way'])
def test_a_process_ends_with_1_and_without_a_traceback(name, whole, tmp_path):
  row = ROWS[NAMES.index(name)]
  with contextlib.ExitStack() as stack:
    here = Here(tmp_path, whole, stack)
    argv = row.make(here) if callable(row.make) else row.make
    found = subprocess.run(
        [sys.executable, str(ROOT / 'launch.py'), *argv], cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
        env={**os.environ, 'PYTHONPATH': str(ROOT)})
  assert found.returncode == 1 and found.stdout == ''
  assert found.stderr.startswith('error: ')
  assert re.search(row.text, found.stderr)
  assert 'Traceback' not in found.stderr
