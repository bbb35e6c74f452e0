"""--mode=inspect: shows what is in a data set, before anyone trains on it."""
from msg_gan_jax.commands import shared_flags as shared

SHARED: shared.Flags = (shared.CONFIG, shared.OUT)
EXAMPLES: shared.Examples = (
    ' --mode=inspect --config=own_pictures --config.data.path=DIR',
    ' --mode=inspect --workdir=runs/quickstart',
)


def run() -> int:
  """Prints what the data set of an experiment holds, and draws it."""
  from msg_gan_jax.analysis.dataset import inspection
  from msg_gan_jax.config import schema
  from msg_gan_jax.runs.config_file import as_begun
  shared.say_what_is_read_as_before()
  run = shared.new_run()
  config = as_begun(schema.parse(shared.CONFIG.value), run)
  inspection.inspect(config, shared.OUT.value or f'{run}.inspect')
  return 0
