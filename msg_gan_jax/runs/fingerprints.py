"""Fingerprints of arrays: equal for equal bits, wherever the arrays lie."""
from collections.abc import Mapping, Sequence
import functools
import hashlib
import json
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated


def fingerprint(tree: Any) -> str:
  """A hex digest of names, shapes, types and bits of every leaf of a tree.

  It is equal for equal bits, under any sharding and number of devices. NaNs
  and signed zeros count by their bits.
  """
  return digest(describe(named(tree, 'fingerprint')))


def digest(about: Mapping[str, list]) -> str:
  """A hex digest of what `describe` says of named arrays."""
  text = json.dumps(about, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:16]


def named(tree: Any, place: str) -> dict[str, Any]:
  """{'g.params.conv.kernel': leaf} in the tree's order.

  Args:
    tree: of jax.Array or jax.ShapeDtypeStruct.
    place: what errors begin with.

  Raises:
    ValueError: a leaf that is not an array, or two of one name.
  """
  leaves: dict[str, Any] = {}
  for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
    name = jax.tree_util.keystr(path, simple=True, separator='.') or 'array'
    if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
      raise ValueError(
          f'{place}: {name!r} is {type(leaf).__name__} {leaf!r:.60}; wanted '
          'jax arrays only.')
    if name in leaves:
      raise ValueError(f'{place}: two leaves are called {name!r}.')
    leaves[name] = leaf
  return leaves


def describe(leaves: Mapping[str, jax.Array]) -> dict[str, list]:
  """{name: [dtype, shape, fingerprint as hex]} of named arrays."""
  sums = _fingerprints(leaves)
  return {name: [str(x.dtype), list(x.shape), f'{sums[name]:08x}']
          for name, x in leaves.items()}


def _fingerprints(leaves):
  """{name: uint32}, computed where the arrays are, in one program."""
  groups: dict[frozenset, list[str]] = {}
  # One program cannot read arrays that lie on other devices.
  for name, x in leaves.items():
    groups.setdefault(frozenset(x.sharding.device_set), []).append(name)
  sums: dict[str, int] = {}
  for names in groups.values():
    arrays = [leaves[name] for name in names]
    meshes: list[Any] = [
        x.sharding.mesh for x in arrays
        if isinstance(x.sharding, jax.sharding.NamedSharding)]
    # Replicated, so that every process can read it.
    out = replicated(meshes[0]) if meshes else None
    values = np.asarray(_summing(out)(arrays))
    sums.update(zip(names, values.tolist(), strict=True))
  return sums


@functools.lru_cache(maxsize=8)
def _summing(out):
  return jit(lambda arrays: jnp.stack([_sum(x) for x in arrays]),
                 out_shardings=out)


@jit  # So that equal shapes are traced once.
def _sum(x):
  """uint32 that changes with any one word: sum of mix(word_i + i * odd).

  `mix` is a bijection of the words, so a change of one word changes its term
  and hence the sum; changes of several words escape with probability 2**-32.
  (Weighted sums without `mix` cannot tell many a constant array from zeros.)
  Integer sums do not depend on order: any sharding gives the same bits. A
  word is an element, or half of an element of 8 bytes.

  Source of `mix`: the finalizer of MurmurHash3; every step is invertible.
  """
  if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
    x = jax.random.key_data(x)
  if jnp.issubdtype(x.dtype, jnp.complexfloating):
    x = jnp.stack([x.real, x.imag], -1)
  if x.dtype == bool:
    x = x.astype(jnp.uint8)
  word = {1: jnp.uint8, 2: jnp.uint16}.get(x.dtype.itemsize, jnp.uint32)
  words = lax.bitcast_convert_type(x, word).astype(jnp.uint32)
  # Counted by axes: a reshape to one axis would gather a sharded array.
  index, stride = jnp.zeros(words.shape, jnp.uint32), 1
  for axis in reversed(range(words.ndim)):
    along = lax.broadcasted_iota(jnp.uint32, words.shape, axis)
    index += along * jnp.uint32(stride % 2**32)
    stride *= words.shape[axis]
  h = words + (index + 1) * jnp.uint32(0x9e3779b9)
  for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35)):
    h = (h ^ (h >> shift)) * jnp.uint32(factor)
  return jnp.sum(h ^ (h >> 16), dtype=jnp.uint32)


def kind(dtype: Any, shape: Sequence[int]) -> str:
  """A type and a shape as text, such as 'float32[3, 4]'."""
  return f'{dtype}[{", ".join(str(n) for n in shape)}]'
