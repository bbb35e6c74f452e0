"""Scores of the checkpoints of runs, or of two sets of pictures."""
from collections.abc import Callable, Iterator, Sequence
import dataclasses
import functools
import os
from typing import Any, NamedTuple

import jax
import numpy as np

from msg_gan_jax.analysis.generator.samples import Sampling, check_truncation
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.commands import fair_comparison
from msg_gan_jax.commands.score_files import ScoreFiles
from msg_gan_jax.config import Config, schema
from msg_gan_jax.config.tables import Table
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import pyramid, schedules
from msg_gan_jax.gan.build import build_to_draw
from msg_gan_jax.gan.sampling import labels_like, renderer, summary_latents
from msg_gan_jax.metrics import (
  evaluate,
  moments_file,
  sets,
  text,
)
from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.pair import Options, Pair
from msg_gan_jax.metrics.score import Score
from msg_gan_jax.metrics.table import named
from msg_gan_jax.runs import experiment_file
from msg_gan_jax.runs.config_file import load_config
from msg_gan_jax.runs.load import states
from msg_gan_jax.training.scorer import paths_of, placeholder_fakes, reals_of

Tell = Callable[[dict[str, Any]], Any]
SEED = 1  # Of the latents of a summary, and so of scores in training.


class ScoredCheckpoint(NamedTuple):
  """A checkpoint of a run, and how it scores.

  Attributes:
    images: real images shown before it.
    scores: of its samples.
    record: the scores for JSON, with all that they depend on.
    pair: what was compared.
  """
  images: int
  scores: list[Score]
  record: dict[str, Any]
  pair: Pair


@dataclasses.dataclass(frozen=True)
class RunScores:
  """How runs are scored.

  Attributes:
    metrics: rows of METRICS; () are the protocol's.
    options: what the scores depend on; what a run knows is filled in.
    which: checkpoints: 'newest', 'best', 'all', or images shown, such as
      '100000'.
    count: of the fakes; 0 is what the protocol says.
    sampling: of the fakes, without labels, which are those of the reals;
      weights '' are what the protocol says.
    real: what to compare with, in place of a run's own pictures.
    trust_code: see runs.load.load.
  """
  metrics: str | Sequence[str]
  options: Options
  which: str = 'newest'
  count: int = 0
  sampling: Sampling = Sampling(seed=SEED, weights='')
  real: Source | None = None
  trust_code: bool = False

  def of_run(self, run: str) -> Iterator[ScoredCheckpoint]:
    """Scores the checkpoints of the run in a folder, oldest first.

    Raises:
      ValueError: no run, no such checkpoint, a run of points, or what the
        scores refuse.
    """
    config = load_config(run)
    seed, weights, psi, cutoff, *_ = self.sampling
    with_rows = functools.partial(
        experiment_file.with_rows, run, trust_code=self.trust_code)
    gan = with_rows(lambda: build_to_draw(config))
    check_truncation(gan, config, psi, cutoff)
    if pyramid.are_points(gan.shapes[-1]):
      raise ValueError(
          f'workdir {run}: its GAN draws points; they are counted in '
          'summary.json, and --mode=evaluate is for pictures.')
    splits = with_rows(lambda: open_source(config))
    protocol, own_reals, warnings = reals_of(splits, self.options.protocol)
    real = own_reals if self.real is None else self.real
    if real is own_reals and len(real) < 2:
      raise ValueError(
          f'workdir {run}: scores compare samples with real pictures, of which '
          'it has one; wanted at least 2, such as real=FOLDER.')
    count = self.count or protocol.n_fake or len(real) or len(own_reals)
    labels, classes = None, tuple[str, ...]()
    if gan.classes:
      classes = splits.train.classes
      like = real if real.classes == classes else own_reals
      labels = labels_like(like.labels(np.arange(len(like))), count)
    weights = weights or protocol.weights
    pair = Pair(
        real,
        # What is missing is an error now, before a single picture is drawn.
        placeholder_fakes(own_reals, classes, run), self.options._replace(
            held_out=splits.held_out, train=splits.train, psi=psi,
            cutoff=cutoff, averaged=schedules.averages(config),
            protocol=dataclasses.replace(
                protocol, n_fake=count, weights=weights)))
    evaluate.open_features(pair, self.metrics)
    z = summary_latents(gan, count, seed)
    render = renderer(gan, data_mesh())
    key = jax.random.key(seed) if gan.layers else None
    for images, state in states(gan, run, self.which):

      def draw(first, last, state=state):
        return render(
            state, z[first:last],
            None if labels is None else labels[first:last], weights, psi,
            cutoff,
            None if key is None else jax.random.fold_in(key, first))[-1]

      pair = pair.with_fake(sets.generated(
          draw, count, gan.shapes[-1], labels, classes, run,
          paths_of(gan, state, weights)))
      scores, record = evaluate.compute(pair, self.metrics)
      record['warnings'] += warnings
      yield ScoredCheckpoint(images, scores, {
          'run': run, 'images': images, 'seed': seed,
          'training_seed': config.seed, **record}, pair)


def _nothing(record: dict[str, Any]) -> None:
  """The usual `tell`."""


def check_row(table: Table[Any], name: str, runs: Sequence[str],
              trust_code: bool = False) -> None:
  """Refuses a row that there is not, also among the rows of these runs.

  Args:
    table: METRICS, FEATURES, or another.
    name: of the row.
    runs: folders; the experiment file of one is run for a row that its own
      settings name, and for no other.
    trust_code: see runs.load.load.

  Raises:
    ValueError: an unknown name, or what experiment_file.with_rows raises.
  """
  owner = None if name in table else next(
      (run for run in runs if experiment_file.setting_of_row(
          load_config(run), table.place, name)), None)
  if owner:
    experiment_file.with_rows(
        owner, functools.partial(table.check, name), trust_code)
  table.check(name)


def score_runs(runs: str | Sequence[str], how: RunScores,
               out: str = '', tell: Tell = _nothing) -> list[str]:
  """Scores several runs, writes the scores down, and says them.

  Args:
    runs: their folders, or one.
    how: see `RunScores`.
    out: the folder for scores.jsonl and pictures; '' is each run's own.
    tell: called with the record of each checkpoint, once it is scored.

  Returns:
    Lines of text for people; where several runs differ in what a fair
    comparison would keep, they say so.

  Raises:
    ValueError: what `RunScores.of_run` refuses, or files that cannot be
      written: before anything is scored, if that can be known. What was
      scored before an error is said.
  """
  runs = [runs] if isinstance(runs, str) else runs
  # A run that is missing is an error now, and not in hours.
  configs = [load_config(run, how.options.say) for run in runs]
  files = ScoreFiles(out or run for run in runs)
  rows, compared = [], []
  try:
    for run, config in zip(runs, configs, strict=True):
      shown, trained_on = [], ''
      for images, scores, record, pair in how.of_run(run):
        label = f'{run} {images:,}'
        rows.append((label, scores, record))
        tell(record)
        files.add(
            out or run, f'{os.path.basename(os.path.normpath(run))}_{images}',
            record, pair, 'memorised' in named(how.metrics))
        how.options.say(f'{label} is scored')
        shown.append(images)
        if pair.train and not trained_on:
          trained_on = pair.train.source.digest()
      compared.append(fair_comparison.Compared(config, shown, trained_on))
  except BaseException:  # Ctrl-C too.
    if rows:
      files.break_off(_lines(rows), how.options.say)
    raise
  return files.close(_lines(
      rows, differ_by_seed(configs) and len(rows) == len(runs),
      fair_comparison.differences(compared)), how.options.say)


def _lines(rows, seeds=False, notes=()):
  if len(rows) == 1:
    return text.sheet(*rows[0][1:])
  return text.rows(rows, seeds, notes)


def score_sets(real: Source, fake: Source, metrics: str | Sequence[str],
               options: Options, out: str = '',
               tell: Tell = _nothing) -> list[str]:
  """Scores two sets of pictures without a GAN; see `score_runs`."""
  # All of them count, whatever the protocol draws of a generator.
  pair = Pair(real, fake, options._replace(
      protocol=dataclasses.replace(options.protocol, n_fake=0)))
  files = ScoreFiles([out] if out else [])
  scores, record = evaluate.compute(pair, metrics)
  record = {'fake': fake.name, **record}
  tell(record)
  if out:
    files.add(out, fake.name, record, pair, 'memorised' in named(metrics))
  return files.close(text.sheet(scores, record), options.say)


def save_stats(real: Source, options: Options, path: str) -> str:
  """Writes mu and sigma of the features of a set; returns the path.

  Args:
    real: the pictures.
    options: the protocol and, in place of its own, the features.
    path: see moments_file.write.
  """
  moments_file.check_path(path)
  pair = Pair(real, real, options)
  pair.check_pictures('save_stats')
  pair.want((pair.spec,))
  name, tap = table.parse(pair.spec)
  return moments_file.write(path, pair.real.moments(pair.spec), {
      'protocol': options.name, 'features': f'{name}:{tap}',
      'pictures': real.name,
      'extractor': pair.extractors.about()[name]})


def differ_by_seed(configs: Sequence[Config]) -> bool:
  """Whether these are one experiment with several seeds."""
  first = dataclasses.replace(configs[0], seed=0)
  alike = all(not schema.differences(
      dataclasses.replace(config, seed=0), first)[1] for config in configs)
  seeds = {config.seed for config in configs}
  return len(configs) > 1 and alike and len(seeds) == len(configs)
