"""Laws of own rows, of one table at a time: one missing row hides another.
"""
import re

import pytest

import msg_gan_jax
from msg_gan_jax.commands import score_runs, train
from msg_gan_jax.config import schema
from msg_gan_jax.runs import config_file, experiment_file, workdir

# (table, a row of it, the setting that names the own row).
ROWS = (
    ('SOURCES', 'avatars', 'data.name'),
    ('NETWORKS', 'msg_progan', 'networks.name'),
    ('PHI', 'simple', 'networks.phi'),
    ('NORMS', 'none', 'networks.d_norm'),
    ('WEIGHT_NORMS', 'none', 'networks.d_weight_norm'),
    ('LOSSES', 'wasserstein', 'objective.loss'),
    ('PENALTIES', 'gradient_penalty', 'objective.penalty'),
    ('CONSTRAINTS', 'none', 'objective.constraint'),
    ('WEIGHT_PENALTIES', 'none', 'objective.g_weight_penalty'),
    ('AUGMENTATIONS', 'none', 'objective.augment'),
    ('G_PENALTIES', 'none', 'objective.g_penalty'),
    ('OPTIMIZERS', 'rmsprop', 'optimizer.name'),
    ('METRICS', 'swd', 'evaluate.metrics'),
    ('PROTOCOLS', 'local', 'evaluate.protocol'),
    ('FEATURES', 'pixels', 'evaluate.features'),
)


@pytest.fixture
def own(small, tmp_path, monkeypatch):
  """(table, known row, setting) -> a run that names an own row there."""
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
  monkeypatch.setattr(experiment_file, '_RAN', {})
  used = []

  def begin(name, known, setting):
    used.append(getattr(msg_gan_jax, name))
    (tmp_path / 'mine.py').write_text(
        f'from msg_gan_jax import {name} as rows\n'
        f"rows['mine'] = rows[{known!r}]\n")
    preset = 'dcgan' if 'NORMS' in name else 'msg_progan'
    config = small(preset, **{setting.replace('.', '__'): 'mine'})
    with workdir.Workdir(
        tmp_path / 'run', experiment=str(tmp_path / 'mine.py')) as folder:
      folder.start(config)
    return tmp_path / 'run'

  yield begin
  for table in used:
    table.pop('mine', None)


@pytest.mark.parametrize('name, known, setting', ROWS)
def test_a_continued_run_has_its_own_row(own, name, known, setting):
  run, said = own(name, known, setting), []
  config = config_file.load_config(run)
  experiment_file.with_rows(
      run, lambda: train._look_up(config), say=said.append)
  assert len(said) == 1 and 'mine' in getattr(msg_gan_jax, name)


@pytest.mark.parametrize('name, known, setting, flag', [
    (*row, flag) for row, flag in zip((*ROWS[-3:], ROWS[-1], ROWS[0]), (
        '--metrics=mine', '--protocol=mine', '--features=mine',
        '--features=mine:values', '--real=mine'), strict=True)])
def test_a_flag_of_evaluate_may_name_it(
    own, command, monkeypatch, name, known, setting, flag):
  monkeypatch.setattr(score_runs, 'score_runs', lambda *_: ['scored'])
  run = own(name, known, setting)
  status, out, err = command('--mode=evaluate', f'--workdir={run}', flag)
  assert (status, out) == (0, 'scored\n'), err
  assert err.count('experiment.py is run, for a row') == 1


def test_each_setting_that_names_rows_is_known_as_that(small):
  found = set()
  for setting, about in schema.metadata().items():
    for name in re.findall(r'\b[Rr]ows? of ([A-Z_]+)', about['meaning']):
      if table := getattr(msg_gan_jax, name, None):
        section, field = setting.split('.')
        config = small(**{f'{section}__{field}': 'mine'})
        assert experiment_file.setting_of_row(
            config, table.place, 'mine') == setting
        found.add(name)
  assert found == {name for name, _, _ in ROWS}
