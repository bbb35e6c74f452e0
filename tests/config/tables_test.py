"""Laws of tables: a miss names the nearest row, and the place that asked."""
import pytest

from msg_gan_jax.config.tables import Table

PHI = Table('config.networks.phi', 'φ', {'simple': 1, 'lin_cat': 2})


def test_a_miss_names_the_nearest_and_a_place_only_where_one_asked():
  miss = "no φ 'simpel'; did you mean 'simple'\\? Known: lin_cat, simple\\.$"
  for ask, place in (
      (lambda: PHI['simpel'], ''),
      (lambda: PHI.look_up('simpel'), r'config\.networks\.phi: '),
      (lambda: PHI.check('simpel'), r'config\.networks\.phi: '),
      (lambda: PHI.look_up('simpel', 'phi'), 'phi: ')):
    with pytest.raises(ValueError, match=f'^{place}{miss}'):
      ask()


def test_a_row_is_looked_up():
  assert PHI['simple'] == PHI.look_up('simple') == 1
