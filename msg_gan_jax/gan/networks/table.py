"""NETWORKS: from settings to the two players.

Constructors take settings that go together: `gan.settings_of_networks` refuses
all others before it calls one. What only a constructor can compute is refused
where it is computed: sizes without a ladder and scales without a level
(`pyramid.ladder`, `pyramid.shown`), and LAPGAN's sizes and latent
(`lapgan.chain`).
"""
from collections.abc import Callable
import functools
from typing import Any, Protocol

from flax import linen as nn
import jax.numpy as jnp

from msg_gan_jax.config.schema import Config, Networks
from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  dcgan,
  infogan,
  lapgan,
  mlp,
  plain,
  progan,
  r3gan,
  resnet,
  stylegan,
  stylegan2,
  vanilla,
)
from msg_gan_jax.gan.networks.ladder import Ladder, faded_reals
from msg_gan_jax.gan.networks.players import Players


class Network(Protocol):
  """Makes the players that a Config asks for."""

  def __call__(self, config: Config, /) -> Players:
    ...


def _on_ladder(config: Config, g: Callable[[Ladder, int | None], nn.Module],
               d: Callable[[Ladder, int | None], nn.Module], grows: bool = True
               ) -> Players:
  """Players of ProGAN's ladder: some or all rungs open, or growing.

  Args:
    config: Config.
    g, d: (Ladder, level) -> a module; level None opens all rungs.
    grows: whether the network can.
  """
  settings, image = config.networks, config.data.shape
  grows = grows and bool(config.train.grow_from)
  heights = pyramid.ladder(*image[:2])
  shown = pyramid.shown(image, settings.scales)
  ladder = Ladder(heights, heights if grows else shown, image,
                  settings.fmap_max, settings.fmap_base)
  if not grows:
    return Players(
        g(ladder, None), d(ladder, None), shown, supports_remat=True)
  stages = tuple(
      Players(g(ladder, level), d(ladder, level), (size,), supports_remat=True,
              stage_reals=functools.partial(faded_reals, size))
      for level, size in enumerate(heights))
  return stages[-1]._replace(stages=stages, ladder=heights)


def _head(settings: Networks, score_bias: bool = True) -> plain.Head:
  return plain.Head(settings.d_condition, settings.classes, score_bias)


def _dtype_and_remat(settings: Networks) -> dict[str, Any]:
  """What all modules on a ladder are given."""
  return {'dtype': jnp.dtype(settings.dtype), 'remat': settings.remat}


def _styles(settings: Networks) -> dict[str, Any]:
  """What modules with a mapping network are given."""
  return {'width': settings.w, 'depth': settings.mapping_layers,
          'mixing': settings.mixing,
          'classes': settings.classes * (settings.g_condition == 'mapping'),
          **_dtype_and_remat(settings)}


def _progan_d(settings: Networks, ladder: Ladder, level: int | None,
              bmsg: bool = False, mean_first: bool = False, blur: bool = False
              ) -> nn.Module:
  return progan.Discriminator(
      ladder, settings.phi, settings.stddev, settings.stddev_group, bmsg,
      _head(settings), mean_first, blur, level, **_dtype_and_remat(settings))


def _msg_progan(config: Config, bmsg: bool = False) -> Players:
  """ProGAN with all rungs open.

  Args:
    config: Config.
    bmsg: whether its gains and layers are those of BMSG-GAN.

  Source: Karnewar & Wang 2020 (arXiv:1903.06048); akanimax/BMSG-GAN.
  """
  settings = config.networks
  return _on_ladder(
      config,
      lambda ladder, level: progan.Generator(
          ladder, level=level, bmsg=bmsg, **_dtype_and_remat(settings)),
      lambda ladder, level: _progan_d(settings, ladder, level, bmsg=bmsg),
      grows=not bmsg)


def _progan(config: Config) -> Players:
  """ProGAN, which shows one rung at a time.

  Source: Karras et al. 2018 (arXiv:1710.10196), table 2, and its code.
  """
  settings = config.networks
  return _on_ladder(
      config,
      lambda ladder, level: progan.Generator(
          ladder, norm_first=True, level=level, **_dtype_and_remat(settings)),
      lambda ladder, level: _progan_d(
          settings, ladder, level, mean_first=settings.d_mean == 'first'))


def _stylegan(config: Config) -> Players:
  """StyleGAN, and MSG-StyleGAN with all rungs shown and no mixing.

  Source: Karras et al. 2019 (arXiv:1812.04948); Karnewar & Wang 2020
  (arXiv:1903.06048).
  """
  settings = config.networks
  return _on_ladder(
      config,
      lambda ladder, level: stylegan.Generator(
          ladder, level=level, **_styles(settings)),
      lambda ladder, level: _progan_d(
          settings, ladder, level, mean_first=True, blur=True)
  )._replace(mapped=True)


def _stylegan2(config: Config, architecture: str) -> Players:
  """StyleGAN2, with a D of stylegan2.ARCHITECTURES.

  Source: Karras et al. 2020 (arXiv:1912.04958); plain, for CIFAR-10, Karras et
  al. 2020 (arXiv:2006.06676).
  """
  settings = config.networks
  return _on_ladder(
      config,
      lambda ladder, level: stylegan2.Generator(
          ladder, clamp=settings.conv_clamp, **_styles(settings)),
      lambda ladder, level: stylegan2.Discriminator(
          ladder, architecture, settings.phi, settings.stddev,
          settings.stddev_group, _head(settings), settings.conv_clamp,
          **_dtype_and_remat(settings)),
      grows=False)._replace(mapped=True)


def _r3gan(config: Config) -> Players:
  """R3GAN.

  Source: Huang et al. 2024 (arXiv:2501.05441), config E.
  """
  settings = config.networks
  g_classes, d_classes = (
      settings.classes * (row != 'none')
      for row in (settings.g_condition, settings.d_condition))
  return _on_ladder(
      config,
      lambda ladder, level: r3gan.Generator(
          ladder, classes=g_classes, **_dtype_and_remat(settings)),
      lambda ladder, level: r3gan.Discriminator(
          ladder, classes=d_classes, phi=settings.phi,
          **_dtype_and_remat(settings)),
      grows=False)


def _mlp(config: Config) -> Players:
  """Three hidden dense layers in each player, for toys.

  Source: Gulrajani et al. 2017 (arXiv:1704.00028), gan_toy.py of its code.
  """
  settings, shape = config.networks, config.data.shape
  width, dtype = settings.fmap_max, jnp.dtype(settings.dtype)
  return Players(
      mlp.Generator(shape, width, dtype=dtype),
      mlp.Discriminator(shape, width, _head(settings), dtype=dtype), shape[:1])


def _layer_settings(settings: Networks, usual: plain.LayerSettings
                    ) -> tuple[plain.LayerSettings, plain.LayerSettings]:
  """How G and D make layers: an architecture's way, with a Config's norms."""
  if settings.deviation != 'own':
    usual = usual._replace(deviation=settings.deviation)
  usual = usual._replace(
      iterations=settings.power_iterations, ratio=settings.stable_rank,
      batch_always=settings.statistics == 'batch',
      epsilon=settings.norm_epsilon or usual.epsilon,
      dtype=jnp.dtype(settings.dtype))
  return (usual._replace(
      norm=settings.g_norm, weight_norm=settings.g_weight_norm,
      classes=settings.classes * (settings.g_condition == 'batch_norm')),
      usual._replace(norm=settings.d_norm, weight_norm=settings.d_weight_norm))


def _sizes(config: Config, doublings: int, halvings: int) -> tuple[int, ...]:
  """The shown heights among those that both G and D pass through.

  Args:
    config: Config.
    doublings: between G's coarsest maps and the image.
    halvings: between the image and D's coarsest maps.
  """
  shape = config.data.shape
  heights = tuple(
      shape[0] >> i for i in range(min(doublings, halvings), -1, -1))
  return pyramid.shown(shape, config.networks.scales, heights)


def _dcgan(config: Config, arch: dcgan.Architecture) -> Players:
  """A chain of strided convolutions, a row of dcgan.ARCHITECTURES.

  Source: each row of dcgan.ARCHITECTURES has its own.
  """
  if config.networks.d_slope != -1:
    arch = arch._replace(slope=config.networks.d_slope)
  return _convolutional(config, arch, dcgan, arch.doublings)


def _resnet(config: Config, arch: resnet.Architecture) -> Players:
  """A residual network, a row of resnet.ARCHITECTURES.

  Source: each row of resnet.ARCHITECTURES has its own.
  """
  arch = arch._replace(rectified=config.networks.d_shortcut == 'rectified')
  return _convolutional(config, arch, resnet, arch.d_downs, arch.score_bias)


def _convolutional(config: Config, arch: Any, module: Any, halvings: int,
                   score_bias: bool = True) -> Players:
  """G and D of a module, both of one row of its ARCHITECTURES."""
  settings = config.networks
  g_settings, d_settings = _layer_settings(settings, arch.settings)
  sizes = _sizes(config, arch.doublings, halvings)
  arch = arch.narrowed(settings.fmap_max)
  return Players(
      module.Generator(arch, sizes, config.data.shape, g_settings),
      module.Discriminator(
          arch, sizes, d_settings, settings.phi, _head(settings, score_bias)),
      sizes, (arch.settings.law,) * 2)


def _vanilla(config: Config) -> Players:
  """The first GAN's dense layers.

  Source: Goodfellow et al. 2014 (arXiv:1406.2661).
  """
  settings = config.networks
  arch = vanilla.Architecture().narrowed(settings.fmap_max)
  g_settings, d_settings = _layer_settings(settings, arch.settings)
  return Players(
      vanilla.Generator(
          arch, config.data.shape, g_settings._replace(deviation='.05')),
      vanilla.Discriminator(arch, d_settings, _head(settings)),
      config.data.shape[:1], (arch.settings.law,) * 2)


def _infogan(config: Config) -> Players:
  """InfoGAN's layers, without its codes.

  Source: Chen et al. 2016 (arXiv:1606.03657), as in compare_gan.
  """
  settings = config.networks
  arch = infogan.Architecture().narrowed(settings.fmap_max)
  g_settings, d_settings = _layer_settings(settings, arch.settings)
  sizes = config.data.shape[:1]
  return Players(
      infogan.Generator(arch, config.data.shape, g_settings),
      infogan.Discriminator(arch, d_settings, _head(settings), sizes),
      sizes, (arch.settings.law,) * 2)


def _lapgan(config: Config) -> Players:
  """A chain of GANs over the Laplacian pyramid.

  Source: Denton et al. 2015 (arXiv:1506.05751).
  """
  settings = config.networks
  chain, head = lapgan.chain(config), _head(settings)
  g_settings, d_settings = _layer_settings(settings, chain.arch.settings)
  sizes = tuple(height for height, _, _ in chain.shapes)
  laws = (chain.arch.settings.law,) * 2
  stages = tuple(
      Players(lapgan.g_level(chain, g_settings, level),
              lapgan.d_level(chain, d_settings, level, head), (size,), laws,
              stage_reals=functools.partial(lapgan.level_reals, sizes, level))
      for level, size in enumerate(sizes))
  return Players(
      lapgan.Generator(chain, g_settings),
      lapgan.Discriminator(chain, d_settings, head), sizes, laws, chain.names,
      stages)


NETWORKS: Table[Network] = Table('config.networks.name', 'network', {
    'msg_progan': _msg_progan,
    'bmsg_gan': functools.partial(_msg_progan, bmsg=True),
    'progan': _progan,
    'stylegan': _stylegan,
    'stylegan2': functools.partial(_stylegan2, architecture='residual'),
    'stylegan2_plain': functools.partial(_stylegan2, architecture='plain'),
    'r3gan': _r3gan,
    'mlp': _mlp,
    'vanilla': _vanilla,
    'infogan': _infogan,
    'lapgan': _lapgan,
    **{name: functools.partial(_dcgan, arch=arch)
       for name, arch in dcgan.ARCHITECTURES.items()},
    **{name: functools.partial(_resnet, arch=arch)
       for name, arch in resnet.ARCHITECTURES.items()},
})
