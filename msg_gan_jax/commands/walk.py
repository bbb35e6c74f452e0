"""--mode=walk: films a walk from latent to latent."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (
    *shared.LATENTS, shared.W_FILE, shared.SCALES)
EXAMPLES: shared.Examples = (
    ' --mode=walk --workdir=runs/quickstart --scales --out=walk.webp',
)
SECONDS = flags.DEFINE_float(
    'seconds', None, 'Length of the film; 2 for each latent if not given.',
    lower_bound=0.)
FPS = flags.DEFINE_float(
    'fps', 30., 'Frames a second.', lower_bound=.1, upper_bound=240.)
SPACE = flags.DEFINE_enum(
    'space', '', ('', 'z', 'w'), 'Where the walk goes; w if there is a mapping '
    'network.')
WAY = flags.DEFINE_enum(
    'way', '', ('', 'linear', 'spherical'), 'By straight lines, or on arcs, '
    'which is usual for a z of a sphere or a normal.')
LOOP = flags.DEFINE_bool(
    'loop', True, 'Whether the walk comes back to where it began.')
USUAL_COUNT = 6
MOST_FRAMES = 100_000


def run() -> int:
  """Writes the film, and prints its path."""
  from msg_gan_jax.analysis.generator import walk
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import film
  path = shared.output_file('walk', '.webp', film.FORMATS)
  with errors.naming(path='out'):
    film.check(path, FPS.value)
  trained, latents = trained_run.latents(
      shared.count_or(USUAL_COUNT), shared.psi())
  seconds = SECONDS.value
  if seconds is None:
    seconds = 2. * len(latents)
  frames = seconds * FPS.value
  if not 2 <= frames <= MOST_FRAMES:
    raise ValueError(
        f'--seconds: {seconds:g} with --fps={FPS.value:g} are {frames:g} '
        f'frames; wanted 2 to {MOST_FRAMES:,}.')
  with errors.naming(trained_run.NAMES):
    styles, labels = walk.styles_on_walk(
        trained, round(frames), latents, space=SPACE.value, way=WAY.value,
        loop=LOOP.value)
  shared.make_folder_of(path)
  with errors.naming(path='out'):
    walk.write_film(
        path, trained, styles, labels, FPS.value, shared.SCALES.value)
  console.say(path)
  return 0
