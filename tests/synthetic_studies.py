"""Studies whose runs were never trained: their values follow from a formula."""
import json
import math
import pathlib

import numpy as np
import optuna

from msg_gan_jax.config import schema
from msg_gan_jax.study import definition, plan
from msg_gan_jax.study.space import (
  RATES,
  Study,
  choices,
  log_uniform,
  rows,
  uniform,
)
from msg_gan_jax.study.storage import JOURNAL

NORMS = {'none': 12., 'sn': 0., 'ln': 4.}
LOSSES = {'ns': 0., 'hinge': 1., 'wgan': 14., 'ns_gp': -1., 'wgan_gp': 2.}
PROTOCOL = 'local classifier'


def landscape(seeds=range(3), noise=2., diverging=.3, images=40_000, steps=2):
  """[(point, seed, record)] as the Landscape found them.

  Spectral norm is best, except with WGAN-GP, for which it is layer norm; WGAN
  without a penalty diverges where nothing else keeps it.
  """
  rng, found = np.random.default_rng(0), []
  for loss, of_loss in LOSSES.items():
    for norm, of_norm in NORMS.items():
      for rate in (2e-4, 1e-3):
        point = {'loss': loss, 'norm': norm, 'rate': rate}
        turned = {'ln': -6., 'sn': 6.}.get(norm, 0.) if loss == 'wgan_gp' else 0
        for seed in seeds:
          value = (30 + of_loss + of_norm + turned + 4 * (rate > 5e-4)
                   + noise * rng.normal())
          diverged = norm == 'none' and loss == 'wgan' and (
              rng.uniform() < diverging)
          found.append((point, seed, record(
              rng, value, images, steps, diverged,
              of_step=1.6 if 'gp' in loss else 1.)))
  return found


def bandit(points=120):
  """[(point, seed, record)] of rates, betas and λ, each drawn."""
  rng, found = np.random.default_rng(1), []
  for n_dis in (1, 5):
    for _ in range(points):
      point = {'n_dis': n_dis, 'rate': float(10**rng.uniform(-5, -2)),
               'λ': float(10**rng.uniform(-1, 2)),
               'beta1': float(rng.uniform(0, .9999)),
               'beta2': float(rng.uniform(0, .9999))}
      value = (25 + 18 * abs(math.log10(point['rate']) + 3.7)**2
               + 20 * point['beta1']**3 + 3 * abs(math.log10(point['λ']) - 1)
               + 5 * (n_dis == 1) + 5 * rng.gamma(1))
      diverged = point['rate'] > 3e-3 and rng.uniform() < .4
      found.append((point, 0, record(
          rng, value, 12_800_000, 10, diverged, n_dis=n_dis)))
  return found


def rates(seeds=range(3)):
  """[(point, seed, record)] of one axis, measured ten times."""
  rng = np.random.default_rng(2)
  return [({'rate': rate}, seed, record(
      rng, base + rng.normal(), 200_000, 10, False, stable=(4, 8, 16, 32)))
          for rate, base in ((.001, 22.), (.003, 20.), (.005, 21.), (.01, 35.))
          for seed in seeds]


def record(rng, value, images, steps, diverged=False, n_dis=1, of_step=1.,
           stable=()):
  """What a run has written down that came down to a value."""
  shown = np.linspace(images / steps, images, steps)
  if diverged:
    shown = shown[:max(1, steps // 3)]
  curve = value * (1 + 2 * np.exp(-4 * shown / images)
                   + .02 * np.abs(rng.normal(size=len(shown))))
  curve[-1] = value if not diverged else 3 * value
  d_steps = shown / 32
  columns = {
      'images': shown, 'd_steps': d_steps, 'g_steps': d_steps / n_dis,
      'seconds': shown * of_step * rng.uniform(.95, 1.05) / 1500,
      'frechet_classifier': curve,
      'kid_classifier': curve / 200 + .005 * rng.normal(size=len(shown)),
      'classifier_score_classifier': 6 - curve / 20
      + .1 * rng.normal(size=len(shown))}
  columns |= {f'stability_{size}': .1 * size**-.3 * np.exp(-2 * shown / images)
              for size in stable}
  columns = {k: [float(x) for x in v] for k, v in columns.items()}
  return {
      'metric': 'frechet_classifier', 'at': int(shown[-1]),
      'scores': {k: v[-1] for k, v in columns.items()}, 'curve': columns,
      'cost': {k: columns[k][-1]
               for k in ('images', 'd_steps', 'g_steps', 'seconds')},
      'seconds': columns['seconds'][-1] + 3.,
      'protocol': PROTOCOL, 'versions': {}, 'data': 'abc',
      'diverged': 'd_loss is nan' if diverged else ''}


LANDSCAPE = Study(
    {'loss': rows(**{name: {'objective.loss': loss, 'objective.penalty_weight':
                            weight} for name, loss, weight in (
                                ('ns', 'non_saturating', 1.),
                                ('hinge', 'hinge', 1.),
                                ('wgan', 'wasserstein', 1.),
                                ('ns_gp', 'non_saturating', 10.),
                                ('wgan_gp', 'wasserstein', 10.))}),
     'norm': rows(none={'networks.d_norm': 'none'},
                  sn={'networks.d_weight_norm': 'spectral_compare_gan'},
                  ln={'networks.d_norm': 'layer'}),
     'rate': choices(2e-4, 1e-3, of=RATES)}, seeds=(0, 1, 2), metric='fid')
BANDIT = Study(
    {'n_dis': choices(1, 5, of='train.n_dis'),
     'rate': log_uniform(1e-5, 1e-2, of=RATES),
     'λ': log_uniform(.1, 100, of='objective.penalty_weight'),
     'beta1': uniform(0, .9999, of='optimizer.beta1'),
     'beta2': uniform(0, .9999, of='optimizer.beta2')},
    metric='fid', sampler='bandit', points=120, at_once=10, apart=('n_dis',))
OF_RATES = Study({'rate': choices(.001, .003, .005, .01, of=RATES)},
                 seeds=(0, 1, 2), metric='fid')


def write(folder, name, study, runs, base=None, waiting=0, running=0,
          failed=0, leases=3):
  """Writes a journal as workers leave one.

  Args:
    folder: of the study.
    name: of the study.
    study: Study whose axes have the points.
    runs: [(point, seed, record)] that are done.
    base: Config.
    waiting, running, failed: how many more there are.
    leases: how often each worker renewed its own.
  """
  base = base or schema.Config()
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  journal = _Memory()
  storage = optuna.storages.JournalStorage(journal)
  made = optuna.create_study(storage=storage, study_name=name)
  made.set_user_attr('definition', definition.dump(name, base, study))
  states = optuna.trial.TrialState
  usual = schema.flatten(base)
  more = [({}, i, {}) for i in range(waiting + running + failed)]
  for i, (point, seed, written) in enumerate([*runs, *more]):
    settings = {**usual, **study.settings(point), 'seed': seed}
    trial = storage.create_new_trial(
        made._study_id, optuna.trial.create_trial(
            state=states.WAITING, user_attrs={
                'digest': plan._digest([point, seed, not written]),
                'about': {'point': point, 'seed': seed,
                          'settings': settings}}))
    beyond = i - len(runs)
    if 0 <= beyond < waiting:
      continue
    storage.set_trial_state_values(trial, states.RUNNING)
    for count in range(leases):
      storage.set_trial_user_attr(trial, 'lease', [('node1', '', 4711), count])
    if waiting <= beyond < waiting + running:
      continue
    if beyond >= 0:
      storage.set_trial_user_attr(
          trial, 'reason', 'ValueError: data.path: no such folder')
      storage.set_trial_state_values(trial, states.FAIL)
      continue
    storage.set_trial_user_attr(trial, 'record', written)
    if written.get('diverged'):
      storage.set_trial_state_values(trial, states.PRUNED)
    else:
      storage.set_trial_state_values(
          trial, states.COMPLETE,
          [min(written['curve'][written['metric']])])
  path = pathlib.Path(folder) / JOURNAL
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(''.join(json.dumps(line) + '\n' for line in journal.lines))
  return path.parent


class _Memory(optuna.storages.journal.BaseJournalBackend):
  """A journal in memory, which is written at once."""

  def __init__(self):
    self.lines = []

  def read_logs(self, log_number_from):
    return self.lines[log_number_from:]

  def append_logs(self, logs):
    self.lines += json.loads(json.dumps(logs))
