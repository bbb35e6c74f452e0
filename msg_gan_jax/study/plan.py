"""A study's points as runs: what is trained, what is dropped, and what it is
called.
"""
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import functools
import hashlib
import json
from typing import Any, NamedTuple

from msg_gan_jax.config import Config, schema, tables
from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.idle_settings import USUAL, unused
from msg_gan_jax.metrics import table
from msg_gan_jax.study.space import Study, nested

# Settings that are younger than version 0.1.0 and older than studies: digests
# have had them from the first. Later ones count where they change something.
FROM_THE_FIRST = (
    'data.held_out_share', 'data.range', 'networks.norm_epsilon',
    'networks.deviation', 'networks.d_slope', 'networks.d_shortcut',
    'networks.d_mean', 'networks.conv_clamp', 'objective.augment_most',
    'train.g_reals', 'train.steps_a_dispatch', 'evaluate.metrics',
    'evaluate.best')


class Planned(NamedTuple):
  """A run of a study.

  Attributes:
    point: of the study.
    seed: of the run.
    config: all settings.
    digest: of the settings and the seed; the name of the run's folder.
    round: in which its point was chosen; None where all are known at once.
  """
  point: Mapping[str, Any]
  seed: int
  config: Config
  digest: str
  round: int | None = None


class Plan(NamedTuple):
  """The runs of some points.

  Attributes:
    runs: each different one once, all seeds of a point beside each other.
    dropped: [(point, why its settings do not go together)].
    alike: how many points have the settings of an earlier one.
  """
  runs: Sequence[Planned] = ()
  dropped: Sequence[tuple[Mapping[str, Any], str]] = ()
  alike: int = 0

  @property
  def programs(self) -> int:
    """How many training steps are compiled.

    What is traced, such as rates, betas and weights of penalties, needs none of
    its own.
    """
    return len({program_of(run.config) for run in self.runs})

  def with_more(self, other: 'Plan') -> 'Plan':
    """The runs of both; what is dropped and alike is counted together."""
    return Plan([*self.runs, *other.runs], [*self.dropped, *other.dropped],
                self.alike + other.alike)


def plan(base: Config, study: Study,
         points: Iterable[Mapping[str, Any]]) -> Plan:
  """Makes runs of points; arguments as of `explored`.

  Raises:
    ValueError: no point is left, or what `explored` refuses.
  """
  return some(explored(base, study, points))


def some(found: Plan) -> Plan:
  """The same Plan; ValueError if it has no run."""
  if not found.runs:
    reasons = ''.join(f'\n  {point}: {why}' for point, why in found.dropped[:5])
    raise ValueError(
        'study.axes: no point is left, since their settings do not go '
        f'together:{reasons}')
  return found


def explored(base: Config, study: Study,
             points: Iterable[Mapping[str, Any]]) -> Plan:
  """Makes runs of points, or of none if their settings do not go together.

  Args:
    base: all settings that the study does not vary.
    study: which it is of.
    points: such as study.grid().

  Raises:
    ValueError: a name that no table has: it is a mistake in any combination.
  """
  base = judged(base, study)
  runs: list[Planned] = []
  dropped: list[tuple[Mapping[str, Any], str]] = []
  known: set[str] = set()
  alike = 0
  for point in points:
    config = without_idle(with_settings(base, study.settings(point)))
    digest = digest_of(config)
    if digest in known:
      alike += 1
      continue
    known.add(digest)
    try:
      build(config)
    except tables.MissingRowError as error:
      raise ValueError(f'study.axes: {dict(point)}: {error}') from error
    except ValueError as error:
      dropped.append((point, str(error)))
      continue
    for seed in study.seeds:
      seeded = dataclasses.replace(config, seed=seed)
      runs.append(Planned(point, seed, seeded, digest_of(seeded)))
  return Plan(runs, dropped, alike)


def judged(base: Config, study: Study) -> Config:
  """The base with what the study measures; a run keeps its best and newest.

  Raises:
    ValueError: a metric that there is not.
  """
  metrics = [*table.named(base.evaluate.metrics)]
  if study.metric != 'swd':
    table.METRICS.check(study.metric, 'study.metric')
    if study.metric not in metrics:
      metrics.append(study.metric)
  return with_settings(base, {
      'evaluate.metrics': ','.join(metrics), 'evaluate.best': study.metric,
      'train.keep_checkpoints': 1})


def with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
  """The Config with other values of some settings, checked."""
  return schema.parse(nested({**schema.flatten(config), **settings}))


def without_idle(config: Config) -> Config:
  """The Config in which settings that would do nothing have their defaults.

  An axis goes through them all the same: of points that differ in nothing else
  one is trained.
  """
  while idle := unused(config):
    config = with_settings(config, {x.name: x.value for x in idle})
  if config.objective.penalty == 'none':  # Traced, and so free: see IDLE.
    name = 'objective.penalty_weight'
    config = with_settings(config, {name: USUAL[name]})
  return config


def digest_of(config: Config) -> str:
  """Twelve letters for the settings that decide what comes of a run.

  A setting that comes with another version, and has the value that runs had
  before it, leaves them as they were: what is trained is found again.
  """
  before = _before_later_settings()
  return _digest({
      k: v for k, v in schema.flatten(config).items()
      if k not in schema.ELSEWHERE and not (k in before and v == before[k])})


@functools.cache
def _before_later_settings():
  """{name: value} that runs had before settings that studies did not know."""
  before = schema.before()
  return {name: before[name] for name, about in schema.metadata().items()
          if about['before'] is not None and name not in FROM_THE_FIRST}


def program_of(config: Config) -> str:
  """The same for those that decide how its training step is compiled."""
  return _digest(hyper.held(config))


def _digest(settings):
  text = json.dumps(settings, sort_keys=True, default=str)
  return hashlib.sha256(text.encode()).hexdigest()[:12]
