"""Laws of spaces: what cannot be compared or drawn is refused at once."""
import pytest

from msg_gan_jax.study.space import (
  RATES,
  Study,
  choices,
  integers,
  log_uniform,
  rows,
)

RATE = log_uniform(1e-5, 1e-2, of=RATES)


@pytest.mark.parametrize(('axis', 'text'), [
    (choices('ada', 'clean', of='evaluate.protocol'),
     "'x' varies 'evaluate.protocol', which is how runs are measured.*"
     r'get_config\(\), and a study for each: --config.evaluate.protocol='),
    (rows(a={'train.n_dis': 1, 'evaluate.count': 64}),
     "'x' varies 'evaluate.count', which is how runs are measured"),
    (rows(a={'data.path': '/a'}, b={'data.path': '/b'}),
     "'x' varies 'data.path', which each machine has for itself; wanted a "
     'study for each set of pictures: --config.data.path='),
    (choices(1, 2, of='train.keep_checkpoints'),
     "'x' varies 'train.keep_checkpoints', which says how a run is kept"),
    (integers(1.5, 5, of='train.ema_rampup'),
     "'x': wanted two whole numbers, found 1.5 and 5"),
    (integers(1, 5.5, of='train.ema_rampup'),
     'whole numbers, found 1 and 5.5')])
def test_axes_that_compare_nothing_are_refused(axis, text):
  with pytest.raises(ValueError, match=f'study.axes: .*{text}'):
    Study({'x': axis}, sampler='random', points=2)


@pytest.mark.parametrize(('axis', 'more'), [
    (choices(1e-4, of=RATES), {'sampler': 'grid'}),
    (RATE, {'sampler': 'random', 'points': 4})])
def test_points_at_once_mean_nothing_where_all_are_known(axis, more):
  with pytest.raises(ValueError, match=(
      f'study.at_once: 2 means nothing to the sampler {more["sampler"]!r}.*'
      "wanted sampler='tpe' or 'bandit'")):
    Study({'x': axis}, at_once=2, **more)
  Study({'x': axis}, at_once=2, sampler='tpe', points=4)
