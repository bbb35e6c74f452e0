"""--mode=truncate: a figure of latents at several truncations."""
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (*shared.LATENTS, shared.W_FILE)
EXAMPLES: shared.Examples = (
    ' --mode=truncate --workdir=runs/a --psi=1,.7,.5,0,-.5,-1',
)
USUAL_COUNT = 6


def run() -> int:
  """Writes the figure, and prints its path."""
  from msg_gan_jax.analysis.generator import mixing
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import grids
  path = shared.output_file(
      shared.named_by_latents('truncation'), '.png', ('.png',))
  psis = shared.psis() or mixing.PSIS
  trained, latents = trained_run.latents(shared.count_or(USUAL_COUNT))
  with errors.naming(trained_run.names()):
    figure = mixing.truncation_figure(trained, latents, psis)
  shared.make_folder_of(path)
  grids.save(path, figure)
  console.say(path)
  return 0
