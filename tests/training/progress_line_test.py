"""People see how far a run is, and not too often."""
import io

import jax.numpy as jnp

from msg_gan_jax.training.progress_line import Progress


class Clock:
  seconds = 0.

  def __call__(self):
    return self.seconds


def test_in_a_file_progress_has_a_line_each_tenth():
  out, now = io.StringIO(), Clock()
  progress = Progress(1000, stream=out, now=now)
  for images in range(10, 1001, 10):
    now.seconds += .1
    progress.write(images, {'d_loss': jnp.float32(.25), 'other': 1.})
  lines = out.getvalue().splitlines()
  assert len(lines) == 10
  assert lines[4] == ('500 of 1,000 images (50%)  100 img/s  0:05 left  '
                      'd_loss 0.25')
  assert lines[-1].startswith('1,000 of 1,000 images (100%)')


def test_in_a_file_progress_has_a_line_each_half_minute():
  out, now = io.StringIO(), Clock()
  progress = Progress(
      10_000_000, images=500, keys=('fid',), stream=out, now=now)
  for second in range(1, 100):
    now.seconds = second
    speed = 100 if second <= 60 else 10
    progress.write(500 + min(second, 60) * 100 + max(0, second - 60) * speed,
                   {'fid': 12.3456} if second == 5 else None)
  lines = out.getvalue().splitlines()
  assert len(lines) == 3
  assert lines[1] == ('6,500 of 10,000,000 images (0%)  100 img/s  '
                      '27:45:35 left  fid 12.3')
  assert '  10 img/s  ' in lines[2]  # The last half minute, not the mean.


def test_on_a_terminal_progress_is_one_line_rewritten():
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  out, now = Terminal(), Clock()
  progress = Progress(1000, stream=out, now=now)
  for images in range(1, 1001):
    now.seconds += .01
    progress.write(images, {'g_loss': -1.5})
  progress.close()
  shown = out.getvalue()
  assert shown.count('\n') == 1 and shown.endswith('\n')
  # 10 s at four a second, the empty line at the start and the last ones.
  assert 38 <= shown.count('\r') <= 44
  last = shown.rstrip('\n').split('\r')[-1]
  assert '1.00k/1.00k images' in last
  assert '100 img/s' in last and 'g_loss -1.5' in last
