"""--mode=timelapse: films the samples of a run through its training."""
import os

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (shared.OUT, shared.FPS, shared.SECONDS)
EXAMPLES: shared.Examples = (
    ' --mode=timelapse --workdir=runs/quickstart',
    ' --mode=timelapse --workdir=runs/quickstart --seconds=10 --out=learns.mp4',
    ' --mode=timelapse --workdir=runs/quickstart --out=frames/',
)


def run() -> int:
  """Writes the film, or its frames, and prints the path."""
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import film, timelapse
  from msg_gan_jax.report import frames as single
  from msg_gan_jax.runs.read import read
  workdir = shared.existing_run()
  path = shared.output_file(
      'timelapse', '.webp', film.FORMATS, or_folder=True)
  written = read(workdir)
  shots = timelapse.readable(written.grids, console.say_aside)
  if len(shots) < 2:
    raise ValueError(
        f'workdir {workdir}: a film needs at least 2 grids of samples, and '
        f'{os.path.join(workdir, "samples")} has {len(shots)} that can be '
        'read. Training writes one at its beginning, and one every '
        f'{written.config.train.sample_every_images:,} images: a smaller '
        'config.train.sample_every_images makes more.')
  still = not single.is_folder(path)  # Who cuts a film holds it as they like.
  count = len(shots) + (timelapse.still_frames(len(shots)) if still else 0)
  fps = _fps(len(shots), count)
  with errors.naming(path='out'):
    film.check(path, fps)
    shared.make_folder_of(path)
    film.write(path, timelapse.frames(shots, still), fps, count)
  console.say(path)
  return 0


def _fps(grids, count):
  """Frames a second, by --fps or --seconds."""
  from msg_gan_jax.report import timelapse
  fps, seconds = shared.FPS.value, shared.SECONDS.value
  if fps is not None and seconds is not None:
    raise ValueError(
        '--seconds: means nothing beside --fps, since each grid is one frame; '
        'wanted one.')
  if seconds is None:
    return timelapse.usual_fps(grids) if fps is None else fps
  least, most = shared.FPS_RANGE
  if not least <= count / max(seconds, 1e-9) <= most:
    raise ValueError(
        f'--seconds: {seconds:g} for {count} frames; wanted {count / most:.3g} '
        f'to {count / least:g}.')
  return count / seconds
