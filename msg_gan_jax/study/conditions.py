"""How the runs of a page were made and measured, in words."""
from collections import Counter
from collections.abc import Callable, Sequence
import os
from typing import Any

from msg_gan_jax.metrics.protocols import PROTOCOLS
from msg_gan_jax.report.text import plural
from msg_gan_jax.study.analysis import Ended, Gathered
from msg_gan_jax.study.results import Results
from msg_gan_jax.training.summary import SCORES, SWD_MEAN

REALS = {'train': 'the training pictures', 'held_out': 'held-out pictures'}


def conditions(gathered: Gathered, results: Results,
               which: str = '') -> tuple[list[str], list[str]]:
  """How numbers came about, and what in it was not the same for all.

  Args:
    gathered: the runs.
    results: what came of them.
    which: 'best' or 'last' measurement; '' is what they were judged by.

  Returns:
    (sentences, warnings).
  """
  runs = gathered.runs
  said = [f'{results.metric} is {_measured(results.metric, runs)}; '
          f'the {which or runs[0].which} measurement of a run counts.',
          f'Pictures: {_each(runs, _pictures)}.']
  warned = []
  for what, of in (('Packages', _packages), ('Code', _code),
                   ('Devices', _devices)):
    if words := _each(runs, of):
      said.append(f'{what}: {words}.')
      if len({of(run) for run in runs}) > 1:
        warned.append(f'{what} were not the same for all runs: see how it was '
                      'measured.')
  return said, warned


def _each(runs: Sequence[Ended], of: Callable[[Ended], str]) -> str:
  """What is so of the runs; of each how many, where they differ."""
  found = Counter(of(run) for run in runs)
  return next(iter(found)) if len(found) == 1 else '; '.join(
      f'{words or "unknown"} ({plural(count, "run")})'
      for words, count in found.most_common())


def _measured(metric, runs):
  if metric == SWD_MEAN or metric in SCORES:
    return 'measured with the summary of a run'
  return 'measured by ' + _each(runs, _protocol)


def _protocol(run):
  settings = run.settings
  name = settings['evaluate.protocol']
  if name not in PROTOCOLS:  # The user's own, which need not be loaded here.
    return f'the protocol {name}'
  row = PROTOCOLS[name]
  features = settings['evaluate.features'] or row.features
  count = settings['evaluate.count'] or row.n_fake
  return (f'the protocol {name} with features of {features}, '
          f'{f"{count:,}" if count else "as many"} samples beside '
          f'{REALS[row.reals]}')


def _pictures(run):
  settings = run.settings
  where = settings['data.dataset'] or os.path.basename(
      settings['data.path'].rstrip('/'))
  digest = run.record.get('data', '')
  height, width = settings['data.resolution'], settings['data.width']
  return (settings['data.name'] + (f' ({where})' if where else '')
          + f', {width or height} x {height}'
          + (f', digest {digest[:8]}' if digest else ''))


def _versions(run) -> Any:
  return run.record.get('versions') or {}


def _packages(run):
  return ', '.join(f'{name} {version}' for name, version in _versions(run).get(
      'packages', {}).items())


def _code(run):
  git = _versions(run).get('git') or {}
  return git and f'commit {git["commit"][:8]}' + (
      ' with changes' if git['dirty'] else '') or ''


def _devices(run):
  found = _versions(run).get('devices')
  return (f'{found["count"]} x ' if found.get('count', 1) > 1 else '') + (
      ', '.join(found['kinds'])) if found else ''
