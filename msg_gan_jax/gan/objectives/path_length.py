"""G_PENALTIES: what G pays for how its images answer to w."""
from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp

from msg_gan_jax.config import tables

# The running mean of lengths moves by this share towards each new one.
DECAY = .01


class GPenaltyFunction(Protocol):
  """What G pays for its images as a function of w."""

  def __call__(self, images_of: Callable[[jax.Array], jax.Array], w: jax.Array,
               mean: jax.Array, key: jax.Array, /
               ) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Arguments and results are those of `path_length`."""


class GPenalty(NamedTuple):
  """A row of G_PENALTIES.

  Attributes:
    values: (images_of, w, mean, key) -> (values, lengths, new mean).
    separable: whether sample i does not depend on the others, so that a batch
      may be computed in parts.
  """
  values: GPenaltyFunction
  separable: bool = True


def path_length(
    images_of: Callable[[jax.Array], jax.Array], w: jax.Array, mean: jax.Array,
    key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
  """(|J^T y| - a)^2: a step in w should move the image equally everywhere.

  J is the Jacobian of the finest image by w, y is noise. J^T y is the gradient
  of the sum of image times noise; the root of its squares, summed over w and
  averaged over layers, is the length of a sample, and `a` their running mean.

  Args:
    images_of: w -> images [B, H, W, C] of the finest level; sample i may
      depend on w[i] only.
    w: [B, layers, w_dim].
    mean: a, a scalar; 0 at the start.
    key: of y, N(0, 1) / sqrt(H W) a value, so that lengths do not depend on
      the resolution.

  Returns:
    (values [B], lengths [B], the new mean). Values are distances to the new
    mean, which has no gradient: it is a constant in the paper, while its
    authors' code lets a hundredth of the gradient through. A length of 0 has
    gradient 0.

  Source: Karras et al. 2020 (arXiv:1912.04958), sec. 3.2, eq. 4 and appendix
  B. In its code the weight is 2, and every 4th update of G asks for it, with
  half of a batch; the running mean of w moves in these passes too, here not.
  """
  def moved(w):
    images = images_of(w)
    height, width = images.shape[1:3]
    y = jax.random.normal(key, images.shape) / (height * width)**.5
    return (images * y).sum()

  squares = (jax.grad(moved)(w)**2).sum(-1).mean(-1)
  # The root alone has an infinite gradient at 0, which is NaN times 0.
  lengths = jnp.where(
      squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.)), 0.)
  mean = jax.lax.stop_gradient(mean + DECAY * (lengths.mean() - mean))
  return (lengths - mean)**2, lengths, mean


# None lets G go where it wants.
G_PENALTIES: tables.Table[GPenalty | None] = tables.Table(
    'config.objective.g_penalty', 'G penalty', {
        'none': None,
        'path_length': GPenalty(path_length, separable=False),
    })
