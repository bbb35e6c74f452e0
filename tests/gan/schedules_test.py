"""Laws of what changes from step to step."""
import dataclasses

import jax.numpy as jnp
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan import schedules


def train(**settings):
  return dataclasses.replace(schema.Train(), **settings)


def simulated(n_dis, more, first, every, g_steps):
  """Whether each step of n_dis D updates ends with one of G: WGAN's loop."""
  found = []
  for g in range(g_steps):
    long = g < first or (every and g % every == 0)
    steps = (more if long else n_dis) // n_dis
    found += [False] * (steps - 1) + [True]
  return found


@pytest.mark.parametrize('n_dis, more, first, every, g_steps', [
    (5, 100, 25, 500, 3000),  # main.py of WGAN's code
    (5, 100, 25, 0, 60), (2, 6, 0, 3, 50), (1, 3, 7, 4, 50), (1, 4, 8, 4, 50),
    (3, 3, 5, 2, 20)])
def test_more_d_updates_come_when_wgans_loop_has_them(
    n_dis, more, first, every, g_steps):
  settings = train(n_dis=n_dis, n_dis_more=more, more_first_g_steps=first,
                   more_every_g_steps=every)
  wanted = simulated(n_dis, more, first, every, g_steps)
  assert [schedules.updates_g(i, settings) for i in range(len(wanted))] == (
      wanted)
  # ... which is what the phases say.
  step_images = n_dis * settings.batch
  assert [schedules.phase(i * step_images, settings, 0).update_g
          for i in range(100)][:len(wanted)] == wanted[:100]


def test_without_more_every_step_updates_g():
  assert all(schedules.updates_g(i, train(n_dis=5)) for i in range(99))


def test_a_lazy_penalty_comes_at_every_kth_d_update():
  settings = train(n_dis=2, batch=8)
  found = []
  for step in range(9):
    found += schedules.phase(16 * step, settings, 3).penalties
  assert found == [i % 3 == 0 for i in range(18)]
  assert schedules.phase(0, settings, 0).penalties == (False, False)


def test_levels_follow_each_other_and_the_last_one_stays():
  settings = train(level_images=100, batch=10)
  found = [schedules.phase(i, settings, 0, 3).level for i in range(0, 500, 50)]
  assert found == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2]
  assert schedules.phase(450, settings, 0).level == 0


def test_a_fall_is_a_line_from_1_to_0_and_stays_there():
  for number in (int, jnp.int32):  # traced in the step
    assert [float(schedules.fall(number(i), 80))
            for i in (0, 20, 40, 80, 200)] == [1, .75, .5, 0, 0]
    assert float(schedules.fall(number(10**9), 0)) == 1


def test_crossed_finds_each_multiple_once_at_any_stride():
  for stride in (1, 3, 7, 40):
    hits = [n for n in range(stride, 300, stride)
            if schedules.crossed(n - stride, n, 20)]
    multiples = {-(-m // stride) * stride for m in range(20, 300, 20)}
    assert hits == sorted(m for m in multiples if m < 300)
