"""--dry_run: what a run would do, before it does it."""
import functools
import math
import os

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import check_batch, sharded_step
from msg_gan_jax.report import grids, scatter, text
from msg_gan_jax.training import initial_state, scorer

# On a CPU: of a process that has imported jax and compiled a step, and what
# convolutions take beside what XLA plans for them, as
# docs/studies/memory.md found.
PROCESS_BYTES = 900 * 2**20
SCRATCH = 1.25
SAY = functools.partial(print, flush=True)  # at once, also into a pipe


def dry_run(config, sheet, say=SAY):
  """Two stages: shapes at once, then the data and the compiled step.

  Args:
    config: Config.
    sheet: path of the contact sheet of real pictures, a PNG.
    say: prints a line.

  Raises:
    ValueError: whatever is wrong with the settings or the data.
  """
  gan = build(config)
  over = data_mesh()
  check_batch(config, over)
  scorer.check(config.evaluate)
  key = jax.random.key(0)
  state = jax.eval_shape(gan.init, key)
  usual = gan.phase(_usual(config.train))
  _, logs = jax.eval_shape(
      lambda *args: gan.step(*args, usual), state, _batch(config, usual), key)
  z = jax.ShapeDtypeStruct((1, config.networks.latent), jnp.float32)
  images = jax.eval_shape(
      gan.sample, state, z, jax.ShapeDtypeStruct((1,), jnp.int32))
  say('shapes')
  say(f'  G {count(state.g.params):,} parameters, '
      f'D {count(state.d.params):,} parameters')
  say('  images ' + ', '.join(
      'x'.join(map(str, x.shape[1:])) for x in images))
  say(f'  a step shows {_shown(gan, config)} images; its logs: '
      f'{", ".join(logs)}')

  splits = open_source(config)
  say('data')
  warnings = initial_state.check_classes(config.networks, splits)
  for line in (*describe(splits), *(f'warning: {line}' for line in warnings)):
    say(f'  {line}')
  picked = np.linspace(0, len(splits.train) - 1, min(64, len(splits.train)))
  picked = picked.astype(np.int64)
  os.makedirs(os.path.dirname(sheet) or '.', exist_ok=True)
  found = splits.train.images(picked)
  if pyramid.are_points(splits.train.shape):
    grids.save(sheet, scatter.scatter(found.reshape(-1, 2), ()))
  else:
    grids.save(sheet, grids.grid(found), config.data.resolution)
  say(f'  contact sheet: {sheet}')
  say('  more about the pictures: --mode=inspect instead of --dry_run')

  say('step')
  for line in cost(gan, config, over):
    say(f'  {line}')


def _shown(gan, config):
  """Real images of a step, at each resolution of a GAN that grows."""
  if not config.train.grow_from:
    return f'{gan.step_images:,}'
  sizes = pyramid.ladder(*config.data.shape[:2])
  phases = sorted({gan.phase(i).level: gan.phase(i) for i in _begins(
      gan, config.train)}.items())
  return ', '.join(f'{phase.images:,} at {sizes[level]} px'
                   for level, phase in phases)


def count(params):
  """How many numbers a tree holds."""
  return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(params))


def _batch(config, phase):
  shape = config.train.n_dis, phase.batch
  points = pyramid.are_points(config.data.shape)
  return Batch(
      jax.ShapeDtypeStruct((*shape, *config.data.shape),
                           jnp.float32 if points else jnp.uint8),
      jax.ShapeDtypeStruct(shape, jnp.int32))


def _usual(train):
  """Images before the first step like most: at first WGAN updates D alone."""
  return train.more_first_g_steps * train.n_dis_more * train.batch


def describe(splits):
  """Lines about a data set: counts, labels, and what its source noted."""
  train = splits.train
  held_out = 0 if splits.held_out is None else len(splits.held_out)
  yield (f'{train.name}: {len(train):,} pictures to train on, '
         f'{held_out:,} held out, {"x".join(map(str, train.shape))}')
  if train.classes:
    labels = train.labels(np.arange(len(train)))
    counts = np.bincount(labels, minlength=len(train.classes))
    yield f'{len(train.classes)} classes: ' + ', '.join(
        f'{i} {name} ({n:,})' for i, (name, n) in
        enumerate(zip(train.classes, counts, strict=True)))
  else:
    yield 'no labels'
  for name, note in train.notes.items():
    yield f'{name}: {text.plain(note)}'


def lowered(gan, config, over):
  """The steps of a period of penalties, traced and not yet compiled.

  Returns:
    (their phases in order, {phase: jax.stages.Lowered}). Of WGAN, whose first
    steps train D alone, they are steps after that; of a chain of GANs, and of
    one that grows, there is a period for each level.
  """
  phases = [phase for begin in _begins(gan, config.train)
            for phase in _period(gan, begin, config.objective)]
  state = jax.eval_shape(gan.init, jax.random.key(0))
  step = sharded_step(gan, over)
  return phases, {
      phase: step.lower(
          state, _batch(config, phase), jax.random.key(0), phase)
      for phase in set(phases)}


def _begins(gan, train):
  """Images before the first step of each level, or of the steps like most."""
  if train.grow_from:
    unit = train.grow_stable_images + train.grow_fade_images
    begins = 0, *range(train.grow_stable_images, train.total_images, unit)
  elif train.level_images:
    begins = range(0, train.total_images, train.level_images)
  else:
    return [_usual(train)]
  # Later ones are of the last level again.
  return {gan.phase(images).level: images for images in reversed(begins)
          }.values()


def _period(gan, begin, objective):
  """The phases from an image on, until they come again."""
  every = math.lcm(
      objective.penalty_every_d_steps,
      objective.g_penalty_every_g_steps if objective.g_penalty != 'none' else 1)
  phases = []
  for _ in range(every):
    phases.append(gan.phase(begin))
    begin += phases[-1].images
  return phases


def flops(phases, stages):
  """Mean arithmetic of a step; stages: {phase: lowered, or compiled}."""
  return np.mean([
      (stages[phase].cost_analysis() or {}).get('flops', np.nan)
      for phase in phases])


def cost(gan, config, over):
  """Lines about the compiled step: arithmetic and memory of one device."""
  phases, stages = lowered(gan, config, over)
  compiled = {phase: stage.compile() for phase, stage in stages.items()}
  total = flops(phases, compiled)
  memory = [x.memory_analysis() for x in compiled.values()]
  shown = np.mean([phase.images for phase in phases])
  yield (f'{total / 1e9:,.2f} GFLOP, {total / shown / 1e9:,.3f} '
         f'an image; mean of {len(phases)} step{"s" * (len(phases) > 1)}')
  on_cpu = jax.default_backend() == 'cpu'
  yield (f'{_mb(max(x.argument_size_in_bytes for x in memory))} of state and '
         f'batch, {_mb(max(x.temp_size_in_bytes for x in memory))} of '
         f'temporaries: {_mb(peak(memory))} at the peak' + (
             ', the process itself among them' if on_cpu else ''))


def peak(memory):
  """Most bytes that steps need at a time, of their memory_analysis.

  On a CPU that is of the whole process: Python, jax and the compiled programs
  have their share. The results take the place of the donated state.
  """
  own, scratch = (PROCESS_BYTES, SCRATCH) if (
      jax.default_backend() == 'cpu') else (0, 1.)
  return own + max(
      x.argument_size_in_bytes + scratch * x.temp_size_in_bytes for x in memory)


def _mb(size):
  return f'{size / 2**20:,.0f} MB'
