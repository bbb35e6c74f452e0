"""Layers of a network as linear maps, and how strong they are.

A layer is a linen module with a kernel of its own that is given features: its
map is the derivative of what it returns by its first argument (by all of them,
where it takes any number, side by side). So stride, padding and upsampling are
in it, and the weight is the one that is used: equalized, normed or modulated.
Of a module that does more than a linear map, such as a rectifier of its own,
it is the derivative at what the module has seen. A module may have a method
`linear` for its linear part, which then stands for it.

A tensor that features are multiplied by, number by number, is no layer: the
learned constants of StyleGAN, the basis of R3GAN.
"""
import inspect
from typing import Any, NamedTuple

from flax import linen as nn
import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import krylov
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import passes
from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.state import Condition, Tree

TOLERANCE = 1e-4  # Of a spectral norm, relative.
DENSE = 256       # Numbers up to which a layer's matrix is written out.
PROBES = 16       # Vectors of random signs, for the sum of all squares.
_SEEN = 'seen'    # The collection that what a layer sees is kept in.


class Layer(NamedTuple):
  """A layer, found by `find`.

  Attributes:
    name: where its parameters are, such as 'block_8_conv_1'.
    module: without a place of its own in any network.
    method: '__call__' or 'linear'.
    many: whether all arguments are features, or the first one.
  """
  name: str
  module: nn.Module
  method: str
  many: bool


class Strength(NamedTuple):
  """What a layer can do to a vector.

  Attributes:
    spectral_norm: |A|_2, the largest singular value.
    stable_rank: |A|_F^2 / |A|_2^2, from 1 to the rank; nan of the map 0.
    norm_error: relative; a singular value lies so near the norm.
    rank_error: standard error of the stable rank, relative; 0 where all of the
      matrix was seen.
  """
  spectral_norm: float
  stable_rank: float
  norm_error: float
  rank_error: float


def find(module: nn.Module, params: Tree, stats: Tree, entering: Any,
         condition: Condition) -> list[Layer]:
  """The layers that a pass in training calls, in their order.

  Args:
    module, params, stats: the network; shapes are enough.
    entering, condition: what it is given: z or a pyramid, of one picture.
  """
  found: dict[str, Layer] = {}
  jax.eval_shape(lambda *trees: _watched(module, found, *trees),
                 params, stats, entering, condition)
  return [*found.values()]


def _watched(module, found, params, stats, entering, condition):
  """{name: arguments of a layer} of a pass, which fills `found` as well."""
  def watch(call, args, kwargs, context):
    layer = _layer(context, args)
    if layer and layer.name not in found:
      found[layer.name] = layer
      # By flax's own means, so that it also comes out of a remat.
      context.module.sow(_SEEN, layer.method, args)
    return call(*args, **kwargs)

  with nn.intercept_methods(watch):
    _, kept = module.apply(
        passes.variables(params, stats), entering, condition, True,
        rngs=passes.rngs(jax.random.key(0)), mutable=[_SEEN])
  seen = kept.get(_SEEN, {})
  return {name: _at(seen, name)[layer.method][0]
          for name, layer in found.items()}


def _layer(context, args):
  """The Layer that is being called, or None."""
  module, method = context.module, context.method_name
  if method != ('linear' if hasattr(module, 'linear') else '__call__'):
    return None
  if not (args and _are_features(args[0]) and module.scope
          and module.has_variable('params', 'kernel')):
    return None
  signature = inspect.signature(context.orig_method)
  many = any(x.kind == inspect.Parameter.VAR_POSITIONAL
             for x in signature.parameters.values())
  return Layer('/'.join(module.path), module.clone(parent=None), method, many)


def _are_features(x):
  return all(jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
             for leaf in jax.tree.leaves(x)) and bool(jax.tree.leaves(x))


def _at(tree, name):
  """The subtree of a module; {} where it has none."""
  for part in name.split('/') if name else ():
    tree = tree.get(part, {})
  return tree


def _carried_out(x):
  """Features, of what a layer after it would compute too."""
  return layers.concat([x]) if isinstance(x, layers.LazyConv1x1) else x


class Operator:
  """A layer as a linear map A between vectors, compiled once.

  Args:
    layer: of `find`.
    params, stats: of the whole network, or their shapes.
    seen: the layer's own arguments, or their shapes.

  Attributes:
    layer: that.
    shape: (numbers out, numbers in).
  """

  def __init__(self, layer: Layer, params: Tree, stats: Tree,
               seen: tuple[Any, ...]):
    self.layer = layer
    ends = jax.eval_shape(self._ends, params, stats, seen)
    self.shape = ends[1].size, ends[0].size
    self._matrix = jit(self._gram_matrix)
    self._advance = jit(lambda arrays, *recurrent: krylov.recurrence(
        self._gram(arrays))(*recurrent))

  def strength(self, params: Tree, stats: Tree,
               seen: tuple[Any, ...]) -> Strength:
    """How strong the layer is now; arguments as of the class.

    Where one side has up to DENSE numbers, by all of its matrix. Elsewhere the
    norm is Lanczos', to TOLERANCE, and the squares are those of PROBES vectors
    s of random signs: E |A s|^2 = |A|_F^2, with a relative standard error of at
    most sqrt(2 / (PROBES * stable rank)).

    Source: Hutchinson 1990 (the trace of A^T A).
    """
    arrays = params, stats, seen
    n = min(self.shape)
    if n <= DENSE:
      squares = np.linalg.eigvalsh(
          np.asarray(self._matrix(arrays), np.float64))
      top = max(0., float(squares[-1]))
      rank = float(squares.sum()) / top if top else np.nan
      return Strength(top**.5, rank, 0., 0.)

    def advance(*recurrent):
      return self._advance(arrays, *recurrent)

    # A tenth, for the largest of two that are almost equal shows last.
    found = krylov.largest(advance, n, TOLERANCE / 10)
    rng, zero = np.random.default_rng(1), np.zeros(n, np.float32)
    squares = n * np.array([float(advance(
        (rng.integers(0, 2, n) * 2 - 1).astype(np.float32) / np.float32(n**.5),
        zero, np.float32(0))[1]) for _ in range(PROBES)])
    mean = squares.mean()
    return Strength(
        found.value**.5, mean / found.value if found.value else np.nan,
        found.error / 2, squares.std(ddof=1) / max(mean, 1e-30) / PROBES**.5)

  def matrix(self, params: Tree, stats: Tree,
             seen: tuple[Any, ...]) -> np.ndarray:
    """A itself, float32 [numbers out, numbers in]: for small layers alone."""
    _, pull = self._pull(params, stats, seen)
    return np.asarray(jax.vmap(pull)(jnp.eye(self.shape[0])))

  def _ends(self, params, stats, seen):
    """(vector in, vector out): the layer at what it has seen."""
    x, function = self._function(params, stats, seen)
    return x, function(x)

  def _function(self, params, stats, seen):
    """(features as one vector, the layer as a function of such vectors)."""
    layer = self.layer
    own = passes.variables(_at(params, layer.name), _at(stats, layer.name))
    seen = tuple(map(_carried_out, seen))
    count = len(seen) if layer.many else 1
    x, back = ravel_pytree(jax.tree.map(
        lambda x: x.astype(jnp.float32), seen[:count]))

    def function(x):
      out = _carried_out(layer.module.apply(
          own, *back(x), *seen[count:], method=layer.method,
          rngs=passes.rngs(jax.random.key(0))))
      return ravel_pytree(out)[0]

    return x, function

  def _pull(self, params, stats, seen):
    """(A, A^T) as functions of vectors, by the reverse mode alone.

    Convolutions of a CPU have no forward mode: A is the transpose of A^T,
    which is linear.
    """
    x, function = self._function(params, stats, seen)
    out, pull = jax.vjp(function, x)
    return (lambda v: jax.vjp(lambda u: pull(u)[0], out)[1](v)[0],
            lambda u: pull(u)[0])

  def _gram(self, arrays):
    """A^T A, or A A^T where the output is smaller."""
    times, back = self._pull(*arrays)
    rows, columns = self.shape
    return (lambda u: times(back(u))) if rows < columns else (
        lambda v: back(times(v)))

  def _gram_matrix(self, arrays):
    return jax.vmap(self._gram(arrays))(jnp.eye(min(self.shape)))


class Layers:
  """All layers of a network as Operators; arguments as of `find`."""

  def __init__(self, module: nn.Module, params: Tree, stats: Tree,
               entering: Any, condition: Condition):
    def seen(*now):
      return _watched(module, {}, *now)

    shapes = jax.eval_shape(seen, params, stats, entering, condition)
    self._seen = jit(seen)
    self.operators = [
        Operator(layer, params, stats, shapes[layer.name])
        for layer in find(module, params, stats, entering, condition)]

  def of(self, params: Tree, stats: Tree, entering: Any, condition: Condition
         ) -> list[tuple[Operator, tuple[Tree, Tree, tuple[Any, ...]]]]:
    """Each Operator with the arguments of its methods, as the network is now.

    Args: as of `find`, arrays of the same shapes.
    """
    seen = self._seen(params, stats, entering, condition)
    return [(each, (params, stats, seen[each.layer.name]))
            for each in self.operators]
