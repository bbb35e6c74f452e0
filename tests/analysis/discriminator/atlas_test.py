"""The atlas: tops against a plain search, windows, projections and patches."""
from flax import linen as nn
import jax
import numpy as np
import pytest

from msg_gan_jax import NETWORKS, Players, build
from msg_gan_jax.analysis.discriminator import atlas, windows
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import (
  Maximum,
  Programs,
  in_batches,
)
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.receptive_fields import Box, Fields
from msg_gan_jax.analysis.discriminator.shown import OfSource, Shown
from msg_gan_jax.arrays.pixels import to_uint8
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.gan.state import NOTHING, Verdict


class Own(nn.Module):
  """A D of two layers, as a user might write it."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    x = nn.relu(nn.Conv(6, (3, 3), name='first')(images[-1]))
    x = nn.Conv(5, (4, 4), 2, name='second')(x)
    return Verdict(nn.Dense(1, name='end')(x.mean((1, 2)))[:, 0])


@pytest.fixture(scope='module')
def judge(small):
  """Of a network of a user's own, drawn; its pictures are wide."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(NETWORKS, 'own', lambda config: Players(
        NETWORKS['dcgan'](config).g, Own(), (16,)))
    gan = build(small('dcgan', networks__name='own', data__width=32))
    yield Judge.of(gan, gan.init(jax.random.key(0)).d)


@pytest.fixture(scope='module')
def shown():
  """30 pictures of noise, of two kinds, which are no whole batches."""
  pixels = np.random.default_rng(0).integers(0, 256, (30, 16, 32, 3), np.uint8)
  source = ArraySource(pixels)
  return Shown([OfSource('reals', source, np.arange(13), (16,)),
                OfSource('samples', source, np.arange(13, 30), (16,))])


@pytest.fixture(scope='module')
def found(judge, shown):
  programs = Programs(judge, [*judge.shapes], 'guided', batch=8)
  return programs, *atlas.strongest(programs, judge, shown)


def test_tops_are_those_of_a_plain_search(judge, shown, found):
  _, tops, logits = found
  every = judge.activations(shown.levels(np.arange(30)))
  np.testing.assert_allclose(logits, every[LOGIT], rtol=1e-5, atol=1e-6)
  for layer, top in tops.items():
    x = np.asarray(every[layer]).reshape(30, -1, top.values.shape[0])
    maxima, places = x.max(1), x.argmax(1)
    order = np.argsort(-maxima, 0)[:atlas.NINE]
    np.testing.assert_array_equal(top.pictures, order.T, err_msg=layer)
    np.testing.assert_allclose(
        top.values, np.take_along_axis(maxima, order, 0).T, rtol=1e-5)
    np.testing.assert_array_equal(
        top.places, np.take_along_axis(places, order, 0).T)
    np.testing.assert_allclose(top.spread, maxima.std(0), rtol=1e-4)
    assert all(len({*row}) == atlas.NINE for row in top.pictures)


def test_spread_is_right_of_large_values_that_hardly_differ():
  rng = np.random.default_rng(1)
  values = (1e4 + rng.normal(size=(50, 3))).astype(np.float32)
  collected = atlas.Collected(9)
  for rows in np.split(np.arange(50), [7, 8, 30]):
    collected.add(Maximum(values[rows], np.zeros((len(rows), 3), int)), rows)
  np.testing.assert_allclose(
      collected.tops().spread, values.astype(np.float64).std(0), rtol=1e-9)


def test_maps_of_the_largest_spread_are_chosen(found):
  _, tops, _ = found
  chosen = atlas.choose(tops, 3)
  for layer, maps in chosen.items():
    spread = tops[layer].spread
    assert len(maps) == min(3, len(spread))
    assert spread[maps].min() >= np.delete(spread, maps).max(initial=0.)
    assert [*spread[maps]] == sorted(spread[maps], reverse=True)


def test_a_layer_that_says_what_another_one_says_is_left_out(found):
  _, tops, _ = found
  names, same = atlas.unlike({'norm': tops['first'], **tops})
  # 'end' has one number, the logit, which stands for it.
  assert names == ['norm', 'second', LOGIT]
  assert same == {'first': 'norm', 'end': LOGIT}


@pytest.mark.parametrize('rule', ['deconvnet', 'guided', 'gradient'])
def test_views_are_projections_and_patches_of_their_fields(
    judge, shown, found, rule):
  """Each in its window, and grey where that lies over the edge."""
  _, tops, _ = found
  programs = Programs(judge, ['second', LOGIT], rule, batch=8)
  fields = Fields(judge, ['second'])
  view, = atlas.views(programs, fields, judge, shown, tops,
                      {'second': np.array([4, 1])})
  assert (view.layer, view.size, view.of, view.without) == ('second', 16, 5, 0)
  h, w = view.patches.shape[2:4]
  assert view.patches.shape == (2, 9, h, w, 3) and (h, w) == (6, 6)
  np.testing.assert_allclose(view.shares[16], 1)
  over = 0
  for m, k in np.ndindex(2, 9):
    image = shown.levels(np.full(8, view.pictures[m, k]))
    place = np.array([[*view.places[m, k], view.maps[m]]] * 8, np.int32)
    whole = programs.projected(
        judge, Pictures(image, None), 'second', place)[-1][0]
    top, left = view.corners[16][m, k]
    inside = np.zeros((16, 32), bool)
    for i, j in np.ndindex(h, w):
      if 0 <= top + i < 16 and 0 <= left + j < 32:
        inside[top + i, left + j] = True
        np.testing.assert_allclose(
            view.projections[16][m, k, i, j], whole[top + i, left + j],
            atol=1e-5)
        np.testing.assert_array_equal(
            view.patches[m, k, i, j],
            to_uint8(image[-1])[0, top + i, left + j])
      else:
        over += 1
        assert not view.projections[16][m, k, i, j].any()
        assert (view.patches[m, k, i, j] == 128).all()
    assert not whole[~inside].any()
    (field,) = fields.at('second', place[:1, :2])
    assert not field[0][~inside].any()
  assert over


def test_without_maxima_deconvnet_says_the_same_of_all_pictures(
    judge, shown, found):
  """There are no switches; only the edge cuts off a part."""
  _, tops, _ = found
  programs = Programs(judge, ['second', LOGIT], 'deconvnet', batch=8)
  for view in atlas.views(programs, Fields(judge, ['second']), judge, shown,
                          tops, {'second': np.arange(5)}):
    for m in range(5):
      whole = [k for k in range(9) if (view.corners[16][m, k] >= 0).all() and (
          view.corners[16][m, k] + 6 <= (16, 32)).all()]
      for k in whole[1:]:
        np.testing.assert_allclose(
            view.projections[16][m, k], view.projections[16][m, whole[0]],
            atol=1e-5)


def test_a_window_that_an_edge_cuts_keeps_its_place():
  boxes = [Box(0, 3, 2, 7), Box(4, 9, 2, 7), Box(13, 16, 0, 4)]
  found = windows.of_fields({16: (boxes, 16), 4: ([None, *boxes[1:]], 4)})
  assert [*found] == [16] and found[16].shape == (5, 5)
  assert found[16].corners.tolist() == [[-2, 2], [4, 2], [13, -1]]
  images = np.arange(16.).reshape(1, 4, 4, 1)
  np.testing.assert_array_equal(
      windows.crop(images, np.array([[-1, 2]]), (2, 3), 9.)[0, ..., 0],
      [[9, 9, 9], [2, 3, 9]])


def test_a_vector_and_a_logit_see_the_whole_picture(judge, shown, found):
  _, tops, _ = found
  programs = Programs(judge, [LOGIT, 'end'], 'integrated', batch=8, steps=64)
  fields = Fields(judge, [LOGIT, 'end'])
  for view in atlas.views(
      programs, fields, judge, shown, tops,
      atlas.choose({name: tops[name] for name in (LOGIT, 'end')}, 9)):
    assert view.patches.shape == (1, 9, 16, 32, 3) and view.of == 1
    assert not view.places.any() and not view.corners[16].any()
    grey = judge.activations(
        (np.zeros((1, 16, 32, 3), np.float32),))[LOGIT]
    np.testing.assert_allclose(  # Shares add up to the logit less that of grey.
        view.projections[16][0].sum((1, 2, 3)), view.values[0] - grey,
        atol=.02 * np.abs(view.values).max())


def test_through_time_each_checkpoint_has_its_own_strongest_picture(
    judge, shown):
  other = judge.gan.init(jax.random.key(3)).d
  judges = [(8, Judge.of(judge.gan, other)), (16, judge)]
  programs = Programs(judge, ['second', LOGIT], 'guided', batch=8)
  found = dict(atlas.through_time(
      programs, Fields(judge, ['second']), judges, shown,
      {'second': np.arange(5)}))
  assert [*found] == [8, 16]
  for images, one in judges:
    x = np.asarray(one.activations(shown.levels(np.arange(30)))['second'])
    np.testing.assert_array_equal(
        found[images]['second'].pictures[:, 0], x.max((1, 2)).argmax(0))
  assert (found[8]['second'].pictures != found[16]['second'].pictures).any()


def test_batches_are_filled_up_in_turn():
  assert [x.tolist() for x in in_batches(5, 3)] == [[0, 1, 2], [3, 4, 0]]
  assert in_batches(2, 5, 3)[0].tolist() == [0, 1, 2, 0, 1]


def test_too_few_pictures_are_refused(judge, shown):
  programs = Programs(judge, [LOGIT], 'guided', batch=8)
  few = Shown([OfSource('reals', ArraySource(
      np.zeros((8, 16, 32, 3), np.uint8)), np.arange(8), (16,))])
  with pytest.raises(ValueError, match='count: 8 pictures are too few to show'):
    atlas.strongest(programs, judge, few)
  with pytest.raises(ValueError, match="no rule 'guide'; did you mean 'guided"):
    Programs(judge, [LOGIT], 'guide')
  with pytest.raises(ValueError, match='layer=frist: D has no such layer'):
    Fields(judge, ['frist'])


def test_groups_of_the_deviation_are_whole(small):
  gan = build(small('msg_progan', data__resolution=8, train__batch=6,
                    networks__stddev_group=3))
  judge = Judge.of(gan, gan.init(jax.random.key(0)).d)
  for fewest, batch in ((None, 63), (13, 12), (2, 3)):
    assert Programs(judge, [LOGIT], 'guided', fewest=fewest).batch == batch
