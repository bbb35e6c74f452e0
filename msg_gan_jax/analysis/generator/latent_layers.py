"""How a generator takes its latent in: by which weights, and to what.

Nothing is told of a network's names: modules are listened to as they are
called, so that a network of the user's own has it as well.
"""
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.analysis.trained import Trained
from msg_gan_jax.arrays.chunks import in_chunks
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import passes
from msg_gan_jax.gan.state import Condition

CHUNK = 256  # Latents whose features are computed in one call.
_NEAR = .02  # bfloat16 rounds z.


class _FoundError(Exception):
  """Ends a pass as soon as what it looks for is found."""


def weights(trained: Trained) -> np.ndarray:
  """The weights A that take the latent in, float64 [outputs, d].

  Of a generator with a mapping network those of every layer that makes a style
  of w, below one another; d is the width of w. Of others those of the first
  layer, for z alone; d is its length. Gains and weight norms are in them.

  Raises:
    ValueError: no one layer takes in the whole of z.

  Source: Shen & Zhou 2021 (arXiv:2007.06600), sec. 3.2.
  """
  if not trained.layers:
    return _first_layer(trained)[1]
  g, variables = _player(trained)
  width = trained.mean_style().shape[-1]
  found: list[Any] = []

  def listen(call, args, kwargs, context):
    x = _vector(context, args)
    if x is None or x.shape[1] != width:
      return call(*args, **kwargs)
    y = call(jnp.concatenate([x, _probes(width, x)]), *args[1:], **kwargs)
    found.append(_columns(y[len(x):]))
    return y[:len(x)]

  @jit
  def all_of(w):
    found.clear()
    with nn.intercept_methods(listen):
      g.apply(variables, w, method='synthesize')
    return jnp.concatenate(found)

  return np.asarray(
      all_of(jnp.zeros((1, trained.layers, width))), np.float64)


def features(trained: Trained, z: np.ndarray,
             labels: np.ndarray | None = None) -> np.ndarray:
  """What the second layer of a generator without a mapping is given.

  That is what its first layer makes of z, with the norm and the rectifier that
  follow; where there is no second one, what the first gives.

  Args:
    trained: the generator.
    z: [n, latent].
    labels: int32 [n], where there are classes.

  Returns:
    float32 [n, features].

  Raises:
    ValueError: as `weights`.
  """
  first, _ = _first_layer(trained)
  g, variables = _player(trained)

  def of_chunk(z, labels):
    found: list[Any] = []

    def listen(call, args, kwargs, context):
      if found and _has_kernel(context) and args:
        found.append(args[0])
      y = call(*args, **kwargs)
      if context.module.path == first and not found:
        found.append(y)
      return y

    condition = Condition(labels)
    with nn.intercept_methods(listen):
      g.apply(variables, trained.gan.components.with_labels(
          'g', z, condition), condition)
    x = found[min(1, len(found) - 1)]
    return x.reshape(len(z), -1).astype(jnp.float32)

  run = jit(of_chunk)
  return np.concatenate([x for x, in in_chunks(
      lambda rows: (run(z[rows], None if labels is None else labels[rows]),),
      len(z), min(CHUNK, len(z)))])


def _first_layer(trained):
  """(path of the module that takes z in, its weights [outputs, latent])."""
  g, variables = _player(trained)
  z = trained.gan.draw(jax.random.key(0), 1)
  latent = z.shape[1]
  found: list[Any] = []

  def listen(call, args, kwargs, context):
    x = _vector(context, args)
    if x is not None and x.shape[1] >= latent and np.allclose(
        np.asarray(x[:, :latent], np.float32), z, atol=_NEAR):
      y = call(_probes(latent, x), *args[1:], **kwargs)
      found.append((context.module.path, np.asarray(_columns(y), np.float64)))
      raise _FoundError
    return call(*args, **kwargs)

  condition = Condition(trained.labels_in_turn(1))
  try:
    with nn.intercept_methods(listen):
      g.apply(variables, trained.gan.components.with_labels(
          'g', z, condition), condition)
  except _FoundError:
    return found[0]
  raise ValueError(
      'method: no one layer of this generator takes in the whole of its '
      f'latent ({type(g).__module__.rpartition(".")[-1]}); wanted '
      'method=classifier, which looks at pictures alone.')


def _player(trained):
  """(G, its variables); nothing is computed again, which would hide layers."""
  player = (trained.state.ema if trained.weights == 'ema'
            else trained.state.g)
  g = trained.gan.components.players.g
  if getattr(g, 'remat', False):
    g = g.clone(remat=False)
  return g, passes.variables(player.params, player.stats)


def _has_kernel(context):
  """Whether a module that is called has weights of its own."""
  return context.method_name == '__call__' and (
      'kernel' in context.module.variables.get('params', {}))


def _vector(context, args):
  """The input [B, n] of a layer with weights of its own; None of all else."""
  x = args[0] if args and _has_kernel(context) else None
  return x if getattr(x, 'ndim', 0) == 2 else None


def _probes(size, like):
  """Each unit vector, and 0, as inputs beside `like`, [size + 1, inputs]."""
  return jnp.eye(size + 1, like.shape[1], dtype=like.dtype).at[size].set(0)


def _columns(y):
  """What an affine layer makes of `_probes` -> its weights, [outputs, size]."""
  y = y.reshape(len(y), -1).astype(jnp.float32)
  return (y[:-1] - y[-1]).T
