"""What the pages of growing and of precision say is what was measured."""
import sys

from helpers import ROOT
import numpy as np
import pytest

from msg_gan_jax.config import schema

STUDIES = ROOT / 'docs' / 'studies'


@pytest.fixture(scope='module')
def pages():
  """The modules growing and precision."""
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT))
    patch.syspath_prepend(str(STUDIES))
    import growing
    import precision
    yield growing, precision
  for name in ('growing', 'precision', 'stability'):
    sys.modules.pop(name, None)


def test_the_three_kinds_differ_in_what_is_compared_alone(pages):
  from experiments import msg_vs_growing_16px
  growing, precision = pages
  msg, progan, plain = (growing.config_of(kind, 1) for kind in growing.KINDS)
  assert msg.seed == 1
  for kind, config in zip(growing.KINDS, (msg, progan, plain), strict=True):
    alone = schema.flatten(schema.parse(msg_vs_growing_16px.get_config(kind)))
    found = schema.flatten(config)
    assert {k for k in alone if alone[k] != found[k]} == {
        'seed', 'train.checkpoint_every_images'}
  assert (msg.networks.scales, plain.networks.scales) == ('all', 'none')
  assert (msg.train.grow_from, progan.train.grow_from) == (0, 4)
  for config in (progan, plain):
    assert config.optimizer == msg.optimizer
    assert config.objective == msg.objective
    assert (config.train.batch, config.train.total_images) == (
        msg.train.batch, msg.train.total_images)
  assert precision.config_of('bfloat16', 2).networks.dtype == 'bfloat16'


def test_seconds_follow_the_resolution(pages):
  growing, _ = pages
  times = {'msg': {'16': [.1, .3, .2]},
           'progan': {'4': [.1], '8': [.2], '16': [.4]}}
  assert growing.seconds_at('msg', 1000, times) == pytest.approx(200)
  # 4 px until 15,000 images, 8 px from there, 16 px from 45,000 images on.
  for images, seconds in ((10_000, 1000), (15_000, 1500), (20_000, 2500),
                          (45_000, 7500), (100_000, 29_500)):
    assert growing.seconds_at('progan', images, times) == (
        pytest.approx(seconds))


def test_the_tables_have_means_and_deviations(pages):
  growing, precision = pages
  whole = {'16': 3., '8': 2., '4': 1.}
  results = {(kind, seed): {
      'curve': [{'images': 100_000, 'patches': 10. + seed, 'whole': whole,
                 'variety': .9}],
      'changes': [{'16': .1, '8': .2, '4': .3}],
      'halves': {'patches': 5., 'whole': whole}}
             for kind in growing.KINDS for seed in growing.SEEDS}
  times = {kind: {size: [1e-3] for size in ('4', '8', '16')}
           for kind in growing.KINDS}
  lines = list(growing.table(results, times))
  assert lines[2].startswith('| MSG-ProGAN | 11.0 ± 1.0 | 3.0 ± 0.0 |')
  assert lines[2].endswith('| 100 |')
  assert lines[-1].startswith('| two halves of the reals | 5.0 | 3.0 |')
  same = {'float32': np.array([[1.], [2.], [3.]]),
          'bfloat16': np.array([[2.], [2.], [2.]])}
  line = list(precision.table({'patches': same}))[-1]
  assert line == '| 7x7 patches | 2.0 ± 1.0 | 2.0 ± 0.0 | 0.00 | 1.00 |'
