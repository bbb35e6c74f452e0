"""--mode=project: looks for the styles that draw given pictures."""

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, plain

SHARED: shared.Flags = (
    shared.PICTURES, shared.SEED, shared.LABELS, shared.WEIGHTS, shared.OUT,
    shared.CHECKPOINTS, shared.TRUST_CODE)
EXAMPLES: shared.Examples = (
    ' --mode=project --workdir=runs/a --pictures=me.png,folder',
)
STEPS = flags.DEFINE_integer(
    'steps', 1000, 'How many the optimizer makes.', lower_bound=1)
LISTED, LISTED_FILES = 10, 4  # Pictures and files that are printed.


def run() -> int:
  """Writes what was found, and prints how near it comes."""
  from msg_gan_jax.analysis.generator import (
    projection,
    projection_files,
    samples,
  )
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  workdir = shared.existing_run()
  if not shared.PICTURES.value:
    raise ValueError('--pictures: which? Such as --pictures=a.png,folder.')
  trained, config = trained_run.load_trained()
  with errors.naming(paths='pictures'):
    names, pictures = projection_files.read(shared.PICTURES.value, config.data)
  classes = config.networks.classes
  labels = samples.repeat_labels(
      trained_run.labels(classes), len(names), classes)
  if classes and labels is None:
    raise ValueError(
        f'--labels: this run draws {classes} classes; wanted those of the '
        'pictures, such as --labels=3 or --labels=0,4.')
  result = projection.project(
      trained, pictures, labels, steps=STEPS.value, seed=shared.SEED.value)
  paths = projection_files.write(
      shared.OUT.value or plain.within(workdir, 'projections'), names, pictures,
      result, {
          'distance': 'pyramid', 'points': 'w' if trained.layers else 'z',
          'steps': STEPS.value, 'seed': shared.SEED.value,
          'weights': shared.WEIGHTS.value,
          'images': int(trained.state.images)})
  for name, distance, psnr in list(zip(
      names, result.after, result.psnr, strict=True))[:LISTED]:
    console.say(f'{name}: distance {distance:.2g}, {psnr:.1f} dB')
  for path in paths[:LISTED_FILES]:
    console.say(path)
  return 0
