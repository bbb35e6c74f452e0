"""What D and G minimize.

  D: loss.d(D(x), D(G(z))) + drift + classifier + penalty + weight penalty
  G: loss.g(D(x), D(G(z))) + classifier + penalty of G + weight penalty

Here x is real, and every picture is augmented before D sees it. Functions are
of one part of a batch, and pure: a pass gives back the statistics (moments of
batch norm, vectors of spectral norms) that it leaves.
"""
from typing import Any

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import passes
from msg_gan_jax.gan.context import StepContext
from msg_gan_jax.gan.objectives import losses
from msg_gan_jax.gan.objectives.penalties import Penalty
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import Condition, Player, Tree

Logs = dict[str, jax.Array]

# The logs of a step in the order in which they are computed, with those of
# `updates`. If several are not finite, the first of them is the culprit.
TERMS = ('d_real', 'd_fake', 'd_loss', 'drift', 'penalty', 'd_grad_norm',
         'g_loss', 'g_grad_norm')


def of_d(context: StepContext, penalty: Penalty | None, stats: Tree,
         params: Tree, real: Pyramid, fake: Pyramid, condition: Condition,
         key: jax.Array) -> tuple[jax.Array, tuple[Logs, Tree]]:
  """What D minimizes: (total, (its terms, D's statistics)).

  Args:
    context: of the step.
    penalty: the one that is due in this update, or None.
    stats, params: D's.
    real, fake: pyramids, level i [B, h_i, w_i, C].
    condition: what both players are told.
    key: of everything drawn at random.
  """
  components, settings = context.components, context.components.config.objective
  every_pass = components.every_pass
  real_key = fake_key = key  # Not used without an augmentation.
  if components.augment:
    key, noise_key = jax.random.split(key)
    real_key, fake_key = jax.random.split(noise_key)
  keys = jax.random.split(jax.random.fold_in(key, 0), 3)

  d_real, stats = context.run_d(
      params, stats, context.augment(real, real_key), condition, keys[0], True)
  context.look('logits', 'd', {'of reals': d_real.logits})
  d_fake, stats = context.run_d(
      params, stats, context.augment(fake, fake_key), condition, keys[1],
      every_pass)
  context.look('logits', 'd', {'of fakes': d_fake.logits})
  total = components.loss.d(d_real, d_fake)
  logs = {'d_loss': total, 'd_real': d_real.logits.mean(),
          'd_fake': d_fake.logits.mean()}
  if settings.augment_target:
    logs['d_sign'] = jnp.sign(d_real.logits).mean()
  if settings.drift:
    logs['drift'] = losses.drift(d_real)
    total += settings.drift * logs['drift']
  if d_real.classes is not None:
    logs['d_classes'] = losses.classification(d_real, condition.labels)
    if settings.classify_fakes:
      logs['d_classes'] += losses.classification(d_fake, condition.labels)
    total += settings.d_classes_weight * logs['d_classes']

  if penalty:
    # The penalty asks for a slope of 1; that of logits / target is 1 where
    # D's is the target. Pictures are those before they are augmented, as in
    # StyleGAN2-ADA and in DiffAugment.
    def scaled_d(images, stats=stats):
      verdict, _ = context.run_d(
          params, stats, context.augment(images, real_key), condition, keys[2],
          every_pass)
      return verdict.logits / settings.penalty_target

    if every_pass and stats:
      # The same power iterations, kept; XLA drops the rest of this pass.
      _, stats = context.run_d(
          params, stats, context.augment(real, real_key), condition, keys[2],
          True)
    logs['penalty'] = penalty.values(scaled_d, real, fake, key).mean()
    total += logs['penalty'] * (
        context.hyper['penalty_weight'] * settings.penalty_every_d_steps)
  cost, cost_logs = weight_cost(context, 'd', params)
  logs |= cost_logs
  context.look('term', 'd', logs | {'d_total': total + cost})
  return total + cost, (logs, stats)


def of_g(context: StepContext, d: Player, fake: Pyramid, real: Pyramid,
         condition: Condition,
         key: jax.Array) -> tuple[jax.Array, tuple[Logs, Tree]]:
  """What G minimizes by its fakes: (total, (its terms, D's statistics)).

  Args:
    context: of the step.
    d: the D that judges them.
    fake: pyramid of train.g_batches * B pictures.
    real: pyramid of B pictures.
    condition: what both players are told about the reals.
    key: of everything drawn at random.
  """
  components, settings = context.components, context.components.config.objective
  for_fakes = context.for_fakes_of_g(condition)
  real_key, fake_key = jax.random.split(key)
  keys = jax.random.split(jax.random.fold_in(key, 0))

  d_fake, stats = context.run_d(
      d.params, d.stats, context.augment(fake, fake_key), for_fakes, keys[0],
      components.every_pass)
  # XLA drops D(real) by itself where loss.g does not look at it.
  d_real, _ = context.run_d(
      d.params, d.stats, context.augment(real, real_key), condition, keys[1],
      False)
  total = components.loss.g(d_real, d_fake)
  context.look('logits', 'g', {'of fakes': d_fake.logits})
  logs = {'g_loss': total}
  if d_fake.classes is not None:
    logs['g_classes'] = losses.classification(d_fake, for_fakes.labels)
    total += settings.g_classes_weight * logs['g_classes']
  context.look('term', 'g', logs | {'g_total': total})
  return total, (logs, stats)


def of_g_itself(context: StepContext, params: Tree, stats: Tree, size: int,
                condition: Condition,
                key: jax.Array) -> tuple[jax.Array | float, Logs]:
  """What G pays whatever D says: (weighted cost, its terms).

  Args:
    context: of the step.
    params, stats: G's.
    size: of the batch.
    condition: what both players are told.
    key: of everything drawn at random.
  """
  components, settings = context.components, context.components.config.objective
  cost, logs = weight_cost(context, 'g', params)
  context.look('term', 'g', logs)
  penalty = components.g_penalty if context.phase.penalize_g else None
  if not penalty:
    return cost, logs
  z_key, map_key, draw_key, key = jax.random.split(
      jax.random.fold_in(key, 2), 4)
  n = max(1, size // settings.g_penalty_shrink)
  condition = jax.tree.map(lambda x: x[:n], condition)

  def run(method: str, inputs: jax.Array, key: jax.Array) -> Any:
    return context.players.g.apply(
        passes.variables(params, stats), inputs, condition, True,
        rngs=passes.rngs(key), method=method)

  w = run('map', context.latents(z_key, n), map_key)
  values, lengths, mean = penalty.values(
      lambda w: run('synthesize', w, draw_key)[-1], w, context.path_mean, key)
  logs |= {'g_penalty': values.mean(), 'path_length': lengths.mean(),
           'path_mean': mean}
  context.look('term', 'g', logs)
  return cost + logs['g_penalty'] * (
      context.hyper['g_penalty_weight'] * settings.g_penalty_every_g_steps
  ), logs


def weight_cost(context: StepContext, player: str,
                params: Tree) -> tuple[jax.Array | float, Logs]:
  """(weighted penalty of the weights of 'g' or 'd', its unweighted log)."""
  penalty = context.components.weight_penalties[player]
  if not penalty:
    return 0., {}
  name, cost = f'{player}_weight_penalty', penalty(params)
  return context.hyper[f'{name}_weight'] * cost, {name: cost}
