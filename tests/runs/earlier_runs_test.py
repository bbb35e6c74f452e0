"""Runs of an earlier layout are loaded, continued and sampled.

The folders below `earlier` were written by commit dfbfa7dc, before the package
was divided into rooms: MSG-ProGAN, a ProGAN in the middle of a fade, and a
StyleGAN2 with ADA, all tiny.
"""
import json
import pathlib
import shutil

import jax
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.runs import config_file, workdir
from msg_gan_jax.runs.load import load

EARLIER = pathlib.Path(__file__).parent / 'earlier'
IMAGES = {'quickstart': 80, 'growing': 56, 'ada': 80}


@pytest.fixture
def run(request, tmp_path):
  """A copy of the run that the test names."""
  shutil.copytree(EARLIER / request.param, tmp_path / request.param)
  return tmp_path / request.param


def lacking(run, *names):
  """Takes settings out of a run's config.json, as if they did not exist."""
  path = run / 'config.json'
  values = json.loads(path.read_text())
  for name in names:
    section, _, field = name.partition('.')
    if field:
      del values[section][field]
    else:
      del values[section]
  path.write_text(json.dumps(values))


@pytest.mark.parametrize('run', IMAGES, indirect=True)
def test_an_earlier_run_is_loaded(run):
  loaded = load(run)
  assert loaded.images == IMAGES[run.name] == int(loaded.state.images)
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(loaded.state)
             if np.issubdtype(x.dtype, np.floating))


@pytest.mark.parametrize('run', ['quickstart'], indirect=True)
def test_a_checkpoint_is_named_by_its_images(run, monkeypatch):
  monkeypatch.setenv('HOME', str(run.parent))
  for which in 80, '80':
    assert load('~/quickstart', which).images == 80
  with pytest.raises(ValueError, match='^which: 33, but .*none; there are .80'):
    load(run, 33)
  for which in 'all', 'last', -1:
    with pytest.raises(ValueError, match=(
        f'^which: there is no {which!r}; wanted newest, best or images')):
      load(run, which)


@pytest.mark.slow
@pytest.mark.parametrize('run', IMAGES, indirect=True)
def test_an_earlier_run_goes_on_under_its_own_config_and_is_sampled(
    run, command):
  before = (run / 'metrics.jsonl').read_text()
  # The whole section is younger than such a run.
  lacking(run, 'evaluate')
  more = IMAGES[run.name] + 8
  status, out, err = command(
      f'--workdir={run}', f'--config.train.total_images={more}')
  assert status == 0, err
  assert f'continuing after {IMAGES[run.name]} images' in out
  assert (out + err).count("evaluate.metrics = ''") == 1
  after = (run / 'metrics.jsonl').read_text()
  assert after.startswith(before)
  last = json.loads(after.splitlines()[-1])
  # Its checkpoint had no sums for the next record, which begins after it.
  assert last['images'] == more and last['steps'] == 1
  config = config_file.load_config(run, pytest.fail)  # Nothing is missing now.
  assert config.train.total_images == more and config.evaluate.metrics == ''
  change = json.loads((run / 'changes.jsonl').read_text())
  assert any('evaluate.best' in line for line in change['changed'])
  status, _, err = command('--mode=sample', f'--workdir={run}', '--count=4')
  assert status == 0, err
  assert 'did not exist' not in err  # It is on record by now.
  with Image.open(run / 'samples_0' / 'grid.png') as grid:
    assert np.asarray(grid).std() > 0


@pytest.mark.parametrize('run', ['quickstart'], indirect=True)
def test_a_setting_that_did_not_exist_has_the_value_of_before(run):
  names = 'evaluate.metrics', 'evaluate.best', 'train.ema_rampup'
  lacking(run, *names)
  lines = []
  config = schema.flatten(config_file.load_config(run, lines.append))
  assert [config[name] for name in names] == ['', '', 0.]
  line, = lines
  assert all(name in line for name in names)


@pytest.mark.parametrize('run', ['growing'], indirect=True)
@pytest.mark.parametrize('value', ['joint', 'alternate'])
def test_a_setting_is_read_by_its_earlier_name(run, value):
  path = run / 'config.json'
  values = json.loads(path.read_text())
  values['train']['update'] = value
  path.write_text(json.dumps(values))
  lines = []
  assert config_file.load_config(
      run, lines.append).train.update_order == value
  assert not any('update' in line for line in lines)


@pytest.mark.parametrize('run', ['quickstart'], indirect=True)
def test_what_was_read_as_before_is_recorded_when_the_run_goes_on(run):
  lacking(run, 'schedule')
  config = config_file.load_config(run)
  with workdir.Workdir(run) as folder:
    line, = folder.start(config, 80, '', jax.devices())[:1]
    assert 'schedule.images = 0' in line
    assert 'schedule' not in ' '.join(folder.check(config))
  assert json.loads((run / 'config.json').read_text())['schedule'][
      'images'] == 0


def test_a_setting_that_is_younger_than_these_runs_says_what_was_before():
  values = schema.present_names(json.loads(
      (EARLIER / 'quickstart' / 'config.json').read_text()))
  known = {'seed'} | {f'{section}.{field}' for section, fields in values.items()
                      if section != 'seed' for field in fields}
  about = schema.metadata()
  assert [name for name in about if name not in known
          and about[name]['before'] is None] == []
