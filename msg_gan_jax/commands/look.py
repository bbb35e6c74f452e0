"""--mode=look: an atlas of what a run's D looks for, and what it finds fake."""
import os

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, plain

SHARED: shared.Flags = (
    shared.LAYER, shared.PICTURES, shared.COUNT, shared.SEED, shared.LABELS,
    shared.WEIGHTS, shared.OUT, shared.CHECKPOINTS, shared.TRUST_CODE)
EXAMPLES: shared.Examples = (
    ' --mode=look --workdir=runs/quickstart',
    ' --mode=look --workdir=runs/quickstart --pictures=DIR --out=odd',
)
RULE = flags.DEFINE_string(
    'rule', 'guided', 'How a signal goes down through rectifiers: '
    'deconvnet, guided, gradient or integrated.')
MAPS = flags.DEFINE_integer(
    'maps', 16, 'Maps of a layer that are shown, those of the largest spread.',
    lower_bound=1, upper_bound=1024)
MAP = flags.DEFINE_list(
    'map', [], 'Numbers of the maps that are shown, in place of --maps; with '
    'one --layer.')
NAME = 'look'


def run() -> int:
  """Writes the atlas, and prints the path of its page."""
  from msg_gan_jax.commands import look_at_run
  from msg_gan_jax.config import errors
  workdir = shared.existing_run()
  out = os.path.expanduser(shared.OUT.value or plain.within(workdir, NAME))
  if os.path.exists(out) and not os.path.isdir(out):
    raise ValueError(f'--out: {out!r} is a file; wanted a folder.')
  if os.path.exists(os.path.join(out, 'config.json')):
    raise ValueError(
        f'--out: {out!r} is the folder of a run; wanted one for the atlas, '
        f'such as {os.path.join(out, NAME)!r}.')
  with errors.naming(
      which=shared.CHECKPOINTS.name, trust_code=shared.TRUST_CODE.name):
    console.say(look_at_run.write(workdir, out, look_at_run.How(
        tuple(shared.LAYER.value), RULE.value, MAPS.value, _numbers(),
        shared.COUNT.value, tuple(shared.PICTURES.value))))
  return 0


def _numbers():
  try:
    return tuple(map(int, MAP.value))
  except ValueError:
    raise ValueError(
        f'--map={",".join(MAP.value)}: wanted numbers of maps, such as '
        '--map=3,7.') from None
