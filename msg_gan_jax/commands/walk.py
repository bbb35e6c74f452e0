"""--mode=walk: films a walk from latent to latent."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (
    *shared.LATENTS, shared.W_FILE, shared.SPACE, shared.SCALES, shared.FPS,
    shared.SECONDS)
EXAMPLES: shared.Examples = (
    ' --mode=walk --workdir=runs/quickstart --scales --out=walk.webp',
    ' --mode=walk --workdir=runs/quickstart --seeds=3,17,42 --out=frames/',
    ' --mode=walk --workdir=runs/a --labels=boat,horse --between=class',
)
BETWEEN = flags.DEFINE_enum(
    'between', '', ('', 'z', 'class', 'both'), 'What changes on the way: the '
    'latent, in one class; the class, from one of --labels to the next with '
    'one latent; or both. If not given: z, and in w both.')
WAY = flags.DEFINE_enum(
    'way', '', ('', 'linear', 'spherical'), 'By straight lines, or on arcs, '
    'which is usual for a z of a sphere or a normal.')
LOOP = flags.DEFINE_bool(
    'loop', True, 'Whether the walk comes back to where it began.')
USUAL_COUNT = 6
USUAL_FPS = 30.
MOST_FRAMES = 100_000


def run() -> int:
  """Writes the film, or its frames, and prints the path."""
  from msg_gan_jax.analysis.generator import walk
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import film
  path = shared.output_file(
      shared.named_by_latents('walk'), '.webp', film.FORMATS, or_folder=True)
  fps = USUAL_FPS if shared.FPS.value is None else shared.FPS.value
  with errors.naming(path='out'):
    film.check(path, fps)
  by_class = BETWEEN.value == 'class'
  if by_class and shared.COUNT.present:
    raise ValueError('--count: means nothing beside --between=class, which has '
                     'one latent, and a stop for each of --labels.')
  trained, latents = trained_run.latents(
      shared.count_or(1 if by_class else USUAL_COUNT), shared.psi(), by_class)
  seconds = shared.SECONDS.value
  if seconds is None:
    seconds = 2. * len(latents)
  frames = seconds * fps
  if not 2 <= frames <= MOST_FRAMES:
    raise ValueError(
        f'--seconds: {seconds:g} with --fps={fps:g} are {frames:g} '
        f'frames; wanted 2 to {MOST_FRAMES:,}.')
  with errors.naming(trained_run.names()):
    styles, labels = walk.styles_on_walk(
        trained, round(frames), latents, space=shared.SPACE.value,
        way=WAY.value, loop=LOOP.value, between=BETWEEN.value)
  shared.make_folder_of(path)
  with errors.naming(path='out'):
    walk.write_film(
        path, trained, styles, labels, fps, shared.SCALES.value)
  console.say(path)
  return 0
