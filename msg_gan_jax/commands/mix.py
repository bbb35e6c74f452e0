"""--mode=mix: a figure of styles that are mixed layer by layer."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (*shared.LATENTS, shared.W_FILE)
EXAMPLES: shared.Examples = (
    ' --mode=mix --workdir=runs/a',
)
ROWS = flags.DEFINE_integer(
    'rows', 3, 'How many destinations are at the left.', lower_bound=1)
CROSSOVERS = flags.DEFINE_string(
    'crossovers', '', 'With which layers the middle and the fine styles '
    "begin, such as '2,4'.")
USUAL_COUNT = 6


def run() -> int:
  """Writes the figure, and prints its path."""
  from msg_gan_jax.analysis.generator import mixing
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import grids
  path = shared.output_file(
      shared.named_by_latents('mixing'), '.png', ('.png',))
  crossovers = shared.numbers(CROSSOVERS, int)
  trained, latents = trained_run.latents(
      shared.count_or(USUAL_COUNT) + ROWS.value, shared.psi())
  with errors.naming(trained_run.names()):
    figure = mixing.mixing_figure(trained, ROWS.value, latents, crossovers)
  shared.make_folder_of(path)
  grids.save(path, figure)
  console.say(path)
  return 0
