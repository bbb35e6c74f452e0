"""Laws of tables: a miss names the nearest row, and the place that asked."""
import pytest

from msg_gan_jax.config import tables
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


@pytest.mark.parametrize('name, known, found', [
    ('sngan', ('sngan_cnn', 'sngan_resnet', 'msg_sngan', 'dcgan'),
     "'msg_sngan', 'sngan_cnn' or 'sngan_resnet'"),
    ('own', ('own_pictures', 'down', 'owl'), "'own_pictures'"),
    ('OWN-pictures', ('own_pictures', 'own_pictures_2'), "'own_pictures'"),
    ('batch_size', ('batch', 'bat', 'size_batch'), "'batch'"),
    ('simpel', ('simple', 'lin_cat'), "'simple'"),
])
def test_a_short_name_means_those_that_begin_with_it(name, known, found):
  """Before those that are spelled like it."""
  assert tables.nearest(name, known).startswith(f'did you mean {found}? Known')
  assert repr(tables.closest(name, known)) in found


def test_what_is_like_nothing_has_no_hint():
  for name in ('', 'x', 'zzz'):
    assert tables.nearest(name, ('simple', 'lin_cat', 'zz')[:2]) == (
        'Known: lin_cat, simple.')
