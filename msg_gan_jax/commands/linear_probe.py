"""--mode=linear_probe: how well a linear classifier does on D's features."""
import os

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (
    shared.LAYER, shared.SEED, shared.OUT, shared.CHECKPOINTS,
    shared.TRUST_CODE)
EXAMPLES: shared.Examples = (
    ' --mode=linear_probe --workdir=runs/a',
    ' --mode=linear_probe --workdir=runs/a --checkpoints=all '
    '--labels_per_class=100',
)
LABELS_PER_CLASS = flags.DEFINE_integer(
    'labels_per_class', 500, 'Labelled training pictures of each class, a '
    'fifth of them for validation.', lower_bound=2)
TEST_COUNT = flags.DEFINE_integer(
    'test_count', 10_000, 'Held-out pictures to test on, or all there are.',
    lower_bound=2)
NAME = 'linear_probe'  # Of the files.


def run() -> int:
  """Prints and writes a table, its numbers, and nearest pictures."""
  from msg_gan_jax.analysis.discriminator import probe
  from msg_gan_jax.config import errors
  from msg_gan_jax.files import atomic
  from msg_gan_jax.report import grids, tables
  workdir = shared.existing_run()
  folder = shared.OUT.value or workdir
  with errors.naming(which=shared.CHECKPOINTS.name, layers=shared.LAYER.name):
    found = probe.probe(
        workdir, shared.CHECKPOINTS.value,
        labels_per_class=LABELS_PER_CLASS.value, test_count=TEST_COUNT.value,
        layers=shared.LAYER.value, seed=shared.SEED.value,
        trust_code=shared.TRUST_CODE.value)
  path = os.path.join(folder, NAME)
  os.makedirs(folder, exist_ok=True)
  names = tables.save(probe.table(found), path)
  atomic.write_json(f'{path}.json', found.record)
  grids.save(f'{path}_nearest.png', found.picture)
  for name in (*names, f'{path}.json', f'{path}_nearest.png'):
    console.say(name)
  return 0
