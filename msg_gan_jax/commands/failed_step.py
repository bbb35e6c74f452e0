"""--mode=failed_step: repeats the step in which a run's numbers went wrong."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (shared.TRUST_CODE,)
EXAMPLES: shared.Examples = (
    ' --mode=failed_step --workdir=runs/a',
    ' --mode=failed_step --workdir=runs/a --reals',
)
REALS = flags.DEFINE_bool(
    'reals', False, 'Write the real pictures of the step, failed_step.png in '
    "the run's folder.")


def run() -> int:
  """Says what came of it; 0 where the step fails as it did, else 1."""
  from msg_gan_jax.config import errors
  from msg_gan_jax.training import again
  with errors.naming(trust_code=shared.TRUST_CODE.name):
    return int(not again.repeat(
        shared.existing_run(), console.say, shared.TRUST_CODE.value,
        REALS.value))
