"""What is looked at while a GAN trains: losses, stability, grids, scores.

The loop (training/run.py) has a list of observers. It runs those that are
due, and puts what they return into one record of metrics.jsonl. To watch
something else, write a class such as

  class GeneratorNorm(Observer):
    every = 10_000

    def run(self, view):
      return {'g_norm': float(optax.tree.norm(view.state.g.params))}

and train with it: `train(config, workdir, observers=[GeneratorNorm()])`.
"""
from collections.abc import Callable, Mapping
import dataclasses
import pathlib
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from msg_gan_jax.config import Config
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.files.atomic import write_json
from msg_gan_jax.gan import pyramid, schedules
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.sampling import labels_like, summary_latents
from msg_gan_jax.gan.state import State
from msg_gan_jax.metrics.functional import training_stability
from msg_gan_jax.report import grids, scatter
from msg_gan_jax.training import kept, monitor, summary
from msg_gan_jax.training.means import Means
from msg_gan_jax.training.scorer import Scorer

Logs = Mapping[str, float]
Values = Mapping[str, Any]  # Of a record; see Observer.run.


class Moment(NamedTuple):
  """Where a run stands after a step; this alone decides what is due.

  Attributes:
    before: real images shown before the step.
    images: real images shown after it. Before the first step both are 0.
    ended: whether it was the last step.
  """
  before: int
  images: int
  ended: bool = False

  def passed(self, every: int) -> bool:
    """Whether a multiple of `every` images was reached in this step."""
    return schedules.crossed(self.before, self.images, every)


@dataclasses.dataclass(frozen=True)
class View:
  """What an observer may see of a run.

  In a run of several processes all of them run the observers; `render`, and
  whatever else computes on the devices, has to be called by all alike.

  Attributes:
    images: real images shown so far; 0 before the first step.
    state: the State now. The next step takes its arrays: keep copies only.
    logs: {name: number} of the last step. They are finite, as are those of
      every step before it. Empty before the first step.
    render: see gan.sampling.renderer.
    folder: that of the run.
    main: whether this is the process that writes files.
    say: prints a line for people.
    show: takes (tag, uint8 [H, W, C]), a picture for writers.
    offer: takes a score; the state now is kept if that is the best so far by
      config.evaluate.best.

  Only the main process says and shows anything; others may call both.
  """
  images: int
  state: State
  logs: Logs
  render: Callable[..., tuple[np.ndarray, ...]]
  folder: pathlib.Path
  main: bool
  say: Callable[[str], Any]
  show: Callable[[str, np.ndarray], None]
  offer: Callable[[float], None]


class Observer(Protocol):
  """Something that looks at a run now and then.

  Attributes:
    every: real images shown between two looks.
  """
  every: int

  def due(self, moment: Moment) -> bool:
    """Whether to run after this step, or, at 0 images, before the first.

    It must depend on nothing else, so that a run that was stopped or killed
    has the same records as one that was not.
    """
    return moment.ended or moment.passed(self.every)

  def run(self, view: View) -> Values:
    """Looks, and returns {name: number} for the record of this moment.

    {name: {name: number}} is recorded too, but not drawn.
    The record is that of the main process; at 0 images none is written. If an
    observer raises an error, a checkpoint that is due is saved first, and then
    the run ends with this error.
    """
    ...

  def close(self) -> None:
    """Ends what runs in the background, once the run ends or breaks off."""
    return


class Losses(Observer):
  """The logs of the steps since the last record: their means, mostly.

  Args:
    every: config.train.log_every_images.
    means: of the steps since the last record.

  Attributes:
    means: the loop adds each step to it, and clears it once a multiple of
      `every` images is recorded. It is saved with a checkpoint, so that a run
      that continues has the means of one that was never broken. What an end
      between two multiples has recorded stays in it: a run that is made longer
      has the means of one that was so long from the beginning.
  """

  def __init__(self, every: int, means: Means):
    self.every, self.means = every, means

  def run(self, view: View) -> Values:
    return self.means.values()


class Stability(Observer):
  """How far the samples of fixed latents moved in an epoch.

  Args:
    every: images of an epoch.
    z: [n, latent], the fixed latents.
    before: their samples at the end of the last epoch, a pyramid of arrays on
      the devices. In a new run they are replaced before the first step.

  Attributes:
    before: the samples that the next ones are compared with. They are a part
      of a checkpoint, so that a run that continues compares with the same.
  """

  def __init__(self, every: int, z: np.ndarray,
               before: tuple[jax.Array, ...]):
    self.every, self.before = every, before
    self._z = z

  def due(self, moment: Moment) -> bool:
    return not moment.images or moment.passed(self.every)

  def run(self, view: View) -> Values:
    samples = view.render(view.state, self._z)
    before = jax.device_get(self.before)
    self.before = jax.device_put(
        samples, jax.tree.map(lambda x: x.sharding, self.before))
    if not view.images:
      return {}
    return {'epoch': view.images // self.every,
            **monitor.stability(before, samples)}


class Grid(Observer):
  """Samples of fixed latents as a PNG, and signs of health that they show.

  The signs are the samples' variety beside that of the reals, how far their
  scales agree, and which scales D looks at. Low variety is told as a warning.

  Args:
    every: config.train.sample_every_images.
    gan: Gan.
    z: [n, latent], the fixed latents; pictures show the first monitor.GRID.
    train: Source; points are drawn over some of its own.
    variety: monitor.variety_of_reals of it.
  """

  def __init__(self, every: int, gan: Gan, z: np.ndarray, train: Source,
               variety: float | None):
    self.every = every
    self._z, self._train, self._variety = z, train, variety
    self._attention = kept.attention_of(gan)

  def due(self, moment: Moment) -> bool:
    return not moment.images or super().due(moment)

  def run(self, view: View) -> Values:
    samples = view.render(view.state, self._z)
    few = tuple(level[:monitor.GRID] for level in samples)
    if view.main:
      folder = view.folder / 'samples'
      folder.mkdir(exist_ok=True)
      grid = self._draw(samples[-1], few)
      grids.save(folder / f'images_{view.images:010d}.png', grid)
      view.show('samples', grid)
    if not view.images:
      return {}
    return {**self._diversity(view, samples[-1]), **monitor.consistency(few),
            **self._attention(view.state, few)}

  def _diversity(self, view, finest):
    """How far samples differ, by what reals do; nothing of a single real."""
    if self._variety is None:
      return {}
    diversity = training_stability.pairwise(finest) / max(self._variety, 1e-8)
    if diversity < monitor.COLLAPSE:
      view.say(
          f'warning: at {view.images:,} images the samples differ by only '
          f'{diversity:.0%} of what the reals do: G may have collapsed')
    return {'diversity': diversity}

  def _draw(self, finest, few):
    """The picture of all points over real ones, or of a few samples."""
    if not pyramid.are_points(finest.shape[1:]):
      return grids.scales_side_by_side(few)
    count = min(len(self._train), len(finest))
    real = self._train.images(np.arange(count))
    return scatter.scatter(real.reshape(-1, 2), finest.reshape(-1, 2))


class Measurement(Observer):
  """Distances and scores of samples: printed, recorded, in summary.json.

  Both are of the same samples, whose latents are the same at every
  measurement.

  Args:
    every: config.train.measure_every_images.
    gan: Gan.
    distances: see summary.choose.
    scorer: for the rows of config.evaluate.metrics; None for points. It knows
      which score is offered.
  """

  def __init__(self, every: int, gan: Gan, distances: summary.Summary,
               scorer: Scorer | None = None):
    self.every, self.scorer = every, scorer
    self._gan, self._distances = gan, distances

  def run(self, view: View) -> Values:
    scorer = self.scorer if self.scorer and self.scorer.metrics else None
    distances = None if self._distances.lacks else self._distances
    if not (scorer or distances):
      return {}
    fake, labels = self._samples(view, max(
        x.count for x in (distances, scorer) if x))
    if scorer and scorer.weights == 'raw':
      scored, _ = self._samples(view, len(fake), 'raw')
    else:
      scored = fake
    values: dict[str, Any] = {}
    if view.main:
      record, texts = {}, [f'after {view.images:,} images']
      references: dict[str, dict[str, float]] = {'reals': {}}
      if distances:
        record = distances.measure(fake[:distances.count])
        texts.append(distances.table(record))
        values |= distances.values(record)
        references = distances.references_of(record)
      if scorer:
        scores, sheet, record['scores'] = scorer.measure(
            scored[:scorer.count], labels, view.state)
        texts.append(sheet)
        values |= scores
        references['reals'] |= {
            name: score['reals']
            for name, score in record['scores']['scores'].items()
            if score.get('reals') is not None}
      values['references'] = references
      write_json(view.folder / 'summary.json', {
          'images': view.images, **record})
      for line in '\n'.join(texts).split('\n'):
        view.say(line)
    if self.scorer:
      view.offer(self.scorer.sought(values))
    return values

  def _samples(self, view, count, weights='ema'):
    """(uint8 [count, H, W, C], their labels or None); the same latents always.

    Classes are as frequent as among the reals. If G adds noise, each picture
    has its own: with the same noise, pictures would look too much alike.
    """
    gan = self._gan
    z = summary_latents(gan, count)
    labels = labels_like(
        self._distances.labels, count) if gan.classes else None
    noise = jax.random.key(0) if gan.layers else None
    levels = view.render(view.state, z, labels, weights, key=noise)
    return levels[-1], labels


def measurement(config: Config, gan: Gan, splits: Splits,
                view: View) -> Measurement:
  """What config.evaluate asks to be measured, of a run where it goes on.

  Raises:
    ValueError: a metric that these pictures or this GAN cannot have, or weights
      that are missing. What only needs more pictures is left out, and said.
  """
  distances = summary.choose(
      splits, 'ema' if schedules.averages(config) else 'raw')
  scorer = None
  if distances.scorable:
    scorer = Scorer(splits, config, gan, view.say)
    _say_what_is_missing(config.evaluate.best, distances, scorer, view.say)
  return Measurement(
      config.train.measure_every_images, gan, distances, scorer)


def _say_what_is_missing(best, distances, scorer, say):
  """A warning of what more pictures, or larger ones, would tell."""
  missing = [*filter(None, [distances.lacks]), *scorer.left_out.values()]
  if missing:
    unknown = distances.lacks if best == 'swd' else best in scorer.left_out
    say(f'warning: not all is measured: {"; ".join(missing)}.'
        + (' No best checkpoint is kept.' if unknown else ''))
