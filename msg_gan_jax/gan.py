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
from msg_gan_jax import pyramid, schedules, tables
from msg_gan_jax.networks import layers
from msg_gan_jax.networks.build import NETWORKS
from msg_gan_jax.objectives import losses
from msg_gan_jax.objectives.augment import AUGMENTATIONS
from msg_gan_jax.objectives.losses import LOSSES
from msg_gan_jax.objectives.penalties import PENALTIES
from msg_gan_jax.state import Player, State


class Gan(NamedTuple):
  """What `build` makes of a Config; all functions are pure.

  Attributes:
    init: key -> State.
    step: (state, batch, key, phase=None) -> (state, logs): n_dis D updates,
      one G update, the average of G. `key` is the same in every step: the
      images shown are folded in. `phase` is static; None is phase(0). `logs`
      are float32 scalars: d_loss, g_loss, d_real and d_fake (mean logits),
      drift and penalty (both unweighted) and augment_strength where there
      are any, d_grad_norm and g_grad_norm.
    sample: (state, z, weights='ema') -> pyramid for z [B, latent]; weights
      'raw' are those in training.
    draw: (key, n) -> z [n, latent], standard normals on the sphere of radius
      sqrt(latent) (Karras et al. 2018, appendix A.1).
    g: (params, z) -> pyramid.
    d: (params, pyramid) -> Verdict.
    phase: images -> the Phase of the step that begins there.
    sizes: heights of the pyramid's levels, coarse to fine.
    shapes: (height, width, channels) of each.
    step_images: real images that one step shows to D.
  """
  init: Callable
  step: Callable
  sample: Callable
  draw: Callable
  g: Callable
  d: Callable
  phase: Callable
  sizes: tuple[int, ...]
  shapes: tuple[tuple[int, int, int], ...]
  step_images: int


# Rules that turn a gradient into a direction; the rate multiplies it.
OPTIMIZERS = tables.Table('config.optimizer.name', 'optimizer', {
    'adam': lambda beta1, beta2, epsilon: optax.scale_by_adam(
        beta1, beta2, epsilon),
    # Tieleman & Hinton 2012, with epsilon outside of the root as in Adam.
    'rmsprop': lambda beta1, beta2, epsilon: optax.scale_by_rms(
        beta2, epsilon, eps_in_sqrt=False),
})


def build(config):
  """Config (or what `parse` takes) -> Gan.

  Raises:
    ValueError: an unknown name, or settings that do not go together.
  """
  config = config_lib.parse(config)
  train = config.train
  loss = LOSSES[config.objective.loss]
  penalty = PENALTIES[config.objective.penalty]
  augmentation = AUGMENTATIONS[config.objective.augment]
  rule = OPTIMIZERS[config.optimizer.name]
  players = NETWORKS[config.networks.name](config)
  _check(config, loss, penalty)
  shapes = pyramid.shapes(players.sizes, config.data.shape)
  step_images = train.n_dis * train.batch
  keep = .5 ** (step_images / train.ema_half_life_images) if (
      train.ema_half_life_images) else 0.

  def g(params, z):
    return players.g.apply({'params': params}, z)

  def d(params, images):
    return players.d.apply({'params': params}, images)

  def draw(key, n):
    z = jax.random.normal(key, (n, config.networks.latent))
    norm = jnp.linalg.norm(z, axis=-1, keepdims=True)
    return z * (config.networks.latent**.5 / norm)

  def phase(images):
    return schedules.phase(
        int(images), train.batch, train.n_dis,
        config.objective.penalty_every_d_steps if penalty else 0)

  @jax.jit
  def init(key):
    g_key, d_key = jax.random.split(key)
    images = [jnp.zeros((1, *shape)) for shape in shapes]
    g_params = _draw(g_key, players.g, jnp.zeros((1, config.networks.latent)))
    d_params = _draw(d_key, players.d, images)
    direction = rule(0., 0., 0.)
    return State(
        images=jnp.int32(0),
        g=Player(g_params, {}, direction.init(g_params)),
        d=Player(d_params, {}, direction.init(d_params)),
        ema=jax.tree.map(jnp.copy, g_params),
        hyper=jax.tree.map(jnp.float32, dict(
            g_rate=config.optimizer.g_rate, d_rate=config.optimizer.d_rate,
            beta1=config.optimizer.beta1, beta2=config.optimizer.beta2,
            penalty_weight=config.objective.penalty_weight,
            **({'augment_strength': config.objective.augment_strength}
               if augmentation else {}))),
        aux={})

  def augmented(real, fake, key, strength):
    """What D is shown of them."""
    real_key, fake_key = jax.random.split(key)
    return (augmentation(real, real_key, strength),
            augmentation(fake, fake_key, strength))

  def d_objective(params, hyper, real, fake, key, strength, with_penalty):
    """What D minimizes on one part of a batch; (total, its terms)."""
    if augmentation:
      key, noise_key = jax.random.split(key)
      real, fake = augmented(real, fake, noise_key, strength)
    seen, said = d(params, real), d(params, fake)
    total = loss.d(seen, said)
    logs = {'d_loss': total, 'd_real': seen.logits.mean(),
            'd_fake': said.logits.mean()}
    if config.objective.drift:
      logs['drift'] = losses.drift(seen)
      total += config.objective.drift * logs['drift']
    if with_penalty:
      def scaled(images):  # a slope of `target` becomes a slope of 1
        return d(params, images).logits / config.objective.penalty_target
      logs['penalty'] = penalty.values(scaled, real, fake, key).mean()
      total += logs['penalty'] * (
          hyper['penalty_weight'] * config.objective.penalty_every_d_steps)
    return total, logs

  def g_objective(fake, d_params, real, key, strength):
    """What G minimizes on one part of a batch; (loss, logs)."""
    if augmentation:
      real, fake = augmented(real, fake, key, strength)
    # XLA drops D(real) by itself where loss.g does not look at it.
    total = loss.g(d(d_params, real), d(d_params, fake))
    return total, {'g_loss': total}

  def update(player, gradients, rate, hyper):
    direction, opt = rule(
        hyper['beta1'], hyper['beta2'], config.optimizer.epsilon).update(
            gradients, player.opt)
    params = jax.tree.map(lambda p, u: p - rate * u, player.params, direction)
    return player.replace(params=params, opt=opt)

  def step(state, batch, key, phase):
    key = jax.random.fold_in(key, state.images)
    hyper, player_d, logs = state.hyper, state.d, {}
    strength = None
    if augmentation:
      strength = hyper['augment_strength'] * schedules.fall(
          state.images, config.objective.augment_until_images)
      logs['augment_strength'] = strength
    for i in range(train.n_dis):
      z_key, part_key = jax.random.split(jax.random.fold_in(key, i))
      z = draw(z_key, train.batch)
      real = pyramid.build(batch.images[i], players.sizes)
      # Where nobody pulls a gradient through it, this is only a forward pass.
      fake, pull = jax.vjp(lambda params, z=z: g(params, z), state.g.params)

      def d_part(params, real, fake, key, i=i):
        return d_objective(
            params, hyper, real, fake, key, strength, phase.penalties[i])

      gradients, d_logs = _in_parts(
          d_part, player_d.params, (real, fake), part_key, train)
      player_d = update(player_d, gradients, hyper['d_rate'], hyper)
      logs |= d_logs | {'d_grad_norm': optax.tree.norm(gradients)}

    g_key = jax.random.fold_in(key, train.n_dis + 1)
    if train.reuse_latents and train.accumulate == 1:
      by_fake, g_logs = jax.grad(g_objective, has_aux=True)(
          fake, player_d.params, real, g_key, strength)
      gradients, = pull(by_fake)
    else:
      if not train.reuse_latents:
        z = draw(jax.random.fold_in(key, train.n_dis), train.batch)

      def g_part(params, real, z, key):
        return g_objective(
            g(params, z), player_d.params, real, key, strength)

      gradients, g_logs = _in_parts(
          g_part, state.g.params, (real, z), g_key, train)
    player_g = update(state.g, gradients, hyper['g_rate'], hyper)
    logs |= g_logs | {'g_grad_norm': optax.tree.norm(gradients)}
    ema = jax.tree.map(
        lambda mean, p: keep * mean + (1 - keep) * p, state.ema,
        player_g.params)
    return state.replace(
        images=state.images + step_images, g=player_g, d=player_d,
        ema=ema), logs

  jitted = jax.jit(step, static_argnames='phase')
  first = phase(0)

  def sample(state, z, weights='ema'):
    if weights not in ('ema', 'raw'):
      raise ValueError(f"weights: wanted 'ema' or 'raw', found {weights!r}.")
    return g(state.ema if weights == 'ema' else state.g.params, z)

  return Gan(
      init=init,
      step=lambda state, batch, key, phase=first: jitted(
          state, batch, key, phase=phase),
      sample=jax.jit(sample, static_argnames='weights'),
      draw=draw, g=g, d=d, phase=phase, sizes=players.sizes,
      shapes=shapes, step_images=step_images)


def _draw(key, module, inputs):
  """Parameters of a linen module for example inputs."""
  values = module.init(key, inputs)['params']
  return layers.draw(key, values)


def _in_parts(objective, params, samples, key, train):
  """Gradient and logs of an objective, the batch computed in parts.

  Args:
    objective: (params, *samples, key) -> (loss, logs), a mean over samples.
    params: what the gradient is by.
    samples: trees of arrays [B, ...].
    key: of the whole batch; each part has one of its own.
    train: config.Train; `accumulate` is the number of parts.

  Returns:
    (gradients, logs), the means over the parts. Part j has the samples i with
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


def _check(config, loss, penalty):
  """Refuses settings that do not go together."""
  train, networks = config.train, config.networks
  target = config.objective.penalty_target
  if target != 1 and not (penalty and penalty.has_target):
    raise ValueError(
        f'config.objective.penalty_target: wanted 1.0, found {target}: '
        f'config.objective.penalty = {config.objective.penalty!r} has no '
        'target.')
  if config.objective.augment == 'none':
    for name in ('augment_strength', 'augment_until_images'):
      found = getattr(config.objective, name)
      wanted = getattr(config_lib.Objective, name)
      if found != wanted:
        raise ValueError(
            f'config.objective.{name}: {found} means nothing to '
            "config.objective.augment = 'none'; did you mean "
            f"'instance_noise'? Wanted {wanted}, the default.")
  group = networks.stddev_group or train.batch
  has_stddev = networks.stddev != 'none'
  if has_stddev and train.batch % min(group, train.batch):
    raise ValueError(
        f'config.train.batch: {train.batch} is no multiple of '
        f'config.networks.stddev_group = {group}.')
  parts = train.accumulate
  if parts == 1:
    return
  if train.batch % parts:
    raise ValueError(
        f'config.train.accumulate: {parts} does not divide '
        f'config.train.batch = {train.batch}.')
  whole = []
  if not loss.separable:
    whole.append(f'config.objective.loss = {config.objective.loss!r}')
  if penalty and not penalty.separable:
    whole.append(f'config.objective.penalty = {config.objective.penalty!r}')
  if has_stddev and (train.batch // parts) % group:
    whole.append(f'config.networks.stddev_group = {networks.stddev_group}')
  if whole:
    raise ValueError(
        f'config.train.accumulate: parts of {train.batch // parts} images '
        f'cannot have the whole-batch statistics of {" and of ".join(whole)}; '
        'use accumulate=1, or settings without them.')
