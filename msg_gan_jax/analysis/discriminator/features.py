"""What every layer of a D answers to pictures, by the names of its modules."""
from collections.abc import Mapping, Sequence
import dataclasses
import functools
from typing import Any

from flax import linen as nn
import jax
from jax.extend import core
import jax.numpy as jnp

from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.config.tables import nearest
from msg_gan_jax.gan import passes
from msg_gan_jax.gan.build import Gan, build_to_draw
from msg_gan_jax.gan.networks import layers, norms
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Player

LOGIT = 'logit'  # The name of what D ends in, beside those of its layers.
Activations = Mapping[str, jax.Array]


@dataclasses.dataclass(frozen=True, eq=False)
class Judge:
  """A D with its weights, outside of training.

  A layer is a module, and its name the path of modules to it, such as
  'block_1/conv_2'; a network of a user's own has its names too. Its activation
  is what the module gives: that of a convolution is before the rectifier, which
  changes no order. A module that is called more than once has 'name (2)'.

  Attributes:
    gan: of the run.
    params, stats: of its D, such as state.d.params.
    shapes: {name: shape of the activations of one picture, [C] or [h, w, C]},
      in the order of the layers, LOGIT [] the last. What sees no picture, such
      as the embedding of a label, is not there.
  """
  gan: Gan
  params: Any
  stats: Any

  @classmethod
  def of(cls, gan: Gan, d: Player) -> 'Judge':
    """The D of a State; its batch norm has the moments of many batches.

    Those are its moving averages, so that what D answers to a picture does not
    depend on which others are looked at beside it.
    """
    config = gan.components.config
    if config.networks.statistics == 'batch' and norms.sees_batch(
        config.networks.d_norm):
      gan = build_to_draw(dataclasses.replace(
          config, networks=dataclasses.replace(
              config.networks, statistics='moving')))
    return cls(gan, d.params, d.stats)

  @functools.cached_property
  def shapes(self) -> dict[str, tuple[int, ...]]:
    images, condition = self.inputs()
    names: list[str] = []  # A dict of arrays that is traced loses its order.

    def values(images, condition):
      found = self.activations(images, condition)
      names.extend(found)
      return tuple(found.values())

    traced, found = jax.make_jaxpr(
        values, return_shape=True)(images, condition)
    sees = _depends(traced.jaxpr, len(images))
    return {name: x.shape[1:] for name, x, of_images in zip(
        names, found, sees, strict=True) if of_images}

  def inputs(self) -> tuple[Any, Any]:
    """The shapes of two pictures, and of what D is told of them."""
    labels: Any = jax.ShapeDtypeStruct((2,), jnp.int32)
    return tuple(jax.ShapeDtypeStruct((2, *shape), jnp.float32)
                 for shape in self.gan.shapes), (
                     Condition(labels) if self.gan.classes else NOTHING)

  def activations(self, images: Pyramid,
                  condition: Condition = NOTHING) -> Activations:
    """{name: [B, C] or [B, h, w, C]} of all layers, float32.

    Args:
      images: pyramid of [B, H, W, C] in [-1, 1].
      condition: with labels int32 [B], if D is told classes.
    """
    components = self.gan.components
    with nn.intercept_methods(rules.marking_norms):
      verdict, kept = components.players.d.apply(
          passes.variables(self.params, self.stats or {}),
          components.with_labels('d', images, condition), condition,
          capture_intermediates=True, mutable=['intermediates'])
    found = dict(_named(kept['intermediates'], len(images[-1])))
    return {name: x.astype(jnp.float32) for name, x in (
        *found.items(), (LOGIT, verdict.logits))}

  def check(self, name: str) -> None:
    """Refuses a name that no layer has.

    Raises:
      ValueError: with the nearest that there is.
    """
    if name not in self.shapes:
      raise ValueError(
          f'layer={name}: D has no such layer; {nearest(name, self.shapes)}')


def _depends(jaxpr, count: int) -> list[bool]:
  """Which outputs of a jaxpr depend on its first `count` inputs."""
  reached = set(jaxpr.invars[:count])
  for equation in jaxpr.eqns:
    if any(not isinstance(x, core.Literal) and x in reached
           for x in equation.invars):
      reached.update(equation.outvars)
  return [not isinstance(x, core.Literal) and x in reached
          for x in jaxpr.outvars]


def _named(tree: Mapping[str, Any], size: int, path: Sequence[str] = ()):
  """(name, activations) of the modules of a tree, in the order of calls.

  What is not of `size` pictures, such as an embedding table, is left out.
  """
  for name, value in tree.items():
    if name != '__call__':
      yield from _named(value, size, (*path, name))
    elif path:
      for i, out in enumerate(value):
        out = layers.concat([out]) if isinstance(
            out, layers.LazyConv1x1) else out
        if (isinstance(out, jax.Array) and out.ndim in (2, 4)
            and len(out) == size):
          yield '/'.join(path) + (f' ({i + 1})' if i else ''), out
