"""Updates of D and of G: what each minimizes, and a step of its optimizer."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from msg_gan_jax.config import schema
from msg_gan_jax.gan import schedules
from msg_gan_jax.gan.networks.table import (
  D_CONDITIONS,
  G_CONDITIONS,
  Players,
  told,
)
from msg_gan_jax.gan.objectives import adaptive, losses
from msg_gan_jax.gan.objectives.losses import Loss
from msg_gan_jax.gan.objectives.path_length import GPenalty
from msg_gan_jax.gan.objectives.penalties import Penalty

# Laws of z: (key, shape) -> z.
LATENTS = {
    'normal': jax.random.normal,
    'sphere': lambda key, shape: _on_sphere(jax.random.normal(key, shape)),
    'uniform': lambda key, shape: jax.random.uniform(
        key, shape, minval=-1., maxval=1.),
}


class Rows(NamedTuple):
  """What a Config names, and the Config; None where it names nothing.

  Attributes:
    config: Config.
    players: Players.
    loss, penalty, g_penalty: rows of LOSSES, PENALTIES and G_PENALTIES.
    augment, constraint: rows of AUGMENTATIONS and CONSTRAINTS.
    weight_penalties: {'g', 'd'}, rows of WEIGHT_PENALTIES.
    rule: (beta1, beta2, epsilon) -> optax rule, a row of OPTIMIZERS.
    growth: schedules.Growth, or None.
  """
  config: schema.Config
  players: Players
  loss: Loss
  penalty: Penalty | None
  g_penalty: GPenalty | None
  augment: Callable | None
  constraint: Callable | None
  weight_penalties: dict[str, Callable | None]
  rule: Callable
  growth: schedules.Growth | None

  @property
  def every_pass(self):
    """Whether each pass in training may change statistics, or the first."""
    return self.config.networks.power_update == 'pass'


class Turn(NamedTuple):
  """What the updates of one step have in common.

  Attributes:
    rows: Rows.
    level: Players in training.
    phase: schedules.Phase.
    hyper: of State, moved as the settings' schedule has it.
    strength: of the augmentation.
    scale: what the rates are multiplied by.
    alpha: how far the finest level has faded in, or None.
    path_mean: what G's penalty remembers, or None.
    split: the sharding of latents, or None; without one each device would draw
      the pictures of all.
  """
  rows: Rows
  level: Players
  phase: schedules.Phase
  hyper: dict
  strength: Any
  scale: Any
  alpha: Any
  path_mean: Any
  split: Any = None

  def latents(self, key, n):
    """z [n, latent] for this step."""
    z = draw(self.rows, key, n)
    return z if self.split is None else jax.lax.with_sharding_constraint(
        z, self.split)


def draw(rows, key, n):
  """z [n, latent], of the law of the settings."""
  networks = rows.config.networks
  return LATENTS[networks.latent_law](key, (n, networks.latent))


def _on_sphere(z):
  norm = jnp.linalg.norm(z, axis=-1, keepdims=True)
  return z * (z.shape[-1]**.5 / norm)


def tell(rows, player, inputs, condition):
  """What 'g' or 'd' is given: labels beside its inputs, if they go there."""
  networks = rows.config.networks
  row = (G_CONDITIONS[networks.g_condition] if player == 'g' else
         D_CONDITIONS[networks.d_condition])
  return told(row, inputs, condition.labels, networks.classes)


def variables(params, stats):
  """Of a linen module."""
  return {'params': params, 'stats': stats}


def rngs(key):
  """The keys of a pass: of what D forgets, of G's noise and mixed styles."""
  return {'dropout': key, 'noise': jax.random.fold_in(key, 0),
          'mixing': jax.random.fold_in(key, 1)}


def _pass(module, params, stats, inputs, condition, key, keeps):
  """(output, statistics) of a pass in training.

  Args:
    module, params, stats: of a player.
    inputs, condition: what it sees.
    key: of what is drawn in it.
    keeps: whether the pass may change the statistics.
  """
  given = variables(params, stats), inputs, condition, True
  if not keeps:
    return module.apply(*given, rngs=rngs(key)), stats
  out, new = module.apply(*given, rngs=rngs(key), mutable=['stats'])
  return out, new.get('stats', {})


def make(turn, params, stats, z, condition, key, keeps):
  """(pyramid, G's statistics), a pass in training."""
  return _pass(turn.level.g, params, stats,
               tell(turn.rows, 'g', z, condition), condition, key, keeps)


def _judge(turn, params, stats, images, condition, key, keeps):
  """(Verdict, D's statistics), a pass in training."""
  return _pass(turn.level.d, params, stats,
               tell(turn.rows, 'd', images, condition), condition, key, keeps)


def _augment(turn, images, key):
  """What D is shown of pictures."""
  if not turn.rows.augment:
    return images
  return turn.rows.augment(images, key, turn.strength)


def _weigh(turn, player, params):
  """(weighted cost of a player's weights, its logs)."""
  penalty, name = turn.rows.weight_penalties[player], f'{player}_weight_penalty'
  if not penalty:
    return 0., {}
  cost = penalty(params)
  return turn.hyper[f'{name}_weight'] * cost, {name: cost}


def _d_objective(turn, with_penalty, stats, params, real, fake, condition, key):
  """What D minimizes on one part of a batch; (total, (its terms, stats))."""
  rows, objective = turn.rows, turn.rows.config.objective
  if rows.augment:
    key, noise_key = jax.random.split(key)
    real_key, fake_key = jax.random.split(noise_key)
  else:
    real_key = fake_key = None
  keys = jax.random.split(jax.random.fold_in(key, 0), 3)
  seen, stats = _judge(turn, params, stats, _augment(turn, real, real_key),
                       condition, keys[0], True)
  said, stats = _judge(turn, params, stats, _augment(turn, fake, fake_key),
                       condition, keys[1], rows.every_pass)
  total = rows.loss.d(seen, said)
  logs = {'d_loss': total, 'd_real': seen.logits.mean(),
          'd_fake': said.logits.mean()}
  if objective.augment_target:
    logs['d_sign'] = jnp.sign(seen.logits).mean()
  if objective.drift:
    logs['drift'] = losses.drift(seen)
    total += objective.drift * logs['drift']
  if seen.classes is not None:
    logs['d_classes'] = losses.classification(seen, condition.labels)
    if objective.classify_fakes:
      logs['d_classes'] += losses.classification(said, condition.labels)
    total += objective.d_classes_weight * logs['d_classes']
  if with_penalty:
    # A slope of `target` becomes one of 1. It is that of the pictures before
    # they are augmented, as in StyleGAN2-ADA and in DiffAugment.
    def scaled(images, stats=stats):
      verdict, _ = _judge(
          turn, params, stats, _augment(turn, images, real_key), condition,
          keys[2], rows.every_pass)
      return verdict.logits / objective.penalty_target

    if rows.every_pass and stats:
      # The same power iterations, kept; XLA drops the rest of this pass.
      _, stats = _judge(turn, params, stats, _augment(turn, real, real_key),
                        condition, keys[2], True)
    logs['penalty'] = rows.penalty.values(scaled, real, fake, key).mean()
    total += logs['penalty'] * (
        turn.hyper['penalty_weight'] * objective.penalty_every_d_steps)
  cost, cost_logs = _weigh(turn, 'd', params)
  return total + cost, (logs | cost_logs, stats)


def update_d(turn, d, real, fake, condition, key, with_penalty):
  """(D after one update, logs)."""
  def objective(params, *samples):
    return _d_objective(turn, with_penalty, d.stats, params, *samples)

  gradients, (logs, stats) = _in_parts(
      objective, d.params, (real, fake, condition), key,
      turn.rows.config.train)
  d = _update(turn, d.replace(stats=stats), gradients, 'd_rate')
  if turn.rows.constraint:
    d = d.replace(params=turn.rows.constraint(d.params, turn.hyper['clip']))
  return d, logs | {'d_grad_norm': optax.tree.norm(gradients)}


def observed(turn, aux, logs):
  """State.aux after an update of D: its signs move the augmentation."""
  objective = turn.rows.config.objective
  if not objective.augment_target:
    return aux
  batch = turn.phase.batch
  seen = adaptive.observe(aux['augment'], logs['d_sign'], batch)
  moved = adaptive.adjust(
      seen, objective.augment_target, objective.augment_speed_images)
  due = seen['count'] >= adaptive.BATCHES * batch
  return aux | {'augment': jax.tree.map(
      lambda old, new: jnp.where(due, new, old), seen, moved)}


def _for_all(turn, condition):
  """The condition of a batch, for all fakes of an update of G."""
  times = turn.rows.config.train.g_batches
  return jax.tree.map(lambda x: jnp.concatenate([x] * times), condition)


def _g_objective(turn, judge, fake, real, condition, key):
  """What G minimizes on one part of a batch; (loss, (logs, D's stats))."""
  rows = turn.rows
  for_all = _for_all(turn, condition)
  real_key, fake_key = jax.random.split(key)
  keys = jax.random.split(jax.random.fold_in(key, 0))
  said, stats = _judge(turn, judge.params, judge.stats,
                       _augment(turn, fake, fake_key), for_all, keys[0],
                       rows.every_pass)
  # XLA drops D(real) by itself where loss.g does not look at it.
  seen, _ = _judge(turn, judge.params, judge.stats,
                   _augment(turn, real, real_key), condition, keys[1], False)
  total = rows.loss.g(seen, said)
  logs = {'g_loss': total}
  if said.classes is not None:
    logs['g_classes'] = losses.classification(said, for_all.labels)
    total += rows.config.objective.g_classes_weight * logs['g_classes']
  return total, (logs, stats)


def _g_costs(turn, params, stats, size, condition, key):
  """(what G pays beside its loss, its logs) for a batch of a size."""
  cost, logs = _weigh(turn, 'g', params)
  if not turn.phase.penalize_g:
    return cost, logs
  objective = turn.rows.config.objective
  z_key, map_key, draw_key, key = jax.random.split(
      jax.random.fold_in(key, 2), 4)
  n = max(1, size // objective.g_penalty_shrink)
  condition = jax.tree.map(lambda x: x[:n], condition)

  def of_g(method, inputs, key):
    return turn.level.g.apply(
        variables(params, stats), inputs, condition, True, rngs=rngs(key),
        method=method)

  w = of_g('map', turn.latents(z_key, n), map_key)
  values, lengths, mean = turn.rows.g_penalty.values(
      lambda w: of_g('synthesize', w, draw_key)[-1], w, turn.path_mean, key)
  logs |= {'g_penalty': values.mean(), 'path_length': lengths.mean(),
           'path_mean': mean}
  return cost + logs['g_penalty'] * (
      turn.hyper['g_penalty_weight'] * objective.g_penalty_every_g_steps), logs


def update_g(turn, g, judge, real, z, condition, key):
  """(G after an update by its own pass, D's statistics, logs)."""
  def objective(params, real, z, condition, key):
    fake, g_stats = make(
        turn, params, g.stats, z, _for_all(turn, condition),
        jax.random.fold_in(key, 1), turn.rows.every_pass)
    total, (logs, d_stats) = _g_objective(
        turn, judge, fake, real, condition, key)
    cost, cost_logs = _g_costs(
        turn, params, g.stats, len(real[0]), condition, key)
    return total + cost, (logs | cost_logs, d_stats, g_stats)

  gradients, (logs, d_stats, g_stats) = _in_parts(
      objective, g.params, (real, z, condition), key, turn.rows.config.train)
  return _moved(turn, g.replace(stats=g_stats), d_stats, gradients, logs)


def update_g_of(turn, g, judge, real, made, condition, key):
  """The same by the pass that made the fakes of D's update.

  Args:
    made: (those fakes, gradient by them -> gradient by G's parameters).
  """
  fake, pull = made
  by_fake, (logs, d_stats) = jax.grad(
      lambda fake: _g_objective(turn, judge, fake, real, condition, key),
      has_aux=True)(fake)
  by_weights, cost_logs = jax.grad(
      lambda params: _g_costs(
          turn, params, g.stats, len(real[0]), condition, key),
      has_aux=True)(g.params)
  gradients = jax.tree.map(jnp.add, pull(by_fake), by_weights)
  return _moved(turn, g, d_stats, gradients, logs | cost_logs)


def _moved(turn, g, d_stats, gradients, logs):
  """(G after an update, D's statistics, logs)."""
  return (_update(turn, g, gradients, 'g_rate'), d_stats,
          logs | {'g_grad_norm': optax.tree.norm(gradients)})


def _update(turn, player, gradients, rate):
  """A player after a step of the optimizer."""
  hyper, optimizer = turn.hyper, turn.rows.config.optimizer
  direction, opt = turn.rows.rule(
      hyper['beta1'], hyper['beta2'], optimizer.epsilon).update(
          gradients, player.opt)
  size = hyper[rate] * turn.scale
  params = jax.tree.map(lambda p, u: p - size * u, player.params, direction)
  return player.replace(params=params, opt=opt)


def _in_parts(objective, params, samples, key, train):
  """Gradient and aux of an objective, the batch computed in parts.

  Args:
    objective: (params, *samples, key) -> (loss, aux), a mean over samples.
    params: what the gradient is by.
    samples: trees of arrays [B, ...].
    key: of the whole batch; each part has one of its own.
    train: config.Train; `accumulate` is the number of parts.

  Returns:
    (gradients, aux), the means over the parts. Part j has the samples i with
    i mod accumulate = j, which keeps the groups of the minibatch standard
    deviation whole: group m has the samples i with i mod (B / group) = m.
  """
  gradient = jax.grad(objective, has_aux=True)
  parts = train.accumulate
  if parts == 1:
    return gradient(params, *samples, key)

  def split(x):
    return x.reshape(-1, parts, *x.shape[1:]).swapaxes(0, 1)

  def one(total, part):
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
      one, zeros, (split_samples, keys),
      unroll=jax.default_backend() == 'cpu')
  return total
