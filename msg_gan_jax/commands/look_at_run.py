"""A run and pictures -> the atlas of its D, computed in this order."""
import dataclasses
import os
from typing import Any

import jax
import numpy as np

from msg_gan_jax.analysis.discriminator import atlas, evidence, rules
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import Programs
from msg_gan_jax.analysis.discriminator.receptive_fields import Fields
from msg_gan_jax.analysis.discriminator.shown import (
  OfGenerator,
  OfSource,
  Part,
  Pictures,
  Shown,
)
from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.arrays.indices import at_random, evenly
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.commands import atlas_files, trained_run
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.data.sources import Splits, open_source
from msg_gan_jax.files import console, progress
from msg_gan_jax.gan import compatibility, sampling
from msg_gan_jax.metrics import sets
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import experiment_file
from msg_gan_jax.runs.checkpoints import DamagedError
from msg_gan_jax.runs.load import LoadedRun, checkpoints_of, states

USUAL = 2048  # Pictures.
BESIDE = 512  # Reals, and samples, beside pictures of a person.
MOST_LAYERS = 16  # That are shown where none are named.
MOST_CHECKPOINTS, MOST_IN_TIME, PICTURES_IN_TIME = 10, 8, 512
EXTREMES = 4  # Pictures in which evidence is shown, of each end.
REALS, SAMPLES, PICTURES = 'reals', 'samples', 'pictures'


@dataclasses.dataclass(frozen=True)
class How:
  """What is looked at.

  Attributes:
    layers: names; () are all, or MOST_LAYERS of more.
    rule: a row of rules.RULES.
    maps: of a layer, at most.
    numbers: of the maps of the one layer that is named; () are those of the
      largest spread.
    count: pictures; None is USUAL, or all that a person gives.
    pictures: what a person gives, one place; () is reals and samples.
  """
  layers: tuple[str, ...]
  rule: str
  maps: int
  numbers: tuple[int, ...]
  count: int | None
  pictures: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Looked:
  """All that was found, for the files.

  Attributes:
    workdir, images: of the run, and real images shown before its checkpoint.
    how: what was asked for.
    shown: the pictures of the atlas; every: these, and those beside them.
    notes: sentences on them.
    logits: float [n] of `every`.
    ranking: of the pictures of the atlas.
    layers: all that D has, with the shapes of their activations.
    evidence: in the most real and most fake of the pictures.
  """
  workdir: str
  images: int
  how: How
  shown: Shown
  every: Shown
  notes: list[str]
  logits: np.ndarray
  ranking: evidence.Ranking
  layers: dict[str, tuple[int, ...]]
  evidence: evidence.Evidence


def write(workdir: str, out: str, how: How) -> str:
  """Writes the atlas into a folder; returns the path of its page.

  Args:
    workdir: folder of the run.
    out: the folder, made if need be.
    how: what is looked at.

  Raises:
    ValueError: no run, none with anything to see, or what `how` names wrongly.
  """
  rules.RULES.check(how.rule)
  through = shared.CHECKPOINTS.value == 'all'
  if through:
    checkpoints_of(workdir, 'all')
  loaded = trained_run.load_run('newest' if through else '')
  compatibility.check_seen(loaded.gan.components, loaded.images)
  judge = Judge.of(loaded.gan, loaded.state.d)
  _check(judge, how)
  every, notes = _pictures(workdir, loaded, how)
  kinds = (PICTURES,) if how.pictures else (REALS, SAMPLES)
  looked_at = every.of(*kinds)
  has_maps = len(looked_at) >= atlas.NINE
  if how.layers:
    atlas.check_count(len(looked_at))
  if not has_maps:
    notes.append(
        f'No maps of layers are shown, which takes {atlas.NINE} pictures.')
    console.say_aside(f'note: {notes[-1]}')
  tops, logits = _pass(judge, how, every, kinds, has_maps)
  layers, left_out = _layers(tops, how) if has_maps else ([], [])
  # The kinds of the atlas come first, so that both number them alike.
  ranking = _only(
      evidence.rank(every, logits, (REALS, SAMPLES)), len(looked_at))
  console.say_aside('compiling what leads down to the pixels ...')
  found = evidence.evidence(judge, every, _ends(ranking.numbers))
  looked = Looked(workdir, loaded.images, how, looked_at, every,
                  [*notes, *left_out], logits, ranking, judge.shapes, found)
  os.makedirs(out, exist_ok=True)
  files = atlas_files.Files(out, looked)
  if has_maps:
    programs = Programs(judge, _with_logit(layers), how.rule,
                        fewest=min(map(len, every.kinds)))
    fields = Fields(judge, layers)
    chosen = {how.layers[0]: np.array([*dict.fromkeys(how.numbers)])} if (
        how.numbers) else atlas.choose(
            {layer: tops[layer] for layer in layers}, how.maps)
    total = sum(len(maps) for maps in chosen.values()) * atlas.NINE
    with progress.bar(total=total, desc='projections', unit='') as bar:
      for view in atlas.views(programs, fields, judge, every, tops, chosen,
                              bar.update):
        files.add(view)
    if through:
      _through_time(
          loaded, programs, fields, looked_at, chosen, files, workdir)
  return files.close()


def _check(judge, how):
  """Refuses names, numbers and a rule that this D has no use for."""
  for layer in how.layers:
    judge.check(layer)
  rules.check_fits(judge.activations, judge.inputs(), how.rule)
  if how.numbers:
    if len({*how.layers}) != 1:
      raise ValueError('--map: numbers are of the maps of one layer; wanted '
                       'one, such as --layer=' + next(iter(judge.shapes)))
    layer = how.layers[0]
    count = (1, *judge.shapes[layer])[-1]
    for number in how.numbers:
      if not 0 <= number < count:
        raise ValueError(
            f'--map={number}: {layer} has {plural(count, "map")}, whose '
            f'numbers are 0 to {count - 1}.')


def _layers(tops, how):
  """(names of the layers that are shown, sentences on those that are not)."""
  if how.layers:
    return [*dict.fromkeys(how.layers)], []
  names, same = atlas.unlike(tops)
  left_out = ', '.join(f'{layer} ({twin})' for layer, twin in same.items())
  notes = [f'Left out, for they say what others say: {left_out}.'
           ] if same else []
  if len(names) > MOST_LAYERS:
    notes.append(f'{MOST_LAYERS} of {len(names)} layers; --layer names others.')
  return [names[i] for i in evenly(len(names), MOST_LAYERS)], notes


def _with_logit(layers):
  return [*dict.fromkeys([*layers, LOGIT])]


def _pass(judge, how, every, kinds, has_maps):
  """(tops of the atlas, logits of all)."""
  layers = _with_logit(how.layers or judge.shapes) if has_maps else [LOGIT]
  programs = Programs(
      judge, layers, how.rule, fewest=min(map(len, every.kinds)))
  console.say_aside('compiling D ...')
  with progress.bar(total=len(every), desc='pictures', unit='') as bar:
    return atlas.strongest(
        programs, judge, every, atlas.NINE if has_maps else 1, bar.update,
        kinds)


def _only(ranking, count):
  """The ranking of the first `count` pictures."""
  own = ranking.numbers < count
  return evidence.Ranking(
      ranking.numbers[own], ranking.logits[own],
      {kind: x[own] for kind, x in ranking.below.items()})


def _ends(numbers):
  """The most real and the most fake, each once; all of a few."""
  if len(numbers) <= 2 * EXTREMES:
    return numbers
  return np.concatenate([numbers[:EXTREMES], numbers[-EXTREMES:]])


def _pictures(workdir: str, loaded: LoadedRun,
              how: How) -> tuple[Shown, list[str]]:
  """All pictures, those of the atlas first, and sentences on them."""
  gan = loaded.gan
  splits: Splits = experiment_file.with_rows(
      workdir, lambda: open_source(loaded.config),
      trust_code=shared.TRUST_CODE.value)
  notes, kinds = list[str](), list[Pictures]()
  if how.pictures:
    kinds.append(_given(loaded, splits, how))
    notes.append(f'{plural(len(kinds[0]), "picture")} of {how.pictures[0]}.')
  elif shared.LABELS.value:
    raise ValueError(
        '--labels: means nothing without --pictures, whose classes it tells; '
        'reals have their own.')
  reals = splits.held_out
  if reals is None:
    reals = splits.train
    notes.append('No pictures of this run are held out: reals are those that '
                 'it was trained on, which D may know by heart.')
    console.say_aside(f'note: {notes[-1]}')
  wanted = BESIDE if how.pictures else -(-(how.count or USUAL) // 2)
  indices = at_random(len(reals), wanted)
  told = reals.labels(indices) if gan.classes else None
  kinds.append(OfSource(REALS, reals, indices, gan.sizes, told))
  kinds.append(_samples(loaded, len(indices), told))
  where = '' if reals is splits.train else 'held-out '
  if not how.pictures:
    atlas.check_count(sum(map(len, kinds)))
  notes.append(
      f'{len(indices):,} {where}reals, and as many samples of G'
      + (' beside them.' if how.pictures else '.'))
  return Shown(kinds), notes


def _samples(loaded, count, told):
  """As many samples as there are reals, of the same classes."""
  gan, state = loaded.gan, loaded.state
  seed, weights = shared.SEED.value, shared.WEIGHTS.value
  render = sampling.renderer(gan, data_mesh())
  z = sampling.summary_latents(gan, count, seed)
  if told is not None:
    told = sampling.labels_like(told, count)

  def draw(first, last) -> Any:
    key = jax.random.fold_in(
        jax.random.key(seed), first) if gan.layers else None
    return render(state, z[first:last],
                  None if told is None else told[first:last], weights, key=key)

  return OfGenerator(
      count, draw, sampling.at_once(gan.shapes[-1]), told,
      f'seed {seed}, sample')


def _given(loaded, splits, how):
  """The pictures that a person gives, as this run sees its own."""
  config = loaded.config
  if len(how.pictures) > 1:
    raise ValueError(
        f'--pictures: {len(how.pictures)} places; wanted one, such as a folder '
        'that has all.')
  source = sets.open_set(
      os.path.expanduser(how.pictures[0]), 'pictures',
      resolution=config.data.resolution, cache_dir=config.data.cache_dir,
      like=config.data, channels=config.data.channels)
  if source.shape != config.data.shape:
    sizes = ['x'.join(map(str, x)) for x in (config.data.shape, source.shape)]
    raise ValueError(
        f"--pictures: this run's D sees {sizes[0]}, and these are {sizes[1]}; "
        'wanted such, or files, which are converted.')
  indices = at_random(len(source), how.count or len(source))
  classes = config.networks.classes
  told = samples.repeat_labels(
      trained_run.labels(classes), len(indices), classes)
  if classes and told is None:
    if source.classes != splits.train.classes:
      raise ValueError(
          f"--labels: this run's D is told {classes} classes; wanted those of "
          'the pictures, such as --labels=3.')
    told = source.labels(indices)
  return OfSource(
      PICTURES, source, indices, loaded.gan.sizes, told)


def _through_time(loaded, programs, fields, looked_at, chosen, files, workdir):
  """The maps of the newest D in those of all checkpoints."""
  places = checkpoints_of(workdir, 'all')
  which = [places[i][1] for i in evenly(len(places), MOST_CHECKPOINTS)]
  numbers = at_random(len(looked_at), PICTURES_IN_TIME)
  parts = [Part(looked_at, x.kind, numbers) for x in looked_at.kinds]
  few = Shown([x for x in parts if len(x)])

  def judges():
    for images in which:
      try:
        for _, state in states(loaded.gan, workdir, str(images)):
          yield images, Judge.of(loaded.gan, state.d)
      except DamagedError as error:
        console.say_aside(f'warning: {error}')

  with progress.bar(total=len(few) * len(which), desc='checkpoints',
                    unit='') as bar:
    for images, found in atlas.through_time(
        programs, fields, judges(), few,
        {layer: maps[:MOST_IN_TIME] for layer, maps in chosen.items()},
        bar.update):
      files.add_moment(images, found, len(few))
