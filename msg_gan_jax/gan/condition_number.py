"""How unevenly G stretches its latents, at each level of its pyramid.

The metric of a level is M = J^T J [latent, latent], of its Jacobian J =
dG(z) / dz: dz^T M dz is how far the picture moves with z. It is summed up in
float64, where the squares of what float32 can tell apart are still apart.
"""
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from msg_gan_jax.gan import passes, schedules
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.context import context_of, part_of
from msg_gan_jax.gan.dynamics import first_of
from msg_gan_jax.gan.networks import norms
from msg_gan_jax.gan.state import RealBatch, State

# vectors [n, latent] -> (z [latent], their products with J): see `products`.
Jacobian = Callable[[np.ndarray], tuple[jax.Array, tuple[jax.Array, ...]]]

JACOBIAN_BYTES = 1e9  # Of the Jacobian, on the host; larger ones come in parts.
BLOCK = 2**12         # Numbers of a row that are float64 at a time.
# Of float32: singular values below it, beside the largest, are rounding.
EPSILON = float(np.finfo(np.float32).eps)


def why_none(components: Components) -> str:
  """Why G has no Jacobian of one picture by its z; '' where it has."""
  networks = components.config.networks
  if networks.statistics == 'batch' and norms.sees_batch(networks.g_norm):
    return ("config.networks.statistics = 'batch': a picture depends on the "
            'other latents of its batch')
  return ''


def is_on_sphere(components: Components) -> bool:
  """Whether z is drawn on a sphere, or put there by a mapping network."""
  return (components.config.networks.latent_law == 'sphere'
          or components.players.mapped)


def products(
    components: Components, state: State, batch: RealBatch, key: jax.Array,
    vectors: jax.Array, phase: schedules.Phase,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  """(z [latent], J v [n, pixels] of each level) of one picture and n vectors.

  The picture is as samples are, with G's statistics and fixed noise, at every
  size that G draws, coarse to fine; all share one pass. z is drawn, and what
  else G is told is told of the batch's first picture.

  Args:
    components, state, batch, key, phase: of dynamics.gradients.
    vectors: [n, latent]: v, directions of z.
  """
  context = context_of(components, phase, state)
  g = part_of(state.g, context.part)
  _, condition = first_of(context, batch, key)
  z = context.latents(key, 1)[0]

  def run(z):
    images: Any = context.players.g.apply(
        passes.variables(g.params, g.stats),
        components.with_labels('g', z[None], condition), condition)
    return tuple(x.ravel() for x in images)

  # J is the transpose of J^T: convolutions of a CPU have no forward mode.
  out, pull = jax.vjp(run, z)
  _, push = jax.vjp(lambda y: pull(y)[0], out)
  return z, jax.vmap(lambda v: push(v)[0])(vectors)


def log_conditions(jacobian: Jacobian, latent: int, at_once: int,
                   on_sphere: bool) -> list[float]:
  """`log_condition` of each level, coarse to fine.

  It takes no more memory than `at_once` pictures do in a step, on the device,
  and JACOBIAN_BYTES on the host: where the Jacobian is larger it is computed
  once for each part of its pixels.

  Args:
    jacobian: `products` at one point, compiled.
    latent: numbers of z.
    at_once: how many of them it is given at a time.
    on_sphere: see `is_on_sphere`.
  """
  at_once = min(at_once, latent)
  vectors = np.eye(-(-latent // at_once) * at_once, latent, dtype=np.float32)
  _, levels = jax.eval_shape(jacobian, vectors[:at_once])
  pixels = [x.shape[1] for x in levels]
  ends = np.cumsum(pixels)
  metrics = [np.zeros((latent, latent)) for _ in pixels]
  width = max(1, int(JACOBIAN_BYTES / (4 * latent)))
  for low in range(0, ends[-1], width):
    rows = np.empty((len(vectors), min(width, ends[-1] - low)), np.float32)
    for i in range(0, len(vectors), at_once):
      z, of_levels = jacobian(vectors[i:i + at_once])
      rows[i:i + at_once] = np.concatenate(of_levels, 1)[:, low:low + width]
    for metric, part in zip(metrics, np.split(
        rows[:latent], np.clip(ends[:-1] - low, 0, rows.shape[1]), 1),
                            strict=True):
      for j in range(0, part.shape[1], BLOCK):
        block = part[:, j:j + BLOCK].astype(np.float64)
        metric += block @ block.T
  return [log_condition(metric, count, z, on_sphere)
          for metric, count in zip(metrics, pixels, strict=True)]


def log_condition(metric: np.ndarray, pixels: int, z: jax.Array | np.ndarray,
                  on_sphere: bool) -> float:
  """ln of the condition number of the metric M = J^T J, largest over smallest.

  Numbers of z on which nothing depends, as those of LAPGAN's other levels, are
  left out, and of more latents than pixels only as many eigenvalues count as
  there are pixels. Where z lies on a sphere the direction of z itself, which
  leaves it, is left out: nothing may change along it. Below EPSILON^2 of the
  largest an eigenvalue is rounding, and counts as that: no more than 31.9 is
  ever said.

  Args:
    metric: float64 [latent, latent].
    pixels: numbers of the picture, over which it is a sum.
    z: [latent].
    on_sphere: see `is_on_sphere`.

  Source: Odena et al. 2018 (arXiv:1802.08768), sec. 2: its mean over z is their
  mean log-condition number.
  """
  if on_sphere:
    unit = np.asarray(z, np.float64) / np.linalg.norm(z)
    tangent = np.eye(len(unit)) - np.outer(unit, unit)
    metric = tangent @ metric @ tangent
  else:
    used = np.diag(metric) > 0
    metric = metric[np.ix_(used, used)]
  count = min(pixels, len(metric) - on_sphere)
  values = np.linalg.eigvalsh(metric)[::-1][:max(0, count)]
  if not len(values) or values[0] <= 0:
    return float('nan')
  return float(np.log(values[0] / max(values[-1], EPSILON**2 * values[0])))
