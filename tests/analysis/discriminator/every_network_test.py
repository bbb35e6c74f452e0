"""D of every row of NETWORKS is looked into: layers, projections, fields."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import build
from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import Programs
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.receptive_fields import Fields
from msg_gan_jax.gan import compatibility, pyramid
from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import NOTHING

# The fewest pixels that a row takes; all others take 8.
PIXELS = {
    **dict.fromkeys(('mlp', 'vanilla', 'infogan'), 4),
    **dict.fromkeys(('lapgan', 'dcgan', 'dcgan_64', 'dcgan_compare_gan',
                     'resnet_stl', 'resnet_mimicry_48', 'resnet_mimicry_64'),
                    16),
    'resnet_mimicry_128': 32, 'resnet19': 64}
ON_LADDER = ('msg_progan', 'bmsg_gan', 'progan', 'stylegan', 'stylegan2',
             'stylegan2_plain')  # With the deviation of the batch.
SIMPLE = (*ON_LADDER, 'r3gan', 'mlp', 'vanilla', 'infogan', 'lapgan')
OWN = {'lapgan': dict(networks__latent=356, networks__scales='none',
                      train__level_images=8)}
SHOWN, CHANGED = 4, 16  # Pictures, and pixels of them that change in a call.
MOST = 256  # Pixels of a level that change, of more at random.


def judge_of(small, name):
  """D of a row, through which pixels are seen.

  No weight is 0, as some begin, and biases hold most rectifiers open.
  """
  gan = build(small(**{
      'networks__name': name, 'data__resolution': PIXELS.get(name, 8),
      'networks__stddev': 'every' if name in ON_LADDER else 'none',
      'networks__phi': 'simple' if name in SIMPLE else 'lin_cat',
      'train__batch': SHOWN, **OWN.get(name, {})}))
  compatibility.check_seen(gan.components, 16)
  judge = Judge.of(gan, gan.init(jax.random.key(0)).d)
  rng = np.random.default_rng(5)
  return Judge(judge.gan, jax.tree_util.tree_map_with_path(
      lambda path, x: x + .3 * np.float32(path[-1].key == 'bias') + (
          .05 * rng.normal(size=x.shape)).astype(np.float32),
      judge.params), judge.stats)


def some_layers(judge):
  """The first, the middle and the last with maps, and the logit."""
  maps = [name for name, shape in judge.shapes.items()
          if len(shape) == 3 and shape[0] * shape[1] > 1]
  return [*dict.fromkeys([*(
      maps[i] for i in (0, len(maps) // 2, -1) if maps), LOGIT])]


def places_of(judge, layer):
  """int32 [SHOWN, 3], one place for all pictures, a map for each."""
  shape = (1, 1, *judge.shapes[layer], 1)[-3:] if (
      len(judge.shapes[layer]) < 3) else judge.shapes[layer]
  rng = np.random.default_rng(0)
  row, column = (int(rng.integers(side)) for side in shape[:2])
  return np.array([(row, column, i % shape[2]) for i in range(SHOWN)], np.int32)


def with_statistics(judge, asked):
  """(images, statistics, given) -> (activations at places, statistics).

  Where `given`, those that are given are used in place of its own.
  """
  def values(images, statistics, given):
    own, left = [], list(statistics)

    def statistic(x):
      own.append(x)
      return jnp.where(given, left.pop(0), x) if left else x

    with pytest.MonkeyPatch.context() as patch:
      patch.setattr(layers, 'statistic', statistic)
      found = judge.activations(images, NOTHING)
    return {layer: found[layer][:, row, column] if found[layer].ndim == 4
            else found[layer] for layer, (row, column) in asked.items()}, own

  return values


def by_perturbing(judge, images, asked):
  """Pixels whose change changes a place, statistics held fixed as in views.

  Returns:
    ({layer: for each scale bool [H, W]}, for each scale bool [H, W]: those that
    were changed).
  """
  images = tuple(np.repeat(x, CHANGED, 0) for x in images)
  values = with_statistics(judge, asked)
  shapes = jax.eval_shape(values, images, [], False)[1]
  compiled = jax.jit(values)
  own = [np.zeros(x.shape, x.dtype) for x in shapes]
  own = compiled(images, own, False)[1]
  before, _ = compiled(images, own, True)
  seen = {layer: [np.zeros(x.shape[1:3], bool) for x in images]
          for layer in asked}
  tried = [np.zeros(x.shape[1:3], bool) for x in images]
  for level, image in enumerate(images):
    pixels = np.random.default_rng(0).permutation(
        [*np.ndindex(image.shape[1:3])])[:MOST]
    tried[level][tuple(pixels.T)] = True
    for start in range(0, len(pixels), CHANGED):
      changed = image.copy()
      for k, (i, j) in enumerate(pixels[start:start + CHANGED]):
        one = changed[k::CHANGED, i, j]
        changed[k::CHANGED, i, j] = np.where(one > 0, -99, 99)
      after, _ = compiled(
          (*images[:level], changed, *images[level + 1:]), own, True)
      for layer in asked:
        unlike = (after[layer] != before[layer]).reshape(
            SHOWN, CHANGED, -1).any((0, 2))
        for k, (i, j) in enumerate(pixels[start:start + CHANGED]):
          seen[layer][level][i, j] = unlike[k]
  return seen, tried


@pytest.mark.parametrize('name', [
    x if x in ('msg_progan', 'dcgan_32') else
    pytest.param(x, marks=pytest.mark.slow) for x in NETWORKS])
def test_every_network_is_looked_into(small, name):
  """Fields are what perturbing finds, and what comes down stays within."""
  judge = judge_of(small, name)
  rules.check_fits(judge.activations, judge.inputs(), 'guided')
  images = tuple(np.asarray(x) for x in pyramid.build(
      np.random.default_rng(1).uniform(
          -1, 1, (SHOWN, *judge.gan.shapes[-1])).astype(np.float32),
      judge.gan.sizes))
  chosen = some_layers(judge)
  places = {layer: places_of(judge, layer) for layer in chosen}
  wanted, tried = by_perturbing(
      judge, images, {layer: x[0, :2] for layer, x in places.items()})
  fields = Fields(judge, chosen)
  programs = Programs(judge, chosen, 'guided', batch=SHOWN)
  for layer in chosen:
    found = programs.projected(
        judge, Pictures(images, None), layer, places[layer])
    field = fields.at(layer, places[layer][:1, :2])
    assert any(x.any() for x in found), layer
    for down, (box,), seen, known in zip(
        found, field, wanted[layer], tried, strict=True):
      np.testing.assert_array_equal(box & known, seen, err_msg=layer)
      assert np.isfinite(down).all() and not down[:, ~box].any()
