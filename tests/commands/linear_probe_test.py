"""--mode=linear_probe and --features=d:RUN:LAYER, on runs nobody trained."""
import json
import os
import shutil

import jax
import pytest

from msg_gan_jax.commands import features_of_d
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics.features.table import FEATURES
from msg_gan_jax.runs import checkpoints, workdir

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def made(small, tmp_path_factory):
  """A folder of runs a, b of one seed and c of another, at 8 images."""
  path = tmp_path_factory.mktemp('runs')
  config = small('landscape_sndcgan', networks__fmap_max=4, data__count=240,
                 data__held_out=60,
                 data__cache_dir=str(tmp_path_factory.mktemp('cache')))
  init = jax.jit(build(config).init)
  for name, seed in ('a', 0), ('b', 0), ('c', 1):
    with workdir.Workdir(path / name) as folder:
      folder.start(config)
    with checkpoints.Checkpoints(path / name / 'checkpoints') as saved:
      saved.save(8, {'state': init(jax.random.key(seed))})
  return path


@pytest.fixture
def runs(made, tmp_path):
  """A copy of them, in the folder of the test."""
  return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def test_a_probe_prints_and_writes_what_came_out(runs, command):
  status, out, err = command(
      '--mode=linear_probe', '--workdir=a', '--labels_per_class=4',
      '--test_count=40', '--layer=conv_0,conv_4')
  assert status == 0, err
  lines = out.splitlines()
  assert [line.partition(':')[0] for line in lines[:4]] == [
      'pixels', 'random_conv', 'D at initialisation', 'D after 8 images']
  assert ' of 40, by 768 features (C=' in lines[0]
  assert lines[4:] == [f'a/linear_probe{end}' for end in (
      '.md', '.tex', '.csv', '.json', '_nearest.png')]
  assert all(os.path.exists(name) for name in lines[4:])
  record = json.loads((runs / 'a' / 'linear_probe.json').read_text())
  assert record['layers'] == ['conv_0', 'conv_4'] and record['tested'] == 40
  # 4 maps of 4 x 4 places in each layer.
  assert record['features'][-1]['count'] == 2 * 4 * 4 * 4
  assert record['labels'] == 4 * len(record['classes'])


def scores(command, run, spec):
  status, out, err = command(
      '--mode=evaluate', f'--workdir={run}', f'--features={spec}',
      '--metrics=fid', '--count=24', '--json', '--out=scores')
  assert status == 0, err
  return json.loads(out)['scores']


def test_scores_by_unlike_ds_never_share_a_column(runs, command):
  (name, one), = scores(command, 'a', 'd:a:conv_2').items()
  (same_name, same), = scores(command, 'a', 'd:b:conv_2').items()
  (other_name, other), = scores(command, 'a', 'd:c:conv_2').items()
  (layer_name, layer), = scores(command, 'a', 'd:a:conv_3').items()
  assert name.startswith('frechet_d_') and name.endswith('_conv_2')
  assert (name, one['id'], one['value']) == (
      same_name, same['id'], same['value'])
  assert len({name, other_name, layer_name}) == 3
  assert len({one['id'], other['id'], layer['id']}) == 3
  assert one['value'] != other['value']


def test_a_row_is_there_as_long_as_it_is_needed(runs):
  before = {*FEATURES}
  with features_of_d.opened('random_conv') as spec:
    assert spec == 'random_conv'
  with pytest.raises(KeyError), features_of_d.opened(
      f'd:{runs}/a:conv_1') as spec:
    name, _, layer = spec.partition(':')
    assert layer == 'conv_1' and {*FEATURES} == {*before, name}
    raise KeyError
  assert {*FEATURES} == before
