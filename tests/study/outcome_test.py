"""Laws of what a run's records come to."""
import types

import numpy as np

from msg_gan_jax.config.schema import Config
from msg_gan_jax.study.outcome import outcome

GAN = types.SimpleNamespace(phase=lambda shown: types.SimpleNamespace(
    images=5, penalties=['none'], update_g=True))


def written(**columns):
  return types.SimpleNamespace(
      records={k: np.array(v, float) for k, v in columns.items()},
      config=Config(), versions=())


def test_stability_is_kept_wherever_it_was_recorded():
  nan = np.nan
  value, record = outcome(written(
      images=[10, 20, 30, 40, 50], fid_ada=[nan, 5, nan, nan, 4],
      stability_4=[.3, nan, .2, nan, .1], stability_8=[.6, nan, nan, nan, .2]),
                          GAN, 'fid', 'best', True)
  assert value == 4. and record['at'] == 50
  curve = record['curve']
  assert curve['images'] == [20, 50] and curve['fid_ada'] == [5, 4]
  assert curve['d_steps'] == [4, 10]
  assert curve['stability_images'] == [10, 30, 50]
  assert curve['stability_4'] == [.3, .2, .1]
  assert curve['stability_8'] == [.6, None, .2]


def test_a_run_without_stability_has_no_columns_of_it():
  _, record = outcome(written(images=[10], fid_ada=[5]), GAN, 'fid', 'last',
                      True)
  assert [*record['curve']] == ['images', 'd_steps', 'g_steps', 'seconds',
                                'fid_ada']
