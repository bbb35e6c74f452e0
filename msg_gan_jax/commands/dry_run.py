"""--dry_run: what a run would do, before it does it."""
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import itertools
import math
import os
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
import numpy as np

from msg_gan_jax.analysis.dataset import at_once
from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import Config, schema
from msg_gan_jax.data import batches
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.data.sources import Splits, open_source
from msg_gan_jax.files import console
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.devices import ShardedStep, check_batch
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.report import grids, scatter, text
from msg_gan_jax.training import dynamics, first_start, initial_state, scorer

# On a CPU: what a process takes that has imported jax and compiled a step, and
# what convolutions take beside what XLA plans, as docs/studies/memory.md found.
PROCESS_BYTES = 900 * 2**20
SCRATCH = 1.25
PICTURES, PIXELS = 64, 2**22  # In the contact sheet, at most.


def dry_run(config: Config, sheet: str,
            say: Callable[[str], None] = console.say) -> None:
  """Says the shapes, then the data, and then what a compiled step needs.

  What is known without compiling comes first, within seconds. Big networks are
  compiled for minutes: whoever has read enough interrupts it.

  Args:
    config: of the run.
    sheet: path of the contact sheet of real pictures, a PNG.
    say: prints a line.

  Raises:
    ValueError: whatever is wrong with the settings or the data.
  """
  say = say if jax.process_index() == 0 else (lambda line: None)
  gan = build(config)
  mesh = data_mesh()
  check_batch(config, mesh)
  scorer.check(config.evaluate)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  say('shapes')
  say(f'  G {count_parameters(state.g.params):,} parameters, '
      f'D {count_parameters(state.d.params):,} parameters')
  say('  images ' + ', '.join(
      'x'.join(map(str, shape)) for shape in gan.shapes))
  say(f'  a step shows {_shown(gan, config)} images')
  say(f'  {_checkpoints(state, config.train)}')

  splits = open_source(config)
  chosen = first_start.reason(config, splits)
  config = first_start.with_choices(config, splits)
  say('data')
  for line in describe(splits):
    say(f'  {line}')
  if note := initial_state.check_classes(config, splits):
    say(f'  note: {note}')
  if chosen:
    say(f'  augment: {chosen}')
  for line in at_once.concerns(splits.train, config.data):
    say(f'  warning: {line}')
  os.makedirs(os.path.dirname(sheet) or '.', exist_ok=True)
  few = min(PICTURES, max(4, PIXELS // math.prod(config.data.shape[:2])))
  images = splits.train.images(evenly(len(splits.train), few))
  if pyramid.are_points(splits.train.shape):
    grids.save(sheet, scatter.scatter(images.reshape(-1, 2), ()))
  else:
    grids.save(sheet, grids.grid(images), config.data.resolution)
  say(f'  contact sheet: {sheet}')
  say('  more about the pictures: --mode=inspect instead of --dry_run')

  say('step')
  say(f'  {_devices(config, mesh, _state_bytes(state), splits.train)}')
  say('  compiling, for its arithmetic and memory; all else is said, and '
      'Ctrl-C ends it ...')
  for line in initial_state.concerns(gan, gan.init(
      jax.random.key(config.seed))):
    say(f'  warning: {line}')
  for line in describe_cost(build(config), config, mesh):
    say(f'  {line}')


def _shown(gan, config):
  """How many real images a step shows, at each resolution if the GAN grows."""
  if not config.train.grow_from:
    return f'{gan.step_images:,}'
  sizes = pyramid.ladder(*config.data.shape[:2])
  phases = sorted({gan.phase(i).level: gan.phase(i) for i in starts_of_levels(
      gan, config.train)}.items())
  return ', '.join(f'{phase.images:,} at {sizes[level]} px'
                   for level, phase in phases)


def _checkpoints(state, train):
  """How many checkpoints stay, and what they take of the disk."""
  size = _state_bytes(state)
  line = f'checkpoints: about {text.size(size)} each, {train.keep_checkpoints}'
  if not train.keep_every_images:
    return f'{line} stay'
  older = train.total_images // max(
      train.keep_every_images, train.checkpoint_every_images)
  return (f'{line} stay, and at most {older} older ones by '
          'config.train.keep_every_images: '
          f'{text.size(size * (older + train.keep_checkpoints))} in all')


def _state_bytes(state):
  return sum(math.prod(x.shape) * np.dtype(x.dtype).itemsize
             for x in jax.tree.leaves(state)
             if not jnp.issubdtype(x.dtype, jax.dtypes.extended))


def _devices(config, mesh, state_bytes, source):
  """What each device holds between steps, and which processes there are."""
  count = mesh.devices.size
  of = f' of {jax.process_count()} processes' if jax.process_count() > 1 else ''
  pictures = batches.resident_bytes(source, config, mesh)
  held = f'all pictures ({text.size(pictures)})' if pictures else (
      'no pictures, which are streamed')
  rows = '' if count == 1 else (
      f' and {config.train.batch // count} of the {config.train.batch} images '
      'of a batch')
  return (f'{text.plural(count, "device")}{of}, each with the whole state '
          f'({text.size(state_bytes)}), {held}{rows}')


def count_parameters(params: Any) -> int:
  """How many numbers a tree of arrays, or of their shapes, holds."""
  return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(params))


def _batch(config, phase):
  struct: Any = jax.ShapeDtypeStruct
  shape = phase.batches, phase.batch
  points = pyramid.are_points(config.data.shape)
  return Batch(
      struct((*shape, *config.data.shape),
             jnp.float32 if points else jnp.uint8),
      struct(shape, jnp.int32))


def _usual(train):
  """Images before the first usual step; the first ones of WGAN update D."""
  return train.more_first_g_steps * train.n_dis_more * train.batch


def describe(splits: Splits) -> Iterator[str]:
  """Yields lines about a data set: counts, labels, notes of its source."""
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


def lower_steps(
    gan: Gan, config: Config, mesh: Mesh,
) -> tuple[list[Phase], dict[Phase, list[jax.stages.Lowered]]]:
  """Traces the steps until their penalties repeat; compiles nothing.

  Returns:
    (the phases of these steps in order, the programs that the step of each
    calls). If the first steps train D alone, as those of WGAN do, these are
    steps after that. If there are levels, in a chain of GANs or in one that
    grows, each has its own.
  """
  phases = [phase for start in starts_of_levels(gan, config.train)
            for phase in _period(gan, start, config.objective)]
  state = jax.eval_shape(gan.init, jax.random.key(0))
  step = ShardedStep(gan, mesh, loops=False)  # XLA counts a loop once.
  return phases, {
      phase: step.lower(
          state, _batch(config, phase), jax.random.key(0), phase)
      for phase in set(phases)}


def starts_of_levels(gan: Gan, train: schema.Train) -> Iterable[int]:
  """Images before the first step of each level, or before the usual steps."""
  if train.grow_from:
    unit = train.grow_stable_images + train.grow_fade_images
    starts = [0, *range(train.grow_stable_images, train.total_images, unit)]
  elif train.level_images:
    starts = [*range(0, train.total_images, train.level_images)]
  else:
    return [_usual(train)]
  # Later ones are of the last level again.
  return {gan.phase(images).level: images for images in reversed(starts)
          }.values()


def _period(gan, start, objective):
  """The phases from an image on, until they come again."""
  every = math.lcm(
      objective.penalty_every_d_steps,
      objective.g_penalty_every_g_steps if objective.g_penalty != 'none' else 1)
  phases = []
  for _ in range(every):
    phases.append(gan.phase(start))
    start += phases[-1].images
  return phases


def mean_flops(
    phases: Sequence[Phase],
    stages: Mapping[Phase, Sequence[
        jax.stages.Lowered | jax.stages.Compiled]]) -> float:
  """Mean floating point operations of a step, over phases."""
  return np.mean([sum(
      (program.cost_analysis() or {}).get('flops', np.nan)
      for program in stages[phase]) for phase in phases])


def compile_steps(
    stages: Mapping[Phase, Sequence[jax.stages.Lowered]],
) -> dict[Phase, list[jax.stages.Compiled]]:
  """Compiles each program of `lower_steps` once."""
  compiled = {program: program.compile() for programs in stages.values()
              for program in dict.fromkeys(programs)}
  return {phase: [compiled[program] for program in programs]
          for phase, programs in stages.items()}


def describe_cost(gan: Gan, config: Config, mesh: Mesh) -> Iterator[str]:
  """Yields lines about the step: its logs, arithmetic, a device's memory."""
  phases, stages = lower_steps(gan, config, mesh)
  yield 'logs: ' + ', '.join(dict.fromkeys(
      name for program in stages[phases[0]] for name in program.out_info[1]))
  compiled = compile_steps(stages)
  total = mean_flops(phases, compiled)
  memory: list[Any] = [program.memory_analysis() for program in
                       itertools.chain(*compiled.values())]
  shown = np.mean([phase.images for phase in phases])
  yield (f'{total / 1e9:,.2f} GFLOP, {total / shown / 1e9:,.3f} '
         f'an image; mean of {len(phases)} step{"s" * (len(phases) > 1)}')
  on_cpu = jax.default_backend() == 'cpu'
  yield (f'{_mb(max(x.argument_size_in_bytes for x in memory))} of state and '
         f'batch, {_mb(max(x.temp_size_in_bytes for x in memory))} of '
         f'temporaries: {_mb(peak_bytes(memory))} at the peak' + (
             ', the process itself among them' if on_cpu else ''))
  if config.train.dynamics_every_images:
    last = [phase for phase in phases if phase.level == phases[-1].level]
    yield _dynamics(gan, config.train, _batch(config, last[-1]),
                    mean_flops(last, stages))


def _dynamics(gan, train, batch, step_flops):
  """What looks at the dynamics cost, in steps of the same arithmetic."""
  looks = -(-train.total_images // train.dynamics_every_images)
  look = dynamics.cost(gan, batch, train.total_images - 1)
  rows = f" and {look.rows:,} rows of G's Jacobian" if look.rows else ''
  return (
      f'dynamics of the game: {text.plural(looks, "look")}, each with the '
      f'arithmetic of some {look.flops / step_flops:,.0f} steps, and the norms '
      f'of layers besides: {look.products} products with the Jacobian of '
      f'{look.parameters:,} parameters ({text.size(look.basis_bytes)} of '
      f'vectors on the host){rows}')


def peak_bytes(memory: Iterable[Any]) -> float:
  """Most bytes that steps need at a time, by their `memory_analysis()`.

  On a CPU this is the whole process: Python, jax and the compiled programs
  have their share. The results take the place of the donated state.
  """
  process, scratch = (PROCESS_BYTES, SCRATCH) if (
      jax.default_backend() == 'cpu') else (0, 1.)
  return process + max(
      x.argument_size_in_bytes + scratch * x.temp_size_in_bytes for x in memory)


def _mb(size):
  return f'{size / 2**20:,.0f} MB'
