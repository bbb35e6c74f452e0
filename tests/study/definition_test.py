"""Laws of a study's definition: it reads back, grows, and is no other's."""
import json

import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.study import definition
from msg_gan_jax.study.plan import with_settings
from msg_gan_jax.study.space import RATES, Study, choices, log_uniform, rows

GRID = Study({'rate': choices(1e-4, 2e-4, of=RATES),
              'norm': rows(none={'networks.d_norm': 'none'},
                           batch={'networks.d_norm': 'batch'})})
DRAWN = Study({'n_dis': choices(1, 5, of='train.n_dis'),
               'rate': log_uniform(1e-5, 1e-2, of=RATES)},
              sampler='random', points=3, apart=('n_dis',),
              first=({'rate': 1e-3},))
BASE = schema.Config()


def dumped(study, base=BASE):
  """What a storage gives back of it."""
  return json.loads(json.dumps(definition.dump('mine', base, study)))


@pytest.mark.parametrize('study', [GRID, DRAWN])
def test_it_is_read_back_as_it_was(study):
  name, base, found = definition.load(dumped(study))
  assert (name, base) == ('mine', BASE)
  assert dumped(found) == dumped(study)
  assert [*found.groups()] == [*study.groups()]
  assert definition.joined(dumped(study), dumped(study)) == dumped(study)


def test_it_grows_by_seeds_values_axes_and_points():
  more = Study({'rate': choices(2e-4, 1e-3, of=RATES),
                'n_dis': choices(1, 2, of='train.n_dis')}, seeds=(1, 2))
  found = definition.joined(dumped(GRID), dumped(more))
  _, _, study = definition.load(found)
  assert [*study.axes] == ['rate', 'norm', 'n_dis']
  assert [*study.axes['rate'].rows] == [1e-4, 2e-4, 1e-3]
  assert study.seeds == [0, 1, 2]
  assert definition.joined(found, dumped(more)) == found
  more = Study({**DRAWN.axes}, sampler='random', points=9, apart=('n_dis',))
  assert definition.joined(dumped(DRAWN), dumped(more))['points'] == 9
  assert definition.joined(dumped(more), dumped(DRAWN))['points'] == 9


def test_two_machines_whose_data_lie_elsewhere_agree():
  there, here = (dumped(GRID, with_settings(BASE, {'data.path': path}))
                 for path in ('/there', '/here'))
  assert definition.joined(there, here) == there


def test_settings_of_a_later_version_have_what_runs_had_before():
  old, now = dumped(GRID), dumped(GRID)
  for name in ('train.g_reals', 'data.held_out_share'):
    del old['base'][name]
  base = definition.load(old)[1]
  assert (base.train.g_reals, base.data.held_out_share) == ('same', -2)
  with pytest.raises(ValueError, match='data.held_out_share is -2.0, and here'):
    definition.joined(old, now)
  now = dumped(GRID, with_settings(BASE, {'data.held_out_share': -2.}))
  assert definition.joined(old, now) == now
  # By the name that it had.
  old['base']['train.update'] = old['base'].pop('train.update_order')
  assert definition.load(old)[1] == base
  assert definition.joined(old, now) == now


@pytest.mark.parametrize(('study', 'settings', 'why'), [
    (Study(GRID.axes, metric='fid'), {}, "its metric is 'swd', and here 'fid'"),
    (GRID, {'train.batch': 7}, 'its config.train.batch is 4, and here 7'),
    (Study({'rate': choices(1e-4, of='optimizer.g_rate'),
            'norm': GRID.axes['norm']}), {}, "0.0001 of its axis 'rate' is"),
])
def test_another_study_is_refused(study, settings, why):
  mine = with_settings(BASE, {'train.batch': 4})
  with pytest.raises(ValueError, match='another study') as error:
    definition.joined(dumped(GRID, mine),
                      dumped(study, with_settings(mine, settings)))
  assert why in str(error.value)


def test_points_get_the_axes_that_came_later():
  study = Study({**GRID.axes, 'n_dis': choices(2, 3, of='train.n_dis')})
  settings = {**schema.flatten(BASE), 'train.n_dis': 3}
  assert definition.completed({'norm': 'none', 'rate': 1e-4}, settings,
                              study) == {
      'rate': 1e-4, 'norm': 'none', 'n_dis': 3}
  settings['train.n_dis'] = 5
  assert definition.completed({'rate': 1e-4}, settings, study)['n_dis'] == '-'
