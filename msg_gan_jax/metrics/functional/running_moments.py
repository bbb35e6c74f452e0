"""Moments of features that are summed on the device, batch by batch."""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.metrics.functional import frechet


class Sums(NamedTuple):
  """Running sums of rows about a shift, float32 on the device.

  A float32 sum of 10^6 terms loses three of its seven digits, so each sum has
  a second one for what its last addition rounded off.

  Attributes:
    n: int32 [], how many rows.
    shift: [d], subtracted from every row; near the mean, nothing cancels.
    total, total_rest: [d].
    outer, outer_rest: [d, d].
  """

  n: jax.Array
  shift: jax.Array
  total: jax.Array
  total_rest: jax.Array
  outer: jax.Array
  outer_rest: jax.Array


def start(shift: jax.Array) -> Sums:
  """Sums before any row is added.

  Args:
    shift: [d], near the rows' mean against their spread: any row will do, or
      zeros where the mean is not large.
  """
  shift = jnp.asarray(shift, jnp.float32)
  row = jnp.zeros_like(shift)
  square = jnp.zeros((len(shift), len(shift)), jnp.float32)
  return Sums(jnp.zeros((), jnp.int32), shift, row, row, square, square)


def add(sums: Sums, x: jax.Array, mask: jax.Array) -> Sums:
  """Sums with a batch more; can be jitted, and sharded over the batch.

  Args:
    sums: Sums; donate it, for a [2048, 2048] sum has 16 MB.
    x: [B, d].
    mask: bool [B]: rows where it is False, the filling of a last batch, do not
      count, whatever is in them.
  """
  x = jnp.where(mask[:, None], x.astype(jnp.float32) - sums.shift, 0)
  product = jnp.matmul(x.T, x, precision='highest')
  total, total_rest = _two_sum(sums.total, x.sum(0), sums.total_rest)
  outer, outer_rest = _two_sum(sums.outer, product, sums.outer_rest)
  return Sums(sums.n + mask.sum(dtype=jnp.int32), sums.shift, total,
              total_rest, outer, outer_rest)


def finish(sums: Sums) -> frechet.Moments:
  """frechet.Moments of Sums, in float64 on the host.

  Raises:
    ValueError: fewer than 2 rows, or a row that was not finite.
  """
  n = int(sums.n)
  if n < 2:
    raise ValueError(f'finish: wanted at least 2 rows, found {n}.')
  total, outer = (
      np.asarray(high, np.float64) + np.asarray(low, np.float64)
      for high, low in ((sums.total, sums.total_rest),
                        (sums.outer, sums.outer_rest)))
  if not np.isfinite(total).all() or not np.isfinite(outer).all():
    raise ValueError(
        f'finish: of {n} rows at least one has features that are not finite '
        'or whose squares overflow float32.')
  scatter = outer - np.outer(total, total) / n
  return frechet.Moments(n, np.asarray(sums.shift, np.float64) + total / n,
                 (scatter + scatter.T) / 2)


def _two_sum(high, new, rest):
  """high + new as float32, and `rest` plus what that rounded off."""
  total = high + new
  of_new = total - high
  return total, rest + ((high - (total - of_new)) + (new - of_new))
