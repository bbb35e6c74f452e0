"""Scores that compare features of pictures; each function is a row's."""
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.functional import (
  frechet,
  inception_score,
  kid,
  memorisation,
  path_length,
  per_class,
  precision_recall,
)
from msg_gan_jax.metrics.pair import Pair
from msg_gan_jax.metrics.score import Score, error_of_share, with_class_names

INCEPTION = 'inception:2048'  # Of other features, FID has another name.
CLASSES = 'classifier:logits'
LPIPS = 'lpips'
NEIGHBOURS = 5  # Naeem et al. 2020.


def fid_scores(pair: Pair) -> list[Score]:
  """The Fréchet distance of features.

  Source: Heusel et al. 2017 (arXiv:1706.08500), eq. 6.
  """
  spec, ddof = pair.spec, pair.protocol.ddof
  real, fake = pair.real.moments(spec), pair.fake.moments(spec)
  distance = frechet.frechet(real, fake, ddof)
  floor = pair.real.floor('fid', spec, lambda a, b: frechet.frechet(
      frechet.moments(a), frechet.moments(b), ddof).value)
  # The error looks at each fake once more.
  error = None if pair.fake.streams(spec) else frechet.standard_error(
      real, pair.fake.features(spec), ddof)
  return [Score(
      'fid' if is_inception(spec) else 'frechet', distance.value, error, spec,
      floor, _rest(distance), distance.warnings)]


def fid_infinity_scores(pair: Pair) -> list[Score]:
  """The Fréchet distance of infinitely many fakes.

  Source: Chong & Forsyth 2020 (arXiv:1911.07023).
  """
  spec = pair.spec
  limit = frechet.infinity(
      pair.real.moments(spec), pair.fake.features(spec),
      seed=pair.options.seed, ddof=pair.protocol.ddof)
  name = 'fid_infinity' if is_inception(spec) else 'frechet_infinity'
  return [Score(name, limit.value, limit.standard_error, spec,
                about=_rest(limit), warnings=limit.warnings)]


def kid_scores(pair: Pair) -> list[Score]:
  """The kernel distance of features.

  Source: Binkowski et al. 2018 (arXiv:1801.01401), sec. 4.
  """
  spec, protocol = pair.spec, pair.protocol

  def measure(real, fake):
    return kid.kid(real, fake, protocol.subsets, protocol.subset)

  distance = measure(pair.real.features(spec), pair.fake.features(spec))
  floor = pair.real.floor('kid', spec, lambda a, b: measure(a, b).value)
  return [Score('kid', distance.value, distance.standard_error, spec, floor,
                _rest(distance), distance.warnings)]


def inception_scores(pair: Pair) -> list[Score]:
  """The inception score; of another classifier, the classifier score.

  Source: Salimans et al. 2016 (arXiv:1606.03498), sec. 4.
  """
  protocol, spec = pair.protocol, logits_spec(pair)
  # The order of a set, and so of the reals, may be that of its classes.
  shuffle = protocol.splits > 1 and (protocol.shuffle or pair.given)
  fake, real = (
      inception_score.inception_score(
          logits, min(protocol.splits, len(logits)), shuffle)
      for logits, shuffle in ((pair.fake.features(spec), shuffle),
                              (pair.real.features(spec), True)))
  # The splits are independent, so the error of their mean is as of any mean.
  error = fake.std / np.sqrt(fake.splits - 1) if fake.splits > 1 else None
  return [Score(
      'is' if is_inception(pair.spec) else 'classifier_score', fake.value,
      error, spec, real.value, {'std': fake.std, 'splits': fake.splits,
                                'shuffle': fake.shuffle}, fake.warnings)]


def precision_recall_scores(pair: Pair) -> list[Score]:
  """Precision and recall of features.

  Source: Kynkaanniemi et al. 2019 (arXiv:1904.06991), eqs. 1 to 3.
  """
  spec, protocol = pair.manifold_spec, pair.protocol

  def measure(real, fake):
    return precision_recall.precision_recall(
        real, fake, protocol.k, protocol.closed)

  shares = measure(pair.real.features(spec), pair.fake.features(spec))
  floor = _floor_of_neighbours(pair, 'precision_recall', protocol.k, measure)
  # Precision is a share of independent fakes. Recall is of reals, near to fakes
  # that they have in common: no such law holds. So it is with the next two.
  return [
      Score('precision', shares.precision,
            error_of_share(shares.precision, len(pair.fake)), spec,
            floor and floor.precision, {'k': protocol.k}),
      Score('recall', shares.recall, None, spec, floor and floor.recall,
            {'k': protocol.k})]


def density_coverage_scores(pair: Pair) -> list[Score]:
  """Density and coverage of features.

  Source: Naeem et al. 2020 (arXiv:2002.09797), eqs. 4 and 5.
  """
  spec = pair.manifold_spec

  def measure(real, fake):
    return precision_recall.density_coverage(
        real, fake, NEIGHBOURS)

  shares = measure(pair.real.features(spec), pair.fake.features(spec))
  floor = _floor_of_neighbours(
      pair, 'density_coverage', NEIGHBOURS, measure)
  return [
      Score('density', shares.density, None, spec, floor and floor.density,
            {'k': NEIGHBOURS}),
      Score('coverage', shares.coverage, None, spec, floor and floor.coverage,
            {'k': NEIGHBOURS})]


def _floor_of_neighbours(pair, name, k, measure):
  """None where a half of the reals has too few rows to have k neighbours."""
  return pair.real.floor(
      name, pair.manifold_spec,
      lambda a, b: measure(a, b) if len(a) > k else None)


def intra_fid_scores(pair: Pair) -> list[Score]:
  """Mean over the classes of the Fréchet distance within one.

  Source: Miyato & Koyama 2018 (arXiv:1802.05637), sec. 4.1.
  """
  spec, ddof = pair.spec, pair.protocol.ddof

  def distance(real, fake):
    return frechet.frechet(
        frechet.moments(real), frechet.moments(fake), ddof).value

  distances = per_class.by_class(
      distance, pair.real.features(spec), pair.real.labels(),
      pair.fake.features(spec), pair.fake.labels())
  name = 'intra_fid' if is_inception(spec) else 'intra_frechet'
  return [Score(name, distances.mean, features=spec, about={
      'by_class': with_class_names(
          distances.by_class, pair.real.source.classes)})]


def class_accuracy_scores(pair: Pair) -> list[Score]:
  """Share of samples that a classifier of reals takes for their class.

  Source: Shmelkov et al. 2018 (arXiv:1807.09499), GAN-test.
  """
  fake, real = (per_class.accuracy(side.features(CLASSES), side.labels())
                for side in (pair.fake, pair.real))
  accuracy = pair.extractors.get('classifier').about['held_out_accuracy']
  return [Score('class_accuracy', fake, error_of_share(fake, len(pair.fake)),
                CLASSES, real, {'classifier': accuracy['label']})]


def memorisation_scores(pair: Pair) -> list[Score]:
  """How near samples lie to training pictures, beside held-out reals.

  Half of the samples of a generator that copies nothing lie nearer to training
  pictures than to as many held-out ones.

  Source: Alaa et al. 2022 (arXiv:2102.08921), sec. 4.3; after Meehan et al.
  2020 (arXiv:2004.05675).
  """
  spec, held_out = pair.manifold_spec, pair.held_out
  train = (pair.train or pair.real).features(spec)
  fake = pair.fake.features(spec)
  fakes = memorisation.authenticity(train, fake)
  authentic = Score(
      'authentic', fakes.authentic, error_of_share(fakes.authentic, len(fake)),
      spec, about={'copies': int((fakes.distance == 0).sum())})
  if not (pair.train and held_out):
    return [authentic]
  # Of fresh pictures: it depends on how many there are to be near to.
  reals = held_out.cached(('authentic', spec), lambda: (
      memorisation.authenticity(train, held_out.features(spec)).authentic))
  nearer = memorisation.nearer_to_train(
      train, held_out.features(spec), fake, pair.options.seed)
  return [authentic._replace(reals=reals), Score(
      'nearer_to_train', nearer.share, nearer.standard_error, spec, .5,
      {'rows': nearer.rows})]


def ppl_scores(pair: Pair) -> list[Score]:
  """Path length by LPIPS, or, where features are given, by their distance.

  Source: Karras et al. 2019 (arXiv:1812.04948), sec. 4.1.
  """
  paths = getattr(pair.fake.source, 'paths', None)
  if paths is None:
    raise ValueError(
        'metrics: ppl walks through latents, and pictures alone have none; '
        'wanted a metrics.sets.Samples with paths in Python, or a run, such as '
        'workdir=runs/quickstart, on the command line.')
  spec = path_spec(pair)
  distance = (pair.extractors.lpips().apply if spec == LPIPS
              else pair.feature_distance(spec))
  length = path_length.path_length(
      paths.draw, lambda w, key: 127.5 * paths.synthesize(w, key) + 127.5,
      distance, space=paths.space, count=len(pair.fake),
      seed=pair.options.seed)
  about = _rest(length)
  return [Score('ppl' if spec == LPIPS else 'path_length', length.value,
                length.standard_error, spec,
                about={'count': about.pop('steps'), **about})]


def path_spec(pair: Pair) -> str:
  """The features whose distance a path length is measured in."""
  local = pair.options.name == 'local' or pair.options.features
  return pair.spec if local else LPIPS


def logits_spec(pair: Pair) -> str:
  """The logits of the network whose features FID looks at.

  Raises:
    ValueError: it is not a classifier.
  """
  name, _ = table.parse(pair.spec)
  logits = table.FEATURES[name].logits
  if logits is None:
    raise ValueError(
        f"metrics: 'is' needs the classes of a classifier, and features="
        f'{name} does not have any; wanted features=inception or '
        'features=classifier.')
  return f'{name}:{logits[0 if pair.protocol.bias else 1]}'


def is_inception(spec: str) -> bool:
  """Whether these are the features that FID is defined by."""
  return ':'.join(table.parse(spec)) == INCEPTION


def _rest(result: NamedTuple) -> dict[str, Any]:
  """What a record says of a result besides the score itself."""
  return {name: value for name, value in result._asdict().items()
          if name not in ('value', 'standard_error', 'warnings')}
