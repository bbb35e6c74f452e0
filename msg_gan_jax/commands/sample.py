"""--mode=sample: draws pictures with a checkpoint of a run."""
import os

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (*shared.LATENTS, shared.SCALES)
EXAMPLES: shared.Examples = (
    ' --mode=sample --workdir=runs/quickstart',
    ' --mode=sample --workdir=runs/quickstart --count=100 --seed=7 --scales',
    ' --mode=sample --workdir=runs/quickstart --count=1000 --separate',
    ' --mode=sample --workdir=runs/quickstart --checkpoints=best --out=best',
)
SEPARATE = flags.DEFINE_bool(
    'separate', False, 'Also write one file for each picture.')
USUAL_COUNT = 64
LISTED = 4  # Files that are printed.


def run() -> int:
  """Writes a grid, and what else is asked for; prints the first paths."""
  from msg_gan_jax.analysis.generator import samples
  from msg_gan_jax.commands import trained_run
  workdir, z_file = shared.existing_run(), shared.Z_FILE.value
  seed = shared.SEED.value
  paths = samples.sample_run_to_files(
      trained_run.load_run(), shared.OUT.value or os.path.join(
          workdir, 'z_file' if z_file else f'samples_{seed}'),
      shared.count_or(USUAL_COUNT), samples.Sampling(
          seed, shared.WEIGHTS.value, shared.psi(), shared.CUTOFF.value,
          shared.labels()),
      z_file, separate=SEPARATE.value, scales=shared.SCALES.value)
  for path in paths[:LISTED]:
    console.say(path)
  return 0
