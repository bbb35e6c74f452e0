"""A GAN as pure functions: networks and objectives meet here, and nowhere else.

In a notebook three lines are the whole library:

  gan = build(config)
  state = gan.init(key)
  state, logs = gan.step(state, batch, key)
"""
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from msg_gan_jax import config as config_lib
from msg_gan_jax import legal, pyramid, schedules, tables
from msg_gan_jax.networks import layers, norms
from msg_gan_jax.networks.build import (
  D_CONDITIONS,
  G_CONDITIONS,
  NETWORKS,
  told,
)
from msg_gan_jax.objectives import losses
from msg_gan_jax.objectives.augment import AUGMENTATIONS
from msg_gan_jax.objectives.losses import LOSSES
from msg_gan_jax.objectives.penalties import PENALTIES
from msg_gan_jax.objectives.weights import CONSTRAINTS, WEIGHT_PENALTIES
from msg_gan_jax.state import NOTHING, Condition, Player, State


class Gan(NamedTuple):
  """What `build` makes of a Config; all functions are pure.

  Attributes:
    init: key -> State.
    step: (state, batch, key, phase=None) -> (state, logs): n_dis D updates,
      one G update, the average of G. `key` is the same in every step: the
      images shown are folded in. `phase` is static; None is phase(0). `logs`
      are float32 scalars: d_loss, g_loss, d_real and d_fake (mean logits),
      drift and penalty (both unweighted), weight penalties, d_classes and
      g_classes (of a classifier) and augment_strength where there are any,
      d_grad_norm and g_grad_norm.
    sample: (state, z, labels=None, *, weights='ema') -> pyramid for z
      [B, latent] and labels int32 [B], if G is told of any; weights 'raw' are
      those in training.
    settle: state -> state, for samples: with networks.statistics =
      'accumulated', both G's have the moments of many batches.
    draw: (key, n) -> z [n, latent], of the law networks.latent_law; 'sphere'
      is Karras et al. 2018, appendix A.1.
    g: (params, z, condition=NOTHING, stats={}) -> pyramid, not in training.
    d: (params, pyramid, condition=NOTHING, stats={}) -> Verdict, likewise.
    phase: images -> the Phase of the step that begins there.
    sizes: heights of the pyramid's levels, coarse to fine.
    shapes: (height, width, channels) of each.
    classes: how many the players are told of, 0 for none.
    step_images: real images that one step shows to D.
  """
  init: Callable
  step: Callable
  sample: Callable
  settle: Callable
  draw: Callable
  g: Callable
  d: Callable
  phase: Callable
  sizes: tuple[int, ...]
  shapes: tuple[tuple[int, int, int], ...]
  classes: int
  step_images: int


# Rules that turn a gradient into a direction; the rate multiplies it.
OPTIMIZERS = tables.Table('config.optimizer.name', 'optimizer', {
    'adam': lambda beta1, beta2, epsilon: optax.scale_by_adam(
        beta1, beta2, epsilon),
    # Tieleman & Hinton 2012, with epsilon outside of the root as in Adam.
    'rmsprop': lambda beta1, beta2, epsilon: optax.scale_by_rms(
        beta2, epsilon, eps_in_sqrt=False),
    # With momentum beta1: Polyak 1964.
    'sgd': lambda beta1, beta2, epsilon: optax.trace(beta1),
})

# Laws of z: (key, shape) -> z.
LATENTS = {
    'normal': jax.random.normal,
    'sphere': lambda key, shape: _on_sphere(jax.random.normal(key, shape)),
    'uniform': lambda key, shape: jax.random.uniform(
        key, shape, minval=-1., maxval=1.),
}


def _on_sphere(z):
  norm = jnp.linalg.norm(z, axis=-1, keepdims=True)
  return z * (z.shape[-1]**.5 / norm)


def build(config):
  """Config (or what `parse` takes) -> Gan.

  Raises:
    ValueError: an unknown name, or settings that do not go together.
  """
  config = config_lib.parse(config)
  train, objective, networks = config.train, config.objective, config.networks
  loss = LOSSES[objective.loss]
  penalty = PENALTIES[objective.penalty]
  augmentation = AUGMENTATIONS[objective.augment]
  constraint = CONSTRAINTS[objective.constraint]
  weight_penalties = {
      player: WEIGHT_PENALTIES[getattr(objective, f'{player}_weight_penalty')]
      for player in ('d', 'g')}
  rule = OPTIMIZERS[config.optimizer.name]
  players = NETWORKS[networks.name](config)
  legal.check(config, players, loss, penalty)
  shapes = pyramid.shapes(players.sizes, config.data.shape)
  step_images = train.n_dis * train.batch
  keep = .5 ** (step_images / train.ema_half_life_images) if (
      train.ema_half_life_images) else 0.
  every_pass = networks.power_update == 'pass'

  def show(player, inputs, condition):
    """What a player is given: labels beside its inputs, where they go there."""
    table, name = ((G_CONDITIONS, networks.g_condition) if player == 'g' else
                   (D_CONDITIONS, networks.d_condition))
    return told(table[name], inputs, condition.labels, networks.classes)

  def g(params, z, condition=NOTHING, stats=None):
    return players.g.apply(_variables(params, stats or {}), show(
        'g', z, condition), condition)

  def d(params, images, condition=NOTHING, stats=None):
    return players.d.apply(_variables(params, stats or {}), show(
        'd', images, condition), condition)

  def draw(key, n):
    return LATENTS[networks.latent_law](key, (n, networks.latent))

  def phase(images):
    return schedules.phase(
        int(images), train, objective.penalty_every_d_steps if penalty else 0,
        len(players.levels))

  @jax.jit
  def init(key):
    g_key, d_key = jax.random.split(key)
    one = Condition(jnp.zeros(1, jnp.int32) if networks.classes else None)
    images = tuple(jnp.zeros((1, *shape)) for shape in shapes)
    g_params, g_stats = _draw(
        g_key, players.g, show('g', jnp.zeros((1, networks.latent)), one), one,
        players.laws[0])
    d_params, d_stats = _draw(
        d_key, players.d, show('d', images, one), one, players.laws[1])
    direction = rule(0., 0., 0.)

    def optimizer(params):
      return {name: direction.init(params[name]) for name in (
          players.levels)} or direction.init(params)

    return State(
        images=jnp.int32(0),
        g=Player(g_params, g_stats, optimizer(g_params)),
        d=Player(d_params, d_stats, optimizer(d_params)),
        ema=Player(*jax.tree.map(jnp.copy, (g_params, g_stats)), ()),
        hyper=jax.tree.map(jnp.float32, dict(
            g_rate=config.optimizer.g_rate, d_rate=config.optimizer.d_rate,
            beta1=config.optimizer.beta1, beta2=config.optimizer.beta2,
            penalty_weight=objective.penalty_weight,
            **({'augment_strength': objective.augment_strength}
               if augmentation else {}),
            **({'clip': objective.clip} if constraint else {}),
            **{f'{player}_weight_penalty_weight': getattr(
                objective, f'{player}_weight_penalty_weight')
               for player, found in weight_penalties.items() if found})),
        aux={})

  def augmented(real, fake, key, strength):
    """What D is shown of them."""
    real_key, fake_key = jax.random.split(key)
    return (augmentation(real, real_key, strength),
            augmentation(fake, fake_key, strength))

  def weigh(player, params, hyper):
    """The cost of a player's weights; (weighted, its logs)."""
    if not weight_penalties[player]:
      return 0., {}
    name = f'{player}_weight_penalty'
    cost = weight_penalties[player](params)
    return hyper[f'{name}_weight'] * cost, {name: cost}

  def judge(module, params, stats, images, condition, key, keeps):
    """(Verdict, D's statistics), a pass in training."""
    return _pass(module, params, stats, show('d', images, condition),
                 condition, key, keeps)

  def d_objective(module, params, stats, hyper, real, fake, condition, key,
                  strength, with_penalty):
    """What D minimizes on one part of a batch; (total, (its terms, stats))."""
    if augmentation:
      key, noise_key = jax.random.split(key)
      real, fake = augmented(real, fake, noise_key, strength)
    keys = jax.random.split(jax.random.fold_in(key, 0), 3)
    seen, stats = judge(module, params, stats, real, condition, keys[0], True)
    said, stats = judge(
        module, params, stats, fake, condition, keys[1], every_pass)
    total = loss.d(seen, said)
    logs = {'d_loss': total, 'd_real': seen.logits.mean(),
            'd_fake': said.logits.mean()}
    if objective.drift:
      logs['drift'] = losses.drift(seen)
      total += objective.drift * logs['drift']
    if seen.classes is not None:
      logs['d_classes'] = losses.classification(seen, condition.labels)
      if objective.classify_fakes:
        logs['d_classes'] += losses.classification(said, condition.labels)
      total += objective.d_classes_weight * logs['d_classes']
    if with_penalty:
      if every_pass:  # Of this pass XLA keeps the power iterations alone.
        _, stats = judge(
            module, params, stats, real, condition, keys[2], True)

      def scaled(images):  # a slope of `target` becomes a slope of 1
        verdict, _ = judge(
            module, params, stats, images, condition, keys[2], False)
        return verdict.logits / objective.penalty_target
      logs['penalty'] = penalty.values(scaled, real, fake, key).mean()
      total += logs['penalty'] * (
          hyper['penalty_weight'] * objective.penalty_every_d_steps)
    cost, cost_logs = weigh('d', params, hyper)
    return total + cost, (logs | cost_logs, stats)

  def g_objective(fake, module, d_player, real, condition, key, strength):
    """What G minimizes on one part of a batch; (loss, (logs, D's stats))."""
    real_condition = condition
    if train.g_batches > 1:
      condition = jax.tree.map(
          lambda x: jnp.concatenate([x] * train.g_batches), condition)
    if augmentation:
      real, fake = augmented(real, fake, key, strength)
    keys = jax.random.split(jax.random.fold_in(key, 0))
    said, stats = judge(module, d_player.params, d_player.stats, fake,
                        condition, keys[0], every_pass)
    # XLA drops D(real) by itself where loss.g does not look at it.
    seen, _ = judge(module, d_player.params, d_player.stats, real,
                    real_condition, keys[1], False)
    total = loss.g(seen, said)
    logs = {'g_loss': total}
    if said.classes is not None:
      logs['g_classes'] = losses.classification(said, condition.labels)
      total += objective.g_classes_weight * logs['g_classes']
    return total, (logs, stats)

  def update(player, gradients, rate, hyper):
    direction, opt = rule(
        hyper['beta1'], hyper['beta2'], config.optimizer.epsilon).update(
            gradients, player.opt)
    params = jax.tree.map(lambda p, u: p - rate * u, player.params, direction)
    return player.replace(params=params, opt=opt)

  def step(state, batch, key, phase):
    key = jax.random.fold_in(key, state.images)
    level = players.at(phase.level)
    part = players.levels[phase.level] if players.levels else None
    player_g, player_d = _part(state.g, part), _part(state.d, part)
    hyper, first_d, logs = state.hyper, player_d, {}
    fall = schedules.fall(state.images, config.optimizer.fall_until_images)
    strength = None
    if augmentation:
      strength = hyper['augment_strength'] * schedules.fall(
          state.images, objective.augment_until_images)
      logs['augment_strength'] = strength

    def make(params, stats, z, condition, keeps):
      """(pyramid, G's statistics), a pass in training."""
      return _pass(level.g, params, stats, show('g', z, condition), condition,
                   None, keeps)

    for i in range(train.n_dis):
      z_key, part_key = jax.random.split(jax.random.fold_in(key, i))
      z = draw(z_key, train.batch)
      images = batch.images[i]
      if config.data.dequantize:
        images = _dequantized(images, jax.random.fold_in(part_key, 0))
      labels = batch.labels[i] if networks.classes else None
      real, coarse = level.see(pyramid.build(images, players.sizes))
      condition = Condition(labels, coarse)
      # Where nobody pulls a gradient through it, this is only a forward pass.
      fake, pull, g_stats = jax.vjp(
          lambda params, z=z, player_g=player_g, condition=condition, i=i: make(
              params, player_g.stats, z, condition, every_pass or not i),
          player_g.params, has_aux=True)
      player_g = player_g.replace(stats=g_stats)

      def d_part(params, real, fake, condition, key, stats=player_d.stats,
                 with_penalty=phase.penalties[i]):
        return d_objective(level.d, params, stats, hyper, real, fake,
                           condition, key, strength, with_penalty)

      gradients, (d_logs, d_stats) = _in_parts(
          d_part, player_d.params, (real, fake, condition), part_key, train)
      player_d = update(player_d.replace(stats=d_stats), gradients,
                        hyper['d_rate'] * fall, hyper)
      if constraint:
        player_d = player_d.replace(
            params=constraint(player_d.params, hyper['clip']))
      logs |= d_logs | {'d_grad_norm': optax.tree.norm(gradients)}

    if phase.update_g:
      judges = first_d if train.update == 'joint' else player_d
      g_key = jax.random.fold_in(key, train.n_dis + 1)
      if train.reuse_latents and train.accumulate == 1:
        by_fake, (g_logs, d_stats) = jax.grad(g_objective, has_aux=True)(
            fake, level.d, judges, real, condition, g_key, strength)
        gradients, = pull(by_fake)
        g_stats = player_g.stats
        if weight_penalties['g']:
          by_weights, cost_logs = jax.grad(
              lambda params: weigh('g', params, hyper), has_aux=True)(
                  player_g.params)
          gradients = jax.tree.map(jnp.add, gradients, by_weights)
          g_logs |= cost_logs
      else:
        count = train.batch * train.g_batches
        if not train.reuse_latents:
          z = draw(jax.random.fold_in(key, train.n_dis), count)

        def g_part(params, real, z, condition, key, stats=player_g.stats):
          told_all = jax.tree.map(
              lambda x: jnp.concatenate([x] * train.g_batches), condition)
          fake, stats = make(params, stats, z, told_all, every_pass)
          total, (logs, d_stats) = g_objective(
              fake, level.d, judges, real, condition, key, strength)
          cost, cost_logs = weigh('g', params, hyper)
          return total + cost, (logs | cost_logs, (d_stats, stats))

        gradients, (g_logs, (d_stats, g_stats)) = _in_parts(
            g_part, player_g.params, (real, z, condition), g_key, train)
      player_d = player_d.replace(stats=d_stats)
      player_g = update(player_g.replace(stats=g_stats), gradients,
                        hyper['g_rate'] * fall, hyper)
      logs |= g_logs | {'g_grad_norm': optax.tree.norm(gradients)}
    new_g = _with_part(state.g, part, player_g)
    ema = jax.tree.map(
        lambda mean, p: keep * mean + (1 - keep) * p, state.ema,
        new_g.replace(opt=()))
    return state.replace(
        images=state.images + step_images, g=new_g,
        d=_with_part(state.d, part, player_d), ema=ema), logs

  jitted = jax.jit(step, static_argnames='phase')
  first = phase(0)

  def sample(state, z, labels=None, *, weights='ema'):
    if weights not in ('ema', 'raw'):
      raise ValueError(f"weights: wanted 'ema' or 'raw', found {weights!r}.")
    if networks.classes and labels is None:
      raise ValueError(
          f'labels: this GAN draws {networks.classes} classes; wanted an int32 '
          f'of 0 .. {networks.classes - 1} for each z, found none.')
    player = state.ema if weights == 'ema' else state.g
    return g(player.params, z, Condition(labels), player.stats)

  @jax.jit
  def settle(state):
    if networks.statistics != 'accumulated':
      return state
    key = jax.random.fold_in(jax.random.key(0), state.images)

    def moments(player, i):
      z_key, label_key = jax.random.split(jax.random.fold_in(key, i))
      labels = jax.random.randint(
          label_key, (train.batch,), 0, networks.classes) if (
              networks.classes) else None
      condition = Condition(labels)
      _, found = players.g.apply(
          _variables(player.params, player.stats),
          show('g', draw(z_key, train.batch), condition), condition, True,
          mutable=['moments'])
      return found['moments']

    def settled(player):
      def one(total, i):
        return jax.tree.map(jnp.add, total, moments(player, i)), None

      n = networks.statistics_batches
      total, _ = jax.lax.scan(one, moments(player, 0), jnp.arange(1, n))
      return player.replace(stats=norms.replace(
          player.stats, jax.tree.map(lambda x: x / n, total)))

    return state.replace(g=settled(state.g), ema=settled(state.ema))

  return Gan(
      init=init,
      step=lambda state, batch, key, phase=first: jitted(
          state, batch, key, phase=phase),
      sample=jax.jit(sample, static_argnames='weights'), settle=settle,
      draw=draw, g=g, d=d, phase=phase, sizes=players.sizes,
      shapes=shapes, classes=networks.classes, step_images=step_images)


def _variables(params, stats):
  return {'params': params, 'stats': stats}


def _pass(module, params, stats, inputs, condition, key, keeps):
  """(output, statistics) of a pass in training.

  Args:
    module, params, stats: of a player.
    inputs, condition: what it sees.
    key: of what it forgets at random, or None for nothing.
    keeps: whether the pass may change the statistics.
  """
  rngs = None if key is None else {'dropout': key}
  variables = _variables(params, stats)
  if not keeps:
    return module.apply(variables, inputs, condition, True, rngs=rngs), stats
  out, new = module.apply(
      variables, inputs, condition, True, rngs=rngs, mutable=['stats'])
  return out, new.get('stats', {})


def _draw(key, module, inputs, condition, law):
  """(parameters, statistics) of a linen module for example inputs."""
  values = dict(module.init(key, inputs, condition))
  values.pop('moments', None)
  values = layers.draw(key, values, law)
  # The first power iteration: later passes may only look at its vectors.
  _, stats = module.apply(values, inputs, condition, mutable=['stats'])
  return values['params'], stats.get('stats', {})


def _part(player, name):
  """A player's part that is in training, or all of it."""
  if name is None:
    return player
  return Player(*(tree.get(name, {}) for tree in (
      player.params, player.stats, player.opt)))


def _with_part(player, name, new):
  """A player with a part replaced."""
  if name is None:
    return new
  return Player(*({**old, name: now} if now or name in old else old
                  for old, now in zip(
      (player.params, player.stats, player.opt),
      (new.params, new.stats, new.opt), strict=True)))


def _dequantized(images, key):
  """uint8 -> float32 in [-1, 1]: x / 128 - 1 and less than a step of noise.

  As improved_wgan_training and sngan_projection do.
  """
  return images / 128. - 1 + jax.random.uniform(
      key, images.shape, maxval=1 / 128)


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
