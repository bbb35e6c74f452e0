"""Instruments of the game that D and G play: pure functions of its State.

They look at the players in training as they are, without an average and without
the optimizer, in float32, and compute all gradients in reverse mode, for the
convolutions of a CPU have no other.
"""
from collections.abc import Callable
import dataclasses
from typing import Any, NamedTuple

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import krylov
from msg_gan_jax.gan import objective, schedules
from msg_gan_jax.gan.components import Components, look_up
from msg_gan_jax.gan.context import StepContext, context_of, part_of
from msg_gan_jax.gan.networks import forms
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import Condition, Player, RealBatch, State, Tree

EIGENVALUES = 30  # Of the game: products with its Jacobian, at each look.
BASIS_BYTES = 2e9  # Of the vectors that this takes; large games have fewer.


class Gradients(NamedTuple):
  """The gradient of what each player minimizes, by its own parameters."""
  d: Tree
  g: Tree


class OfPictures(NamedTuple):
  """What D says of pictures, and how steeply.

  Attributes:
    d_real, d_fake: [B], logits.
    slopes: for each level, coarse to fine, [B]: the norm of the gradient of D
      by the picture of this level, at a point between a real and a fake.
  """
  d_real: jax.Array
  d_fake: jax.Array
  slopes: tuple[jax.Array, ...]


def exact(components: Components) -> Components:
  """The same GAN in float32, whose passes compute nothing twice."""
  config = components.config
  return look_up(dataclasses.replace(config, networks=dataclasses.replace(
      config.networks, dtype='float32', remat=False)))


def phase_of(components: Components, images: int) -> schedules.Phase:
  """The Phase of the game after `images` real images, with all its penalties.

  One that is due in some steps only is in all of them here, and `gradients`
  gives it the weight that it has in the mean.
  """
  phase = components.phase(images)
  return phase._replace(
      penalties=(components.penalty is not None,), update_g=True,
      penalize_g=components.g_penalty is not None)


def gradients(components: Components, state: State, batch: RealBatch,
              key: jax.Array, phase: schedules.Phase) -> Gradients:
  """Both players' gradients at one point: the game that is trained.

  L_D and L_G are those of gan.objective, with penalties, drift and classifiers.
  The vectors of spectral norms move as in a step, and no gradient flows through
  them; a constraint, such as clipping, is not in it.

  Args:
    components: what the Config names; see `exact`.
    state: of the game.
    batch: images [n, B, H, W, C] and labels; the first of the n is used, for
      both players.
    key: of everything drawn at random.
    phase: of `phase_of`; static.
  """
  context, part = _game(components, phase, state)
  z_key, see_key, d_key, g_key = jax.random.split(key, 4)
  train = components.config.train
  g, d = part_of(state.g, part), part_of(state.d, part)
  real, condition = context.see(batch, 0, see_key)
  z = context.latents(z_key, len(real[0]) * train.g_batches)

  def fakes(params, z, condition):
    return context.run_g(params, g.stats, z, condition, g_key,
                         components.every_pass)[0]

  def of_d(params):
    few = fakes(g.params, z[:len(real[0])], condition)
    return objective.of_d(context, components.penalty, d.stats, params, real,
                          few, condition, d_key)[0]

  def of_g(params):
    all_fakes = fakes(params, z, context.for_fakes_of_g(condition))
    total, _ = objective.of_g(
        context, d, all_fakes, real, condition, g_key)
    return total + objective.of_g_itself(
        context, params, g.stats, len(real[0]), condition, g_key)[0]

  return Gradients(jax.grad(of_d)(d.params), jax.grad(of_g)(g.params))


def _game(components, phase, state):
  """(StepContext with the mean weights of lazy penalties, part in training)."""
  context = context_of(components, phase, state)
  settings, hyper = components.config.objective, dict(context.hyper)
  for name, every in (
      ('penalty_weight', settings.penalty_every_d_steps),
      ('g_penalty_weight', settings.g_penalty_every_g_steps)):
    if name in hyper:
      hyper[name] = hyper[name] / every
  return dataclasses.replace(context, hyper=hyper), context.part


def transposed_jacobian(
    components: Components, state: State, batch: RealBatch, key: jax.Array,
    vector: jax.Array, phase: schedules.Phase) -> jax.Array:
  """J^T w, of the Jacobian J of v = (-grad_D L_D, -grad_G L_G).

  v is where both players go if both take small steps of plain gradient descent
  at once. J^T has the eigenvalues of J, and needs reverse mode alone.

  Args:
    components, state, batch, key, phase: of `gradients`, all held fixed.
    vector: w, float32 [n], of all parameters in training: D's, then G's.

  Source: Mescheder et al. 2017 (arXiv:1705.10461), eq. 4 and sec. 3; Nagarajan
  & Kolter 2017 (arXiv:1706.04156).
  """
  part = context_of(components, phase, state).part
  start, back = ravel_pytree(
      (part_of(state.d, part).params, part_of(state.g, part).params))

  def field(point):
    d, g = back(point)
    moved = state.replace(
        d=_with_params(state.d, part, d), g=_with_params(state.g, part, g))
    return -ravel_pytree(tuple(
        gradients(components, moved, batch, key, phase)))[0]

  with forms.everywhere():
    return jax.vjp(field, start)[1](vector)[0]


def _with_params(player: Player, part: str | None, params: Tree) -> Player:
  return player.replace(
      params=params if part is None else {**player.params, part: params})


def count(components: Components, state: State, phase: schedules.Phase) -> int:
  """How many parameters both players have in training at a Phase."""
  part = context_of(components, phase, state).part
  return sum(x.size for player in (state.d, state.g)
             for x in jax.tree.leaves(part_of(player, part).params))


def eigenvalues(times: Callable[[np.ndarray], jax.Array],
                n: int) -> krylov.Ritz:
  """Leading eigenvalues of a game's Jacobian, with their residuals.

  As many as `most_products`, of which each takes one.

  Simultaneous steps of rate h multiply what is left of an eigenvalue l by
  |1 + h l|: real parts above 0 go away from the point, imaginary parts turn
  about it, and the largest modulus bounds the rate.

  Args:
    times: w [n] -> J w, or J^T w, which has the same eigenvalues.
    n: numbers of a vector.

  Source: Mescheder et al. 2018 (arXiv:1801.04406), sec. 2 and 3.
  """
  return krylov.arnoldi(times, n, most_products(n))


def most_products(n: int) -> int:
  """Products of `eigenvalues` with the Jacobian of n parameters, at most.

  Their vectors, of float32 and one more than they are, take BASIS_BYTES at
  most, but there are two in any case.
  """
  return min(n, EIGENVALUES, max(2, int(BASIS_BYTES / (4 * n)) - 1))


def of_pictures(components: Components, state: State, batch: RealBatch,
                key: jax.Array, phase: schedules.Phase) -> OfPictures:
  """D's logits of reals and fakes, and its slope between them.

  The slope is |grad_x D| at x = t real + (1 - t) fake, with one t a pair,
  uniform in [0, 1], which is the same for all levels. Nothing is augmented.

  Args: as of `gradients`.

  Source: Gulrajani et al. 2017 (arXiv:1704.00028), algorithm 1, the points;
  that of levels is the mean of Karnewar & Wang 2020 (arXiv:1903.06048) apart.
  """
  context, part = _game(components, phase, state)
  z_key, see_key, t_key, run_key = jax.random.split(key, 4)
  g, d = part_of(state.g, part), part_of(state.d, part)
  real, condition = context.see(batch, 0, see_key)
  fake, _ = context.run_g(
      g.params, g.stats, context.latents(z_key, len(real[0])), condition,
      run_key, False)

  def says(images):
    return context.run_d(
        d.params, d.stats, images, condition, run_key, False)[0].logits

  t = jax.random.uniform(t_key, (len(real[0]), 1, 1, 1))
  between = tuple(
      t * x + (1 - t) * y for x, y in zip(real, fake, strict=True))
  by_level = jax.grad(lambda x: says(x).sum())(between)
  return OfPictures(says(real), says(fake), tuple(
      jnp.sqrt((x * x).sum((1, 2, 3))) for x in by_level))


def overfitting(train: float, held_out: float, fake: float) -> float:
  """r_v: 0 where D says the same of held-out reals as of those it has seen.

  It is 1 where held-out reals are to D what fakes are, from the mean logits of
  the three; nan where D does not tell reals it has seen from fakes.

  Source: Karras et al. 2020 (arXiv:2006.06676), eq. 1.
  """
  told = train - fake
  return (train - held_out) / told if told else float('nan')


def angle(a: Tree, b: Tree) -> float:
  """Degrees between two trees of arrays, seen as vectors; nan of a zero."""
  lengths = (_inner(a, a) * _inner(b, b))**.5
  return float(np.degrees(np.arccos(np.clip(
      _inner(a, b) / lengths, -1, 1)))) if lengths else float('nan')


def share_moved(before: Tree, after: Tree) -> float:
  """|after - before| / |before| of two trees of arrays, such as parameters."""
  moved = jax.tree.map(lambda x, y: np.asarray(y) - np.asarray(x),
                       before, after)
  return (_inner(moved, moved) / max(_inner(before, before), 1e-30))**.5


def _inner(a, b):
  """<a, b> of two trees of arrays, in float64."""
  return sum(float(np.ravel(np.asarray(x, np.float64))
                   @ np.ravel(np.asarray(y, np.float64)))
             for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def one_pass(
    components: Components, state: State, batch: RealBatch, key: jax.Array,
    phase: schedules.Phase) -> dict[str, tuple[Tree, Tree, Any, Condition]]:
  """What a pass of one picture needs, for gan.layer_operators.

  Args: as of `gradients`.

  Returns:
    {'d' and 'g': (parameters, statistics, inputs, Condition)} of the part in
    training; its modules are those of `components.players.stage(phase.level)`.
  """
  context, part = _game(components, phase, state)
  real, condition = first_of(context, batch, key)
  inputs = {'d': real, 'g': context.latents(key, 1)}
  players = {name: part_of(player, part)
             for name, player in (('d', state.d), ('g', state.g))}
  return {name: (player.params, player.stats,
                 components.with_labels(name, inputs[name], condition),
                 condition) for name, player in players.items()}


def first_of(context: StepContext, batch: RealBatch,
             key: jax.Array) -> tuple[Pyramid, Condition]:
  """(pyramid, what both players are told) of the first picture of a batch."""
  return jax.tree.map(lambda x: x[:1], context.see(batch, 0, key))
