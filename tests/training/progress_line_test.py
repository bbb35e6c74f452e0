"""People see how far a run is, and not too often."""
import io

import jax.numpy as jnp
import pytest

from msg_gan_jax.training import clock as clock_of_records
from msg_gan_jax.training.progress_line import Progress


class Clock:
  seconds = 0.

  def __call__(self):
    return self.seconds


class Terminal(io.StringIO):
  def isatty(self):
    return True


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


def test_compiling_and_measuring_have_no_share_in_speed_and_time_left():
  out, now = io.StringIO(), Clock()
  progress = Progress(1000, stream=out, now=now)
  for images in range(10, 1001, 10):
    if images in (10, 510):  # A second program, in the middle.
      with progress.apart('compiling'):
        now.seconds += 5000
    now.seconds += .1
    if images % 100 == 0:
      with progress.apart('measuring', brief=True):
        now.seconds += 700
    progress.write(images)
  lines = out.getvalue().splitlines()
  assert len(lines) == 12
  assert lines[0] == '0 of 1,000 images (0%)  compiling ...'
  assert lines[6] == '500 of 1,000 images (50%)  compiling ...'
  assert [line.split('  ')[1] for line in lines if '...' not in line] == (
      ['100 img/s'] * 10)
  assert lines[5] == '500 of 1,000 images (50%)  100 img/s  0:05 left'
  assert lines[-1] == '1,000 of 1,000 images (100%)  100 img/s  trained 0:10'


def test_the_last_line_has_the_mean_speed_of_the_start():
  for end, trained in ((1000, '0:14'), (900, '0:12')):  # At its end; stopped.
    out, now = io.StringIO(), Clock()
    progress = Progress(1000, 100, stream=out, now=now)
    for images in range(110, end + 1, 10):
      now.seconds += .1 if images <= 500 else .2
      progress.write(images)
    progress.close()
    last = out.getvalue().splitlines()[-1]
    shown, speed, time = last.split('  ')
    assert shown.startswith(f'{end:,} of ')
    assert float(speed.split()[0]) == pytest.approx(
        (end - 100) / now.seconds, abs=.5)
    assert time == f'trained {trained}'


def test_images_count_once_their_step_is_done():
  """A device may be far behind: calls return before they are computed."""
  class Array:
    def __init__(self, at):
      self.at = at

    def is_ready(self):
      return now.seconds >= self.at

  out, now = io.StringIO(), Clock()
  progress = Progress(1000, stream=out, now=now)
  for i in range(1, 101):  # All are called in a second; a step takes one.
    now.seconds = i / 100
    progress.write(10 * i, until=Array(i))
  assert out.getvalue() == ''
  now.seconds = 50.
  progress.write(1000, until=Array(101))
  assert out.getvalue() == (
      '500 of 1,000 images (50%)  10 img/s  0:50 left\n')


def test_a_terminal_shows_what_is_done_meanwhile_and_then_the_speed():
  out, now = Terminal(), Clock()
  progress = Progress(1000, stream=out, now=now)

  def last():
    return out.getvalue().split('\r')[-1]

  with progress.apart('compiling'):
    assert 'compiling ...' in last()
    now.seconds += 60
  now.seconds += 1
  progress.write(100)
  assert '100 img/s' in last() and '...' not in last()
  with progress.apart('measuring', brief=True):
    assert 'measuring ...' in last()
    now.seconds += 60
  assert '100 img/s' in last() and '...' not in last()
  progress.close()


def test_other_processes_write_nothing():
  out = Terminal()
  progress = Progress(10, stream=out, silent=True)
  with progress.apart('compiling'):
    progress.write(5)
  progress.write(10)
  progress.close()
  assert out.getvalue() == ''


def test_the_rate_of_a_record_is_that_of_training():
  """Also of a record that is written while something else is done."""
  now = Clock()
  progress = Progress(1000, stream=io.StringIO(), now=now)
  clock = clock_of_records.Clock(0, progress.trained_seconds)
  for images in 20, 40, 60:
    now.seconds += 5
    with progress.apart('measuring'):
      now.seconds += 40
      assert clock.read(images)['images_per_second'] == 4
      now.seconds += 40
