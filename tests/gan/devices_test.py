"""Laws of devices: how many there are changes nothing but the time."""
import functools
import json
import os
import socket
import subprocess
import sys

from helpers import ROOT
import jax
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import checkpoints, config_file
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.training import loop

pytestmark = pytest.mark.slow

STEPS, BATCH = 20, 8
# Sums of float32 in another order differ in the last bits, which RMSprop and
# Adam enlarge: they divide a gradient by its own size.
NEAR = 1e-5
EXPERIMENT = f'''
from msg_gan_jax.config import template


def get_config(preset):
  config = template(preset)
  config.data.resolution = 8
  config.data.count = 64
  config.data.held_out = 0
  config.networks.latent = 8
  config.networks.fmap_max = 8
  if preset == 'msg_progan':
    # With the paper's 1e-8 RMSprop's first step is 10 rates x sign(gradient)
    # also where the gradient is nothing but rounding: on one device a nudge of
    # 1e-7 then moves the state of step 20 by up to 7e-2 (8 seeds), and four
    # devices by up to 5e-3. With .01: by 1e-6 and 5e-7, whatever the seed.
    config.optimizer.epsilon = .01
  if preset == 'sngan_cnn':
    config.data.resolution = 16
  config.train.batch = {BATCH}
  config.train.total_images = {STEPS * BATCH}
  config.train.log_every_images = 40
  config.train.sample_every_images = 80
  if preset != 'bmsg_gan':  # Whose processes measure too.
    config.evaluate.metrics = config.evaluate.best = ''
  return config
'''


# A step of StyleGAN2 with ADA, path length and mixed styles, on one device and
# on four of them: {devices: arithmetic of each}, and how far apart the states.
SHARED = '''
import json

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import numpy as np

from msg_gan_jax.config.schema import parse, template
from msg_gan_jax.gan.build import build
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.arrays.mesh import replicated
from msg_gan_jax.gan.devices import ShardedStep

config = template('stylegan2_ada')
config.update_from_flattened_dict({
    'data.resolution': 8, 'networks.latent': 8, 'networks.w': 8,
    'networks.mapping_layers': 2, 'networks.fmap_max': 4,
    'networks.fmap_base': 16, 'train.batch': 8, 'objective.augment': 'ada_b',
    'objective.augment_strength': .5})
gan = build(parse(config))
rng = np.random.default_rng(0)
batch = Batch(rng.integers(0, 256, (1, 8, 8, 8, 3), np.uint8),
              np.zeros((1, 8), np.int32))
flops, states = {}, []
for devices in (1, 4):
  over = Mesh(np.asarray(jax.devices()[:devices]), ('data',))
  state = jax.jit(gan.init, out_shardings=replicated(over))(
      jax.random.key(0))
  given = state, jax.device_put(batch, NamedSharding(
      over, PartitionSpec(None, 'data'))), jax.random.key(1)
  # The penalty of G, and not that of D, which is in every 16th step.
  step, = ShardedStep(gan, over).lower(*given, gan.phase(32))
  step = step.compile()
  flops[devices] = step.cost_analysis()['flops']
  states.append(jax.device_get(step(*given)))
apart = max(float(np.abs(np.float64(a) - b).max()) for a, b in zip(
    *map(jax.tree.leaves, states), strict=True) if a.size)
print(json.dumps({'flops': flops, 'apart': apart}))
'''


def test_devices_share_the_work_of_a_step():
  done = subprocess.run(
      [sys.executable, '-c', SHARED], cwd=ROOT, text=True, check=True,
      stdout=subprocess.PIPE, timeout=240, env={**os.environ, 'XLA_FLAGS': (
          os.environ.get('XLA_FLAGS', '')
          + ' --xla_force_host_platform_device_count=4')})
  found = json.loads(done.stdout.splitlines()[-1])
  assert found['apart'] < NEAR
  # Optimizers and averages are everybody's; pictures are not.
  assert found['flops']['4'] < .3 * found['flops']['1']


def launch(folder, preset, name, devices, *more):
  """Starts one process of a run."""
  (folder / 'experiment.py').write_text(EXPERIMENT)
  return subprocess.Popen(
      [sys.executable, str(ROOT / 'launch.py'),
       f'--config={folder / "experiment.py"}:{preset}',
       f'--workdir={folder / name}', *more],
      cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      env={**os.environ, 'PYTHONPATH': str(ROOT), 'XLA_FLAGS': ' '.join([
          os.environ.get('XLA_FLAGS', ''),
          f'--xla_force_host_platform_device_count={devices}'])})


def launch_two(folder, preset, name, *more):
  """Starts both processes of a run on two devices each."""
  with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    port = s.getsockname()[1]
  return [launch(folder, preset, name, 2, f'--coordinator=127.0.0.1:{port}',
                 '--processes=2', f'--process={i}', *more) for i in range(2)]


def finish(*children, status=0):
  """Waits for children; what they printed."""
  try:
    said = [child.communicate(timeout=240)[0] for child in children]
  finally:
    for child in children:
      child.kill()
  for child, text in zip(children, said, strict=True):
    assert child.returncode == status, text
  return said


def leaves(path):
  """{name: array} of the State in a run's last checkpoint."""
  gan = build(config_file.load_config(path))
  one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  images, tree = checkpoints.Checkpoints(
      path / 'checkpoints', read_only=True).restore(
          {'state': state_like(gan, one)}, partial=True)
  assert images == STEPS * BATCH
  return {jax.tree_util.keystr(where, simple=True, separator='.'):
          np.asarray(x) for where, x in
          jax.tree_util.tree_flatten_with_path(tree['state'])[0]}


def furthest(a, b):
  """(largest difference, leaf) of two states."""
  assert a.keys() == b.keys()
  return max((float(np.abs(a[name].astype(np.float64) - b[name]).max()), name)
             for name in a)


@pytest.fixture(scope='module')
def alone(tmp_path_factory):
  """(preset) -> the State of a run on this process's one device."""
  @functools.cache
  def train(preset):
    scope, path = {}, tmp_path_factory.mktemp('alone') / 'run'
    exec(EXPERIMENT, scope)
    config = scope['get_config'](preset)
    config.evaluate.metrics = config.evaluate.best = ''
    assert loop.train(schema.parse(config), path, len) == 0
    return leaves(path)
  return train


def assert_near(path, preset, alone, processes):
  """Asserts that a run on four devices came to the State of one."""
  entry, = json.loads((path / 'versions.json').read_text())
  assert entry['devices']['count'] == 4
  assert entry['devices']['processes'] == processes
  distance, leaf = furthest(alone(preset), leaves(path))
  print(f'{preset}: {distance:.1e} in {leaf}')
  assert distance < NEAR, leaf


@pytest.mark.parametrize('preset', ['msg_progan', 'sngan_cnn'])
def test_devices_do_not_change_the_state(preset, alone, tmp_path):
  """WGAN-GP, RMSprop, groups of 4; batch norm in G, spectral norm in D."""
  finish(launch(tmp_path, preset, 'four', 4))
  assert_near(tmp_path / 'four', preset, alone, processes=1)


def test_processes_do_not_change_the_state(alone, tmp_path):
  """Relativistic, Adam, one group of all; the pictures are streamed.

  So that each process decodes its own rows alone.
  """
  first, second = finish(*launch_two(
      tmp_path, 'bmsg_gan', 'two_by_two', '--config.data.device_gb=0'))
  assert '64 in an epoch, 4 cpu' in first
  # One voice for all. Gloo's threads print too, into each other's lines.
  for ours in ('images', 'distance', 'pictures', 'curves', 'warning'):
    assert ours not in second
  assert_near(tmp_path / 'two_by_two', 'bmsg_gan', alone, processes=2)
