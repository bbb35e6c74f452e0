"""Every preset at its start: no layer is silent, loud or saturated."""
from helpers import count
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.config import high_resolution, schema
from msg_gan_jax.config.presets import PRESETS
from msg_gan_jax.gan import passes, pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks import layers, plain
from msg_gan_jax.gan.networks.players import (
  D_CONDITIONS,
  G_CONDITIONS,
  with_labels,
)
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import Condition

# lapgan_test.py has the laws of the chain; those of styles and of R3GAN, whose
# layers are of their own kinds, are in the tests of their networks.
ROWS = [name for name in PRESETS if name != 'lapgan' and (
    name not in high_resolution.ROWS or name == 'progan')]
KINDS = plain.Conv, plain.Dense, layers.EqualConv, layers.EqualDense
# Their sources' sizes, where they are not 32 px (resnet19: half of them).
PIXELS = {'vanilla': 28, 'infogan': 28, 'dcgan': 64, 'wgan': 64,
          'landscape_resnet19': 64}
BATCH = 8


def spreads(module, player, inputs, condition):
  """(outputs of a pass in training, deviation of each layer's outputs)."""
  @jax.jit
  def run(player, inputs, condition):
    out, found = module.apply(
        {'params': player.params, 'stats': player.stats}, inputs, condition,
        True, rngs=passes.rngs(jax.random.key(5)), mutable=['intermediates'],
        capture_intermediates=lambda layer, name: isinstance(layer, KINDS))
    return out, jax.tree.map(jnp.std, found['intermediates'])

  out, found = run(player, inputs, condition)
  return out, {'/'.join(str(key.key) for key in path[:-2]): float(x)
               for path, x in jax.tree_util.tree_flatten_with_path(found)[0]}


def at_start(preset):
  """(images, spreads in G, Verdict, spreads in D) of a preset at its widths."""
  config = schema.template(preset)
  config.data.resolution = PIXELS.get(preset, 32)
  config = schema.parse(config)
  settings, players = config.networks, NETWORKS[config.networks.name](config)
  gan = build(config)
  # To draw tens of millions of numbers by unoptimized code takes longer than to
  # optimize it; of fewer it does not.
  init = jax.jit(gan.init).lower(jax.random.key(0))
  state = init.compile({'xla_backend_optimization_level': int(
      count(init.out_info) > 10**8)})(jax.random.key(0))
  labels = jnp.arange(BATCH) % settings.classes if settings.classes else None
  condition = Condition(labels)

  def shown(condition, inputs):
    return with_labels(condition, inputs, labels, settings.classes)

  images, in_g = spreads(
      players.g, state.g, shown(G_CONDITIONS[settings.g_condition], gan.draw(
          jax.random.key(1), BATCH)), condition)
  real = pyramid.build(jax.random.uniform(
      jax.random.key(2), (BATCH, *config.data.shape), minval=-1.), gan.sizes)
  verdict, in_d = spreads(
      players.d, state.d, shown(D_CONDITIONS[settings.d_condition], real),
      condition)
  return images, in_g, verdict, in_d


# The least deviation in D, which is the flattest player: of a picture of
# deviation .58. Weights of deviation .02 shrink what they see to .02 times the
# root of its inputs, which is .1 of a 3x3 picture; a spectral norm holds a
# layer far below its He gain, and 7 to 19 of them multiply; the score of a
# vanilla D is drawn within .005.
LEAST_IN_D = {
    'msg_progan': .045, 'bmsg_gan': .089, 'progan': .032, 'vanilla': 4e-4,
    'infogan': .028,
    'dcgan_32': .034, 'dcgan': .077, 'dcgan_studiogan': .061, 'wgan': .036,
    'wgan_gp_dcgan': .3, 'wgan_gp_resnet': .011, 'lsgan': .061,
    'dragan': .0026, 'sngan_cnn': .0035, 'sngan_resnet': .027,
    'cgan_projection': .028, 'srn_gan': .016, 'acgan': .014,
    'cgan_concat': .046, 'landscape_sndcgan': .0045,
    'landscape_resnet_cifar': .002, 'landscape_resnet19': .001,
    'mimicry_sngan32': .027, 'mimicry_cgan_pd32': .028, 'msg_sndcgan': .003,
    'msg_resnet': .026}


@pytest.mark.slow
@pytest.mark.parametrize('preset', ROWS)
def test_no_layer_is_silent_loud_or_saturated_at_the_start(preset):
  images, in_g, verdict, in_d = at_start(preset)
  # In G a norm or He's gain brings each layer back to about 1; the last one, of
  # .02 times the root of its inputs, may give a tenth.
  assert len(in_g) >= 3 and min(in_g.values()) > .03, in_g
  assert max(in_g.values()) < 2, in_g
  for x in images:
    assert .03 < float(x.std()) < 1.5
    # Their images are linear.
    if preset not in ('msg_progan', 'bmsg_gan', 'progan'):
      # A tanh there learns no more. WGAN-GP's code has He's gain before it too.
      most = .06 if preset == 'wgan_gp_dcgan' else .02
      assert np.mean(np.abs(x) > .99) < most
  # A seed moves it by less than a factor of 2, a wrong gain in each of several
  # layers by far more.
  least = LEAST_IN_D[preset]
  assert least / 2 < min(in_d.values()) < least * 2, in_d
  assert max(in_d.values()) < 3, in_d
  assert np.isfinite(verdict.logits).all()
  assert float(jnp.std(verdict.logits)) > least / 2
