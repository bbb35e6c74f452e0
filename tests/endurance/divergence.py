"""NaN and inf put into runs: when found, what is named, and what is done.

A fault is a part of the program: at chosen images, and while D's rate is above
a bound, it puts a number that is not finite into one place. Which place is a
number in State.hyper, so that one program has all of them. After two rollbacks
the rate is below the bound, and a run goes on to its end.
"""
import collections
import contextlib
import dataclasses
import json
import shutil
import threading
import time
from types import SimpleNamespace
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax

from msg_gan_jax.config import schema
from msg_gan_jax.data.drawn import toys
from msg_gan_jax.gan import context, hyper, step
from msg_gan_jax.gan.networks.players import Players
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.objectives.penalties import PENALTIES
from msg_gan_jax.gan.optimizers import OPTIMIZERS
from msg_gan_jax.report import curves
from msg_gan_jax.runs import records, rollbacks
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.read import read as written
from msg_gan_jax.training import again, failed_step, initial_state, kept, loop
from msg_gan_jax.training.divergence import DivergedError

N = 120
STEPS = 13       # Of a run; a record after every third, a checkpoint every 4th.
RATE = .001

# Where a fault lies -> (kind, player) of the cause.
FAULTS = {
    'data': ('data', ''), 'loss': ('term', 'd'), 'g_loss': ('term', 'g'),
    'penalty': ('term', 'd'), 'gradient': ('gradient', 'd'),
    'optimizer': ('optimizer', 'd'), 'parameter': ('parameter', 'd'),
    'statistics': ('statistics', 'd'), 'average': ('average', 'g'),
    'picture': ('data', ''),
}
# A bad picture stays one, whatever the rates are.
STAYS = 'picture',
HIDDEN = 'average', 'statistics'  # No log of the same step shows it.

PLAIN = dict(
    optimizer__name='adam', optimizer__d_rate=RATE, optimizer__g_rate=RATE,
    evaluate__metrics='', evaluate__best='', data__held_out=0,
    objective__loss='faulty', objective__penalty='faulty',
    objective__drift=0., objective__penalty_weight=1.)
POINTS = dict(
    **PLAIN, networks__name='mlp', networks__scales='none',
    networks__stddev='none', data__name='ring', data__resolution=1,
    data__channels=2, data__count=64, data__mirror=False, networks__latent=4,
    networks__fmap_max=8, train__batch=4, train__n_dis=2,
    objective__penalty_every_d_steps=4)
PICTURES = dict(
    **PLAIN, data__resolution=16, data__count=64, networks__latent=8,
    networks__fmap_max=8, networks__fmap_base=64, train__batch=4)
# name -> (preset, settings, faults that it cannot have).
FAMILIES = {
    'points': ('msg_progan', POINTS, ('statistics',)),
    'points, several steps a call': (
        'msg_progan', POINTS | {
            'train__steps_a_dispatch': 2,
            'objective__penalty_every_d_steps': 1}, ('statistics',)),
    'msg_progan': ('msg_progan', PICTURES | {
        'objective__penalty_every_d_steps': 2}, ('statistics', 'picture')),
    'progan, growing': ('progan', PICTURES | {
        'train__grow_from': 8, 'train__grow_stable_images': 20,
        'train__grow_fade_images': 16, 'train__grow_batches': '',
        'train__grow_rates': ''}, ('statistics', 'picture')),
    'dcgan': ('dcgan', PICTURES | {'objective__penalty': 'none'}, (
        'picture', 'penalty')),
}


class Case(SimpleNamespace):
  """A fault in a run.

  Attributes:
    family, fault, policy: names.
    at: the number of the step in which it comes, from 0.
    infinite: whether it is inf, in place of NaN.
    first_cause: whether the run looks for it by itself.
  """


def config_of(case):
  """The Config of a case."""
  preset, settings, _ = FAMILIES[case.family]
  config = schema.template(preset)
  size = settings['train__batch'] * settings.get('train__n_dis', 1)
  for name, value in (settings | dict(
      train__total_images=STEPS * size, train__log_every_images=3 * size,
      train__sample_every_images=10**6, train__measure_every_images=10**6,
      train__checkpoint_every_images=4 * size, train__keep_checkpoints=1,
      train__on_divergence=case.policy, train__first_cause=case.first_cause,
  )).items():
    section, field = name.split('__')
    config[section][field] = value
  return schema.parse(config)


def size_of(config):
  return config.train.batch * config.train.n_dis


# The faults themselves.

CASE = SimpleNamespace(now=None)
# What a step that is being traced begins with; another thread traces, too.
NOW = threading.local()


def poisoned(fault, tree):
  """A tree whose first array has a number that is not finite, if it is due."""
  leaves, structure = jax.tree.flatten(tree)
  if leaves and not jnp.issubdtype(leaves[0].dtype, jnp.floating):
    leaves[0] = leaves[0].astype(jnp.float32)
  if leaves:
    bad = jnp.where(NOW.hyper['fault_infinite'] > 0, jnp.inf, jnp.nan)
    leaves[0] = jnp.where(due(fault), bad, leaves[0])
  return jax.tree.unflatten(structure, leaves)


def due(fault):
  return ((NOW.hyper['fault'] == [*FAULTS].index(fault))
          & (NOW.images == NOW.hyper['fault_at'])
          & (NOW.hyper['d_rate'] > NOW.hyper['fault_rate']))


def _start(config, right=hyper.start):
  case = CASE.now
  return {**right(config), **{name: jnp.float32(value) for name, value in dict(
      fault=[*FAULTS].index(case.fault), fault_at=case.at * size_of(config),
      fault_rate=RATE * .3, fault_infinite=case.infinite).items()}}


def _context_of(components, phase, state, split=None, right=step.context_of):
  NOW.images, NOW.hyper = state.images, state.hyper
  return right(components, phase, state, split)


def _reals_for(players, images, alpha=None, right=Players.reals_for):
  real, coarse = right(players, images, alpha)
  *coarser, finest = real
  return (*coarser, poisoned('data', finest)), coarse


def _d_loss(real, fake):
  loss = poisoned('loss', LOSSES['non_saturating'].d(real, fake))
  # A root of 0 is finite, and its gradient is not.
  return loss + jnp.where(due('gradient'), jnp.sqrt(
      jnp.where(due('gradient'), loss - loss, 1.)), 0.)


def _g_loss(real, fake):
  return poisoned('g_loss', LOSSES['non_saturating'].g(real, fake))


def _penalty(*arguments):
  return poisoned('penalty', PENALTIES['r1'].values(*arguments))


def _adam(*settings):
  right = optax.scale_by_adam(*settings)

  def update(gradients, state, params=None):
    direction, state = right.update(gradients, state, params)
    return poisoned('parameter', direction), state._replace(
        mu=poisoned('optimizer', state.mu))

  return optax.GradientTransformation(right.init, update)


def _run(self, player, *arguments, right=context.StepContext._run):
  out, stats = right(self, player, *arguments)
  return out, poisoned('statistics', stats) if player == 'd' else stats


def _averaged(*arguments, right=step._averaged):
  ema = right(*arguments)
  return ema.replace(params=poisoned('average', ema.params))


def _images(toy, indices, right=toys.Toy.images):
  found = right(toy, indices)
  bad = CASE.now.picture if CASE.now.fault == 'picture' else -1
  return np.where((np.asarray(indices) == bad)[:, None, None, None],
                  np.float32(np.nan), found)


@contextlib.contextmanager
def faults():
  """A context in which all of them can be had."""
  with contextlib.ExitStack() as stack:
    for place, name, value in (
        (hyper, 'start', _start), (step, 'context_of', _context_of),
        (Players, 'reals_for', _reals_for), (toys.Toy, 'images', _images),
        (context.StepContext, '_run', _run), (step, '_averaged', _averaged),
        (initial_state, 'concerns', lambda *unused: []),
        (curves, 'plot', lambda *unused, **more: None),
        (again, 'build', gan_of)):
      stack.enter_context(mock.patch.object(place, name, value))
    for table, row in (
        (LOSSES, {'faulty': LOSSES['non_saturating']._replace(
            d=_d_loss, g=_g_loss)}),
        (PENALTIES, {'faulty': PENALTIES['r1']._replace(values=_penalty)}),
        (OPTIMIZERS, {'adam': _adam})):
      stack.enter_context(mock.patch.dict(table, row))
    yield


# What is to be seen of them.


def train(config, folder, say):
  return loop.train(config, folder, say, make=gan_of,
                    show=lambda *unused: None)


def gan_of(config):
  """The same Gan for both policies: they are no part of its programs."""
  return kept.gan_of(dataclasses.replace(config, train=dataclasses.replace(
      config.train, on_divergence='stop', first_cause=True)))


def wrong(case, folder, say):
  """What was not as it should be; [] where all was. The folder is new."""
  CASE.now, config = case, config_of(case)
  size, found = size_of(config), []
  images = case.at * size
  if case.fault == 'picture':
    # The one that is shown first in this step.
    from msg_gan_jax.data.order import Order
    order = Order(config.data.count, config.seed, config.data.mirror)
    case.picture = int(order(np.arange(images, images + 1))[0][0])
    shown = np.flatnonzero(order(np.arange(images))[0] == case.picture)
    images = int(shown[0]) // size * size if len(shown) else images
  stays = case.fault in STAYS
  ends = case.policy == 'rollback' and not stays
  try:
    signal, error = train(config, folder, say), None
  except DivergedError as raised:
    signal, error = -1, raised
  if (signal == 0) != ends:
    return [f'it ended with {signal}: {error}']
  run, known = written(folder), rollbacks.read(folder)

  def want(what, is_so):
    if not is_so:
      found.append(what)

  last = images // size // 4 * 4 * size  # The last checkpoint before it.
  due_at = min(x for x in (
      *(-(-(images + size) // (n * size)) * n * size for n in (3, 4)),
      STEPS * size))
  want('the text does not name it', error is None or 'not finite' in str(
      error) or ' = ' in str(error))
  where = [x.found for x in known] or [error.images]
  for at in where:
    want(f'found at {at}, wanted {images + size} to {due_at}',
         images + size <= at <= due_at)
  want('a record is not finite', all(
      np.isfinite(x) for record in records.read(folder / 'metrics.jsonl')
      for x in jax.tree.leaves(record)))
  if case.policy == 'stop':
    want('there are rollbacks', not known)
  else:
    wanted = 3 if stays else 2
    want(f'{len(known)} rollbacks, wanted {wanted}', len(known) == wanted)
    want('not to the last checkpoint', all(x.images == last for x in known))
    want('not in changes.jsonl', sum(
        'rollback' in x['changed'][0] for x in run.changes) == wanted)
  if ends:
    want('it did not come to its end', run.images == STEPS * size)
    want('it counts as diverged', not run.diverged)
    like = jax.eval_shape(gan_of(config).init, jax.random.key(0))
    tree = Checkpoints(folder / 'checkpoints', read_only=True).restore(
        {'state': like}, partial=True)[1]['state']
    want('rates', np.isclose(tree.hyper['d_rate'], RATE / 4)
         and np.isclose(tree.hyper['g_rate'], RATE / 4))
  else:
    want('records beyond it', records.furthest(folder) <= images)
    want('it does not count as diverged', bool(run.diverged))
  kind, player = FAULTS[case.fault]
  told = json.loads((folder / failed_step.FILE).read_text())
  if case.first_cause:
    cause = told['step']['cause']
    want(f'the cause is {cause["text"]}',
         (cause['kind'], cause['player']) == (kind, player))
    want(f'in the step from {told["step"]["images_before"]}',
         told['step']['images_before'] == images)
    want('nan or inf', cause['value'] == (
        'inf' if case.infinite and case.fault not in (
            'gradient', 'picture') else 'nan'))
    if case.fault == 'picture':
      want('which picture', set(told['step']['pictures']['not_finite']) == {
          case.picture})
  if case.first_cause or not ends:
    want('not reproduced', again.repeat(folder, say))
  return found


def cases(families, rng):
  """Cases without an end; those that follow each other share their programs."""
  while True:
    for family in families:
      for policy in 'stop', 'rollback':
        first_cause = bool(rng.integers(4))
        for fault in FAULTS:
          if fault in FAMILIES[family][2]:
            continue
          at = int(rng.integers(STEPS - 1))
          if fault == 'penalty':  # It is not due in every step.
            at -= at % 2
          yield Case(
              family=family, fault=fault, policy=policy, at=at, picture=-1,
              infinite=bool(rng.integers(2)), first_cause=first_cause)


def main(out, n, seconds, seed, table, say):
  """Tries n cases; returns whether all were as they should be."""
  begun, rng = time.monotonic(), np.random.default_rng(seed)
  with faults():
    for i, case in enumerate(cases(FAMILIES, rng)):
      if i >= n or time.monotonic() - begun > seconds:
        break
      if i < len(table.cases):
        continue
      folder = out / f'case_{i}'
      shutil.rmtree(folder, ignore_errors=True)
      bad = wrong(case, folder, lambda line: None)
      table.add(family=case.family, fault=case.fault, policy=case.policy,
                at=case.at, wrong=bad)
      say(f'{i + 1} of {n}: {case.family}, {case.fault}, {case.policy}: '
          + ('; '.join(bad) or 'as it should be'))
      if not bad:
        shutil.rmtree(folder)
  tried = collections.Counter(x['fault'] for x in table.cases)
  lost = [x for x in table.cases if x['wrong']]
  say(table.write({
      'cases': len(table.cases),
      'of': ', '.join(f'{name} {count}' for name, count in tried.items()),
      'families': len({x['family'] for x in table.cases}),
      'rolled back': sum(x['policy'] == 'rollback' for x in table.cases),
      'not as they should be': len(lost)}))
  return not lost
