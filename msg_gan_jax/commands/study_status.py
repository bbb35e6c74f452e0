"""--mode=study_status: says how far a study has come."""
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (shared.STORAGE, shared.STUDY_NAME)
EXAMPLES: shared.Examples = (
    ' --mode=study_status --workdir=runs/landscape_small',
    ' --mode=study_status --workdir=runs/landscape_small '
    '--storage=postgresql://user@host/studies',
)


def run() -> int:
  """Prints what is done, running, waiting and failed, and the time left."""
  from msg_gan_jax.study import status
  from msg_gan_jax.study.stored import read_stored
  folder = shared.existing_run()
  stored = read_stored(folder, shared.STORAGE.value, shared.STUDY_NAME.value)
  for line in status.lines(stored, folder):
    console.say(line)
  return 0
