"""Laws of latents that are named by seed and index."""
import os
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis.generator import picks, samples
from msg_gan_jax.analysis.generator.picks import Pick
from msg_gan_jax.config import schema
from msg_gan_jax.gan import latents, pyramid
from msg_gan_jax.runs.load import LoadedRun


class Drawer:
  """A GAN whose picture is a linear map of z, brighter with its class."""
  sizes, shapes, layers = (4, 8), ((4, 4, 1), (8, 8, 1)), 0
  matrix = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32) / 9

  def __init__(self, law='sphere', classes=0):
    self.law, self.classes = latents.LATENTS[law], classes

  def settle(self, state):
    return state

  def draw(self, key, n):
    return self.law(key, (n, 6))

  def sample(self, state, z, labels=None, **unused):
    shift = 0. if labels is None else labels[:, None] / 8.
    image = jnp.tanh(z @ self.matrix + shift).reshape(-1, 8, 8, 1)
    return pyramid.down(image), image


@pytest.mark.parametrize('text, wanted', [
    ('3', [(3, 0)]),
    ('3,17,42', [(3, 0), (17, 0), (42, 0)]),
    ('0-3', [(0, 0), (1, 0), (2, 0), (3, 0)]),
    ('7-7', [(7, 0)]),
    ('17:4', [(17, 4)]),
    (' 5 , 17:4,0-1,5', [(5, 0), (17, 4), (0, 0), (1, 0), (5, 0)]),
    ('4294967295', [(2**32 - 1, 0)]),
])
def test_seeds_are_read_as_people_write_them(text, wanted):
  assert picks.parse(text) == tuple(Pick(*pair) for pair in wanted)


@pytest.mark.parametrize('text, wanted', [
    ('', "found ''"), ('3,', "found ''"), ('3;4', "found '3;4'"),
    ('-1', "found '-1'"), ('1.5', "found '1.5'"), ('a', "found 'a'"),
    ('17:', "found '17:'"), ('17:0-4', "found '17:0-4'"), ('²', "found '²'"),
    ('9-0', '9-0 ends before it begins; wanted 0-9'),
    ('4294967296', 'wanted seeds of at most 4294967295, found 4294967296'),
    ('1:100000', 'wanted numbers of latents of at most 99999, found 100000'),
    ('0-9999,3', '10001 or more; wanted at most 10000'),
    ('0-4294967295', 'wanted at most 10000'),
])
def test_what_are_no_seeds_is_told(text, wanted):
  with pytest.raises(ValueError, match='^seeds: ') as told:
    picks.parse(text)
  assert wanted in str(told.value)


@pytest.mark.parametrize('law', latents.LATENTS)
def test_a_pick_is_what_its_seed_draws_at_its_place(law):
  """Bit for bit, however many its seed draws."""
  gan, chosen = Drawer(law), picks.parse('17:4,3,17,42:0,17:63')
  found = picks.latents(gan, chosen)
  assert found.dtype == np.float32 and found.shape == (5, 6)
  for z, (seed, index) in zip(found, chosen, strict=True):
    for count in index + 1, index + 2, 64, 100:
      np.testing.assert_array_equal(
          z, samples.latents(gan, 6, count, seed)[index])
  assert (found[1] != found[2]).any()


@pytest.mark.parametrize('classes', [0, 3])
def test_a_picked_picture_is_that_of_its_seed(classes):
  """With its class, unless labels ask for another."""
  config = schema.template()
  config.networks.latent = 6
  run = LoadedRun(schema.parse(config), Drawer(classes=classes), {}, 0)

  def drawn(count=64, **sampling):
    return samples.sample_run(run, count, samples.Sampling(**sampling))

  found = drawn(picks=picks.parse('17:4,3,17:1'))
  assert [len(level) for level in found] == [3, 3]
  for level, of_17, of_3 in zip(
      found, drawn(5, seed=17), drawn(1, seed=3), strict=True):
    np.testing.assert_array_equal(level, [of_17[4], of_3[0], of_17[1]])
  if classes:
    asked = drawn(picks=picks.parse('17:4,3'), labels=[2])[-1]
    np.testing.assert_array_equal(
        asked[0], drawn(5, seed=17, labels=[2])[-1][4])
    assert (asked[1] != found[-1][1]).any()


def test_labels_of_picks_are_those_of_all_in_turn():
  chosen = picks.parse('17:4,3,17:1')
  assert samples.labels_for((), 3, 3, chosen).tolist() == [1, 0, 1]
  assert samples.labels_for([2], 3, 3, chosen).tolist() == [2, 2, 2]
  assert samples.labels_for((), 3, 0, chosen) is None
  assert samples.labels_for((), 3, 3) is None  # All in turn, by who draws.


def test_picks_have_no_columns_for_classes(tmp_path, monkeypatch):
  """They do not come in turn; those of labels do."""
  columns = []
  monkeypatch.setattr(samples, 'sample_run', lambda *unused: ())
  monkeypatch.setattr(samples, 'write_files', lambda *rest: (
      columns.append(rest[-2])))
  networks = types.SimpleNamespace(classes=3)
  run = LoadedRun(types.SimpleNamespace(networks=networks), None, None, 0)
  for sampling in {}, {'picks': (Pick(1),)}, {'picks': (Pick(1),),
                                             'labels': (0, 2)}:
    samples.sample_run_to_files(
        run, tmp_path, 4, samples.Sampling(**sampling))
  assert columns == [3, None, 2]


def test_single_pictures_are_named_after_their_seeds(tmp_path):
  levels = (np.zeros((3, 8, 8, 1), np.uint8),)
  for picked, names in (
      ((), ('8px_00000', '8px_00001', '8px_00002')),
      (picks.parse('17:4,3,3'), (
          '8px_00000_seed17_4', '8px_00001_seed3', '8px_00002_seed3'))):
    folder = tmp_path / str(len(picked))
    samples.write_files(levels, folder, True, False, None, [
        samples.ending_of(pick) for pick in picked])
    assert sorted(os.listdir(folder)) == sorted([
        'grid.png', *(f'{name}.png' for name in names)])


def test_a_draw_does_not_depend_on_how_many_there_are():
  """What `picks` builds on, of jax's generator itself."""
  assert jax.config.jax_threefry_partitionable
