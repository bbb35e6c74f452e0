"""An experiment file runs once, and the command line changes what it sets."""
import dataclasses
import json

import all_experiments
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.training import loop

OWN = '''
"""Counts how often it runs, with a loss of its own."""
from __future__ import annotations
import dataclasses
import pathlib
from flax import linen as nn
import jax
import msg_gan_jax

print('hello')
with pathlib.Path('count').open('a') as file:
  file.write('x')
assert 'mine' not in msg_gan_jax.LOSSES
msg_gan_jax.LOSSES['mine'] = msg_gan_jax.LOSSES['hinge']

@dataclasses.dataclass
class Held:
  value: int = 3

class Layer(nn.Module):
  width: int
  scale: jax.Array | None = None

def get_config(argument='none'):
  config = msg_gan_jax.template('stylegan2_ada')
  config.objective.loss = 'mine'
  config.evaluate.protocol = argument
  config.seed = Held().value + Layer(width=1).width
  return config
'''


@pytest.fixture
def trained(monkeypatch):
  """The Configs that training was asked for."""
  configs = []

  def train(config, workdir, **more):
    del workdir, more
    configs.append(config)
    return 0
  monkeypatch.setattr(loop, 'train', train)
  return configs


def test_an_experiment_file_runs_once(trained, command, tmp_path):
  import msg_gan_jax
  (tmp_path / 'own.py').write_text(OWN, encoding='utf-8')
  try:
    status, out, err = command(
        '--config=own.py:a:b', '--config.train.batch=4',
        '--config.train.update=joint', '--init_from=runs/x')
  finally:
    msg_gan_jax.LOSSES.pop('mine', None)
  assert (status, out, err) == (0, 'hello\n', '')
  assert (tmp_path / 'count').read_text() == 'x'
  config, = trained
  assert (config.evaluate.protocol, config.seed) == ('a:b', 4)
  assert (config.train.batch, config.train.update_order) == (4, 'joint')
  assert config.train.init_from == 'runs/x'


def test_one_thing_is_switched_off_by_one_flag(trained, command):
  status, _, err = command(
      '--config=stylegan2_ada_cifar10', '--config.objective.augment=none')
  assert status == 0 and err.count('\n') == 1
  assert err.startswith('note: config.objective.augment_strength = 0.1 in ')
  assert err.endswith("since config.objective.augment_target = 0.0.\n")
  assert trained[0].objective.augment_target == 0.


def test_one_thing_is_switched_off_in_a_file(trained, command, tmp_path):
  (tmp_path / 'own.py').write_text('''
from msg_gan_jax import template
def get_config():
  config = template('stylegan2_ada')
  config.objective.augment = 'none'
  return config
''')
  status, _, err = command('--config=own.py')
  assert status == 0 and err.startswith('note: config.objective.augment_stre')
  assert trained[0].objective.augment_target == 0.


def test_what_the_command_line_asks_for_in_vain_is_refused_at_once(command):
  status, _, err = command(
      '--config=stylegan2_ada_cifar10', '--config.objective.augment=none',
      '--config.objective.augment_target=.5', '--workdir=run',
      '--config.objective.augment_strength=.3')
  assert status == 1
  error = err[err.index('error: '):]
  assert 'augment_target: 0.5 means nothing' in error
  assert 'augment_strength: 0.3 means nothing' in error


def test_another_start_reads_a_file_anew(trained, command, tmp_path):
  for seed in 3, 4:
    (tmp_path / 'own.py').write_text(
        'from msg_gan_jax import template\ndef get_config():\n  config = '
        f'template()\n  config.seed = {seed}\n  return config\n')
    assert command('--config=own.py')[0] == 0
  assert [config.seed for config in trained] == [3, 4]


def test_a_run_that_goes_on_is_changed_as_an_experiment_is(
    trained, command, tmp_path):
  config = schema.parse(all_experiments.load('stylegan2_ada_cifar10'))
  (tmp_path / 'run').mkdir()
  (tmp_path / 'run' / 'config.json').write_text(json.dumps(
      dataclasses.asdict(config)))
  status, _, err = command(
      '--workdir=run', '--config.objective.g_penalty=none',
      '--config.objective.augment=none')
  assert status == 0 and err.startswith('note: config.objective.augment_')
  objective = trained[0].objective
  assert objective.augment_target == 0. and objective.penalty == (
      config.objective.penalty)
