"""Updates of D and of G: the gradient of an objective, and the optimizer."""
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from msg_gan_jax.config import schema
from msg_gan_jax.gan import objective
from msg_gan_jax.gan.context import StepContext
from msg_gan_jax.gan.objective import Logs
from msg_gan_jax.gan.objectives import adaptive
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import Condition, Player, Tree


def update_d(context: StepContext, d: Player, real: Pyramid, fake: Pyramid,
             condition: Condition, key: jax.Array,
             with_penalty: bool) -> tuple[Player, Logs]:
  """(D after one update, logs)."""
  components = context.components
  penalty = components.penalty if with_penalty else None

  def minimized(params, *samples):
    return objective.of_d(context, penalty, d.stats, params, *samples)

  gradients, (logs, stats) = gradient_in_parts(
      minimized, d.params, (real, fake, condition), key,
      components.config.train)
  d = _optimized(context, d.replace(stats=stats), gradients, 'd')
  if components.constraint:
    d = d.replace(
        params=components.constraint(d.params, context.hyper['clip']))
    context.look('parameter', 'd', d.params)
  return d, logs | {'d_grad_norm': optax.tree.norm(gradients)}


def update_g(context: StepContext, g: Player, d: Player, real: Pyramid,
             z: jax.Array, condition: Condition,
             key: jax.Array) -> tuple[Player, Tree, Logs]:
  """(G after an update by a pass of its own, D's statistics, logs).

  Args:
    context: of the step.
    g: the player to update.
    d: the D that judges the fakes.
    real: pyramid of B pictures.
    z: [train.g_batches * B, latent].
    condition: what both players are told about the reals.
    key: of everything drawn at random.
  """
  def minimized(params, real, z, condition, key):
    fake, g_stats = context.run_g(
        params, g.stats, z, context.for_fakes_of_g(condition),
        jax.random.fold_in(key, 1), context.components.every_pass)
    total, (logs, d_stats) = objective.of_g(
        context, d, fake, real, condition, key)
    cost, cost_logs = objective.of_g_itself(
        context, params, g.stats, len(real[0]), condition, key)
    return total + cost, (logs | cost_logs, d_stats, g_stats)

  gradients, (logs, d_stats, g_stats) = gradient_in_parts(
      minimized, g.params, (real, z, condition), key,
      context.components.config.train)
  return (_optimized(context, g.replace(stats=g_stats), gradients, 'g'),
          d_stats, logs | {'g_grad_norm': optax.tree.norm(gradients)})


def update_g_from_fakes(
    context: StepContext, g: Player, d: Player, real: Pyramid, fake: Pyramid,
    pull_back: Callable[[Pyramid], Tree], condition: Condition,
    key: jax.Array) -> tuple[Player, Tree, Logs]:
  """`update_g` without a pass: the fakes of D's update have been made by one.

  Args:
    context, g, d, real, condition, key: as of `update_g`.
    fake: those fakes, a pyramid of B pictures.
    pull_back: gradient by the fakes -> gradient by G's parameters.
  """
  by_fake, (logs, d_stats) = jax.grad(
      lambda fake: objective.of_g(context, d, fake, real, condition, key),
      has_aux=True)(fake)
  by_weights, cost_logs = jax.grad(
      lambda params: objective.of_g_itself(
          context, params, g.stats, len(real[0]), condition, key),
      has_aux=True)(g.params)
  gradients = jax.tree.map(jnp.add, pull_back(by_fake), by_weights)
  return (_optimized(context, g, gradients, 'g'), d_stats,
          logs | cost_logs | {'g_grad_norm': optax.tree.norm(gradients)})


def adapt_augmentation(context: StepContext, aux: dict[str, Any],
                       logs: Logs) -> dict[str, Any]:
  """State.aux after an update of D: the signs of D(real) move the strength.

  Source: Karras et al. 2020 (arXiv:2006.06676), sec. 3.1: every fourth batch.
  """
  settings = context.components.config.objective
  if not settings.augment_target:
    return aux
  batch = context.phase.batch
  observed = adaptive.observe(aux['augment'], logs['d_sign'], batch)
  adjusted = adaptive.adjust(
      observed, settings.augment_target, settings.augment_speed_images,
      settings.augment_most)
  due = observed['count'] >= adaptive.BATCHES * batch
  return aux | {'augment': jax.tree.map(
      lambda old, new: jnp.where(due, new, old), observed, adjusted)}


def _optimized(context, player, gradients, name):
  """A player, 'g' or 'd', after a step of the optimizer, at its rate."""
  hyper, components = context.hyper, context.components
  context.look('statistics', name, player.stats)
  context.look('gradient', name, gradients)
  direction, opt = components.optimizer(
      hyper['beta1'], hyper['beta2'],
      components.config.optimizer.epsilon).update(gradients, player.opt)
  size = hyper[f'{name}_rate'] * context.rate_scale
  params = jax.tree.map(lambda p, u: p - size * u, player.params, direction)
  context.look('optimizer', name, opt)
  context.look('parameter', name, params)
  return player.replace(params=params, opt=opt)


def gradient_in_parts(
    function: Callable[..., tuple[jax.Array, Any]], params: Tree,
    samples: tuple[Any, ...], key: jax.Array,
    train: schema.Train) -> tuple[Tree, Any]:
  """(gradient by params, aux) of a function, the batch computed in parts.

  Args:
    function: (params, *samples, key) -> (loss, aux), a mean over samples.
    params: what the gradient is by.
    samples: trees of arrays [B, ...].
    key: of the whole batch; each part has one of its own.
    train: `accumulate` is the number of parts.

  Returns:
    The means over the parts. Part j has the samples i with i mod accumulate =
    j, which keeps the groups of the minibatch standard deviation whole: group m
    has the samples i with i mod (B / group) = m.
  """
  gradient = jax.grad(function, has_aux=True)
  parts = train.accumulate
  if parts == 1:
    return gradient(params, *samples, key)

  def split(x):
    return x.reshape(-1, parts, *x.shape[1:]).swapaxes(0, 1)

  def add(total, part):
    samples, key = part
    return jax.tree.map(
        lambda a, b: a + b / parts, total, gradient(params, *samples, key)
    ), None

  split_samples = jax.tree.map(split, samples)
  keys = jax.random.split(key, parts)
  first = jax.tree.map(lambda x: x[0], (split_samples, keys))
  shapes = jax.eval_shape(gradient, params, *first[0], first[1])
  zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
  # On CPU a convolution's gradient inside a loop is tens of times slower.
  total, _ = jax.lax.scan(
      add, zeros, (split_samples, keys),
      unroll=jax.default_backend() == 'cpu')
  return total
