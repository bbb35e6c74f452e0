"""Laws of --mode=timelapse: a run's grids as a film, without jax."""
import os
import subprocess
import sys

from helpers import ROOT
from PIL import Image
import pytest

from msg_gan_jax.runs import workdir


@pytest.fixture
def run(small, tmp_path):
  """A run with five grids, the fourth of which is damaged; its folder."""
  path = tmp_path / 'run'
  with workdir.Workdir(path) as folder:
    folder.start(small(train__sample_every_images=50))
  (path / 'samples').mkdir()
  for i in range(5):
    Image.new('RGB', (64, 32), (50 * i, 0, 0)).save(
        path / 'samples' / f'images_{50 * i:010d}.png')
  damaged = path / 'samples' / 'images_0000000150.png'
  damaged.write_bytes(damaged.read_bytes()[:-9])
  return path


def durations(path):
  with Image.open(path) as image:
    times = []
    for i in range(image.n_frames):
      image.seek(i)
      image.load()
      times.append(image.info['duration'])
  return times


@pytest.mark.parametrize('flags, wanted', [
    ((), [500, 500, 500, 1000]),
    (('--fps=4',), [250, 250, 250, 500]),
    (('--seconds=10',), [2000, 2000, 2000, 4000]),
])
def test_a_film_has_all_grids_and_its_length(command, run, flags, wanted):
  """The last of them twice as long, of four."""
  status, out, err = command('--mode=timelapse', '--workdir=run', *flags)
  assert (status, out) == (0, 'run/timelapse.webp\n')
  assert err.startswith('warning: ') and err.count('\n') == 1
  assert 'images_0000000150.png is left out: it is no whole PNG' in err
  assert durations('run/timelapse.webp') == wanted


def test_it_may_be_a_folder_of_frames(command, run):
  status, out, _ = command(
      '--mode=timelapse', '--workdir=run', '--out=new/frames/')
  assert (status, out) == (0, 'new/frames/\n')
  assert sorted(os.listdir('new/frames')) == [
      *(f'frame_{i:05d}.png' for i in range(4)), 'frames.json']
  with Image.open('new/frames/frame_00002.png') as image:
    assert image.getpixel((image.width // 2, image.height - 20)) == (100, 0, 0)


@pytest.mark.parametrize('flags, text', [
    (['--fps=4', '--seconds=2'], '--seconds: means nothing beside --fps, sinc'),
    (['--seconds=0'], '--seconds: 0 for 5 frames; wanted 0.0208 to 50.'),
    (['--seconds=nan'], '--seconds: nan for 5 frames; wanted '),
    (['--out=x.avi'], '--out: wanted a file that ends in .webp or .gif or .m'),
    (['--out=run'], '--out: run has other files than frames of a film of ours'),
    (['--out=x.gif', '--seconds=.03'], '--fps: 166.667, but browsers slow'),
])
def test_what_cannot_be_is_told(command, run, flags, text):
  before = sorted(run.rglob('*'))
  status, out, err = command('--mode=timelapse', '--workdir=run', *flags)
  told = [line for line in err.splitlines() if not line.startswith('warning')]
  assert (status, out) == (1, '') and told[0].startswith(f'error: {text}'), err
  assert sorted(run.rglob('*')) == before


@pytest.mark.parametrize('left', [0, 1])
def test_fewer_than_two_grids_are_no_film(command, run, left):
  for path in sorted((run / 'samples').iterdir())[left:]:
    path.unlink()
  status, _, err = command('--mode=timelapse', '--workdir=run')
  assert status == 1 and err.startswith(
      f'error: --workdir=run: a film needs at least 2 grids of samples, and '
      f'run/samples has {left} that can be read. Training writes one at its '
      'beginning, and one every 50 images: a smaller '), err


def test_it_needs_a_run(command, run):
  status, _, err = command('--mode=timelapse')
  assert status == 1 and err.startswith('error: --workdir: which run? ')
  status, _, err = command('--mode=timelapse', '--workdir=rum')
  assert status == 1 and "rum: no such folder. Did you mean 'run'?" in err


@pytest.mark.slow
def test_it_loads_no_jax(run, tmp_path):
  code = ('import sys; from msg_gan_jax.commands import main\n'
          'try: main.run()\n'
          'finally: print("jax" in sys.modules)')
  found = subprocess.run(
      [sys.executable, '-c', code, '--mode=timelapse', '--workdir=run'],
      cwd=tmp_path, text=True, check=True, capture_output=True,
      env={**os.environ, 'PYTHONPATH': str(ROOT)})
  assert found.stdout == 'run/timelapse.webp\nFalse\n'
