"""--mode=sample: draws pictures with a checkpoint of a run."""

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, plain

SHARED: shared.Flags = (*shared.LATENTS, shared.SCALES)
EXAMPLES: shared.Examples = (
    ' --mode=sample --workdir=runs/quickstart',
    ' --mode=sample --workdir=runs/quickstart --count=100 --seed=7 --scales',
    ' --mode=sample --workdir=runs/quickstart --count=1000 --separate',
    ' --mode=sample --workdir=runs/quickstart --seeds=3,17,42,100-109',
    ' --mode=sample --workdir=runs/cats_and_dogs --labels=cat,dog',
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
  count, loaded = shared.count_or(USUAL_COUNT), trained_run.load_run()
  paths = samples.sample_run_to_files(
      loaded, shared.OUT.value or plain.within(
          workdir, 'z_file' if z_file else shared.named_by_latents('samples')),
      count, samples.Sampling(
          shared.SEED.value, shared.WEIGHTS.value, shared.psi(),
          shared.CUTOFF.value,
          trained_run.labels(loaded.config.networks.classes),
          shared.picks()),
      z_file, separate=SEPARATE.value, scales=shared.SCALES.value)
  for path in paths[:LISTED]:
    console.say(path)
  return 0
