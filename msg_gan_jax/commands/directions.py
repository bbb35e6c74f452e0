"""--mode=directions: finds directions of the latents, and draws along them."""
import os

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, plain

SHARED: shared.Flags = (*shared.LATENTS, shared.W_FILE, shared.SPACE)
EXAMPLES: shared.Examples = (
    ' --mode=directions --workdir=runs/quickstart',
    ' --mode=directions --workdir=runs/quickstart --method=sefa',
    ' --mode=directions --workdir=runs/quickstart --method=classifier'
    ' --factors=hat:none,skin',
)
METHOD = flags.DEFINE_enum(
    'method', 'pca', ('pca', 'sefa', 'classifier'), 'How they are found: by '
    'principal components of w or of first features; in closed form, by the '
    'weights that take the latent in; or by a linear classifier of what a '
    "classifier of the run's data sees in samples.")
COMPONENTS = flags.DEFINE_integer(
    'components', None, 'How many directions of pca and sefa; 10 if not given.',
    lower_bound=1)
SAMPLES = flags.DEFINE_integer(
    'samples', 4000, 'How many latents, or pictures, they are found by.',
    lower_bound=2)
FACTORS = flags.DEFINE_string(
    'factors', '', "classifier: what is told apart, such as 'hat:none' or "
    "'label:cat', the value against all others; 'hat' is the value that half "
    'of the samples have, nearly. If not given: each factor once.')
USUAL_COUNT = 3
USUAL_COMPONENTS = 10
LISTED = 4  # Files that are printed.


def run() -> int:
  """Writes strips, vectors and tables; prints the first paths."""
  from msg_gan_jax.analysis.generator import directions, strips
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  by_classifier = METHOD.value == 'classifier'
  other = COMPONENTS if by_classifier else FACTORS
  if other.present:
    raise ValueError(
        f'--{other.name}: means nothing beside --method={METHOD.value}.')
  folder = shared.OUT.value or plain.within(
      shared.existing_run(), f'directions_{METHOD.value}')
  if os.path.exists(folder) and not os.path.isdir(folder):
    raise ValueError(f'--out: {folder!r} is a file; wanted a folder.')
  trained, like = trained_run.latents(
      shared.count_or(USUAL_COUNT), shared.psi())
  names = trained_run.names()
  with errors.naming(names):
    if by_classifier:
      found, effects = _by_classifier(trained)
    else:
      effects = []
      found = directions.find(
          trained, METHOD.value, COMPONENTS.value or USUAL_COMPONENTS,
          SAMPLES.value, shared.SPACE.value)
    paths = strips.write(folder, trained, found, like, effects)
  for path in paths[:LISTED]:
    console.say(path)
  return 0


def _by_classifier(trained):
  """(Directions, effects) of what a classifier of the run's data sees."""
  from msg_gan_jax.analysis.generator import attributes
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.runs import experiment_file
  config = trained.config
  splits = experiment_file.with_rows(
      shared.existing_run(), lambda: open_source(config),
      trust_code=shared.TRUST_CODE.value)
  known = attributes.reader(splits, config.data.cache_dir)
  return attributes.find(
      trained, known, attributes.parse(FACTORS.value, known) if (
          FACTORS.value) else (), SAMPLES.value, shared.SPACE.value)
