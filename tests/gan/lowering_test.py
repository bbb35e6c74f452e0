"""The step of every family of networks lowers for GPUs and TPUs, on a CPU."""
from helpers import batch
import jax
from jax import export
import jax.numpy as jnp
import pytest

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import schema
from msg_gan_jax.config.presets import PRESETS
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.networks.r3gan import grouped_conv
from msg_gan_jax.gan.networks.table import NETWORKS

PLATFORMS = 'cuda', 'tpu'
LOOP = 'stablehlo.while'


def family(network):
  """The function that makes a network; it makes its whole family."""
  make = NETWORKS[network]
  return getattr(make, 'func', make)


def fullest(networks):
  """A preset of one of these networks: that with most parts of a step.

  What no preset has stands in the place of the default network.
  """
  found = [config for config in CONFIGS if config.networks.name in networks]
  if found:
    return max(found, key=lambda config: (
        config.train.n_dis, config.objective.penalty != 'none',
        config.objective.augment != 'none'))
  config = schema.template()
  config.networks.name = networks[0]
  config.networks.scales = config.networks.stddev = 'none'
  return config


CONFIGS = [schema.template(preset) for preset in PRESETS]
FAMILIES = {}
for row in NETWORKS:
  FAMILIES.setdefault(family(row), []).append(row)
FULLEST = {networks[0]: fullest(networks) for networks in FAMILIES.values()}
# More than three seconds.
LONG = 'stylegan', 'stylegan2', 'r3gan', 'resnet_cifar'


def smallest(config, **settings):
  """(Config, Gan): four pictures of as few pixels as the network takes."""
  config = config.copy_and_resolve_references()
  config.train.batch = 4
  for name, value in settings.items():
    section, field = name.split('__')
    config[section][field] = value
  for resolution in (8, 16, 32):
    config.data.resolution = resolution
    parsed = schema.parse(config)
    try:
      return parsed, build(parsed)
    except ValueError:
      if resolution == 32:
        raise


@pytest.fixture
def lowered(monkeypatch):
  """(Config, Gan, ...) -> the text of a run's step or steps, for PLATFORMS."""
  def lower(config, gan, backend='gpu', steps=1):
    # Some layers and loops are written in another way for CPUs.
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    sharded, phase = ShardedStep(gan, data_mesh()), gan.phase(0)
    state = jax.eval_shape(gan.init, jax.random.key(0))
    shown = jax.tree.map(lambda x: jnp.concatenate([x] * steps), batch(config))
    exported = export.export(
        jax.jit(lambda *arguments: sharded(*arguments, phase)),
        platforms=PLATFORMS)(state, shown, jax.random.key(0))
    assert exported.platforms == PLATFORMS
    return exported.mlir_module()

  return lower


@pytest.mark.parametrize('network', [
    pytest.param(name, marks=[pytest.mark.slow] * (name in LONG))
    for name in FULLEST])
def test_the_step_of_every_family_lowers(network, lowered):
  text = lowered(*smallest(FULLEST[network], networks__dtype='bfloat16'))
  assert 'xbf16>' in text and 'xf32>' in text


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    {'train__accumulate': 2}, {'train__n_dis': 3}], ids=str)
def test_parts_of_a_batch_and_updates_of_d_are_loops(settings, lowered):
  """But for CPUs, where both are written out or called."""
  config, gan = smallest(FULLEST['mlp'], **settings)
  assert LOOP in lowered(config, gan)
  assert LOOP not in lowered(config, gan, 'cpu')


@pytest.mark.slow
def test_several_steps_at_once_lower(lowered):
  config, gan = smallest(FULLEST['mlp'], train__n_dis=2)
  assert LOOP in lowered(config, gan, steps=3)


def test_grouped_convolutions_are_whole(monkeypatch):
  """But for CPUs, where they are products."""
  def text(backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    return export.export(
        jax.jit(lambda x, kernel: grouped_conv(x, kernel, 2)),
        platforms=PLATFORMS)(
            jnp.zeros((1, 4, 4, 8)), jnp.zeros((3, 3, 4, 8))).mlir_module()

  groups = 'feature_group_count = 2'
  assert groups in text('gpu') and groups not in text('cpu')


def test_among_the_families_are_parts_penalties_and_paths():
  steps = FULLEST.values()
  for found in (
      [x for x in steps if x.train.n_dis > 1],
      [x for x in steps if x.objective.penalty != 'none'],
      [x for x in steps if x.objective.g_penalty == 'path_length'],
      [x for x in steps if x.objective.augment == 'ada'],
      [x for x in steps if x.train.grow_from]):
    assert found


def test_what_only_a_cpu_computes_does_not_lower():
  with pytest.raises(NotImplementedError, match='eig'):
    export.export(jax.jit(lambda x: jnp.linalg.eig(x)[0]), platforms=PLATFORMS)(
        jax.ShapeDtypeStruct((4, 4), jnp.float32))
