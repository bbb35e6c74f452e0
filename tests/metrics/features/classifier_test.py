"""Laws of the classifier whose features are compared."""
import jax
import numpy as np
import pytest

from msg_gan_jax.metrics.features import classifier, classifier_training

RECIPE = classifier_training.Recipe(
    least=3200, batch=32, rate=.02, widths=(8, 8), mirror=False)
HEADS = {'stripes': 2, 'colour': 3}


def striped(n, seed, size=12):
  """Noisy stripes, across or down, in one of three colours: both labelled."""
  rng = np.random.default_rng(seed)
  down, colour = rng.integers(0, 2, n), rng.integers(0, 3, n)
  waves = np.broadcast_to(np.arange(size) // 2 % 2, (n, size, size))
  waves = np.where(down[:, None, None], waves, waves.swapaxes(1, 2))
  images = waves[..., None] * np.eye(3)[colour][:, None, None] * 160
  images = images + rng.uniform(0, 60, (n, size, size, 3))
  return images.astype(np.uint8), {'stripes': down, 'colour': colour}


@pytest.fixture(scope='module')
def said():
  return []


@pytest.fixture(scope='module')
def learned(said):
  images, labels = striped(160, 0)
  return classifier_training.train(
      images, labels, HEADS, RECIPE, lambda *news: said.append(news))


@pytest.mark.slow
def test_separable_classes_of_every_head_are_learned(learned):
  images, labels = striped(200, 1)
  right = classifier.accuracy(learned, images, labels)
  assert set(right) == set(HEADS) and min(right.values()) > .97
  # A picture's class is in its factor, not in its place among the others.
  wrong = classifier.accuracy(
      learned, images, {k: np.roll(v, 1) for k, v in labels.items()})
  assert wrong['stripes'] < .7 and wrong['colour'] < .6


@pytest.mark.slow
def test_the_same_bits_come_of_the_same_seed_and_others_of_another(learned):
  images, labels = striped(160, 0)
  asked = []

  def pixels(indices):
    asked.extend(indices)
    return images[indices]

  again = classifier_training.train(pixels, labels, HEADS, RECIPE)
  jax.tree.map(np.testing.assert_array_equal, learned, again)
  assert sorted(asked) == list(range(160))  # Once each, not once an epoch.
  start = [classifier_training._drawn(classifier.Classifier(HEADS, (8, 8)),
                             images[:1], seed) for seed in (0, 0, 1)]
  kernels = [x['params']['down_0']['conv']['kernel'] for x in start]
  assert (kernels[0] == kernels[1]).all()
  assert not (kernels[0] == kernels[2]).any()


def test_it_says_how_far_it_is(said, learned):
  shown = [news[0] for news in said]
  assert shown == sorted(shown) and shown[-1] == 3200
  assert all(total == 3200 for _, total, _ in said)
  assert said[-1][2] < said[0][2]


def test_a_picture_has_its_features_whatever_is_beside_it(learned):
  images, _ = striped(300, 2)  # More than a chunk.
  features, logits = classifier.outputs(learned, images)
  assert features.shape == (300, 8) and features.dtype == np.float32
  assert logits['colour'].shape == (300, 3) and features.std(0).max() > .1
  alone = [classifier.outputs(learned, images[i:i + 1])[0]
           for i in (0, 255, 256, 299)]
  np.testing.assert_allclose(
      np.concatenate(alone), features[[0, 255, 256, 299]], rtol=1e-5, atol=1e-6)
  by_index = classifier.outputs(learned, lambda some: images[some], 300)[0]
  np.testing.assert_array_equal(by_index, features)


def test_tensors_make_the_same_variables(learned, tmp_path):
  np.savez(tmp_path / 'kept.npz', **classifier.to_tensors(learned))
  with np.load(tmp_path / 'kept.npz') as kept:
    again = classifier.from_tensors(kept)
  assert jax.tree.structure(again) == jax.tree.structure(learned)
  jax.tree.map(np.testing.assert_array_equal, again, learned)


def test_the_key_of_a_recipe_holds_each_setting_and_the_version():
  usual, other = (classifier_training.Recipe(seed=seed).key()
                  for seed in (0, 1))
  assert usual.pop('version') == classifier_training.VERSION
  assert usual['seed'] == 0 and other['seed'] == 1
  assert classifier_training.Recipe(**usual) == classifier_training.USUAL


def test_few_pictures_are_shown_more_often_and_many_less_often():
  recipe = classifier_training.Recipe(epochs=10, least=100, most=5000)
  assert [recipe.shown(n) for n in (5, 40, 9000)] == [100, 400, 5000]


def test_shifts_and_mirrors_keep_the_pixels_of_a_picture():
  ramp = np.arange(32, dtype=np.uint8)
  images = np.broadcast_to(
      ramp[None, None, :, None] * 8, (2, 32, 32, 1))
  recipe = classifier_training.Recipe(shift=4, mirror=True)
  rng = np.random.default_rng(0)
  moved = classifier_training._moved(
      images, np.arange(2).repeat(50), recipe, rng)
  assert moved.shape == (100, 32, 32, 1)
  steps = np.diff(moved[:, 0, 4:-4, 0].astype(int), axis=1)
  assert set(np.unique(steps)) == {-8, 8}
  assert ((steps == steps[:, :1]).all(1)).all()
  assert set(moved[:, 0, 15, 0].astype(int) // 8 - 15) == set(range(-4, 6))
  still = classifier_training.Recipe(shift=0, mirror=False)
  np.testing.assert_array_equal(
      classifier_training._moved(images, np.arange(2), still, rng), images)


@pytest.mark.parametrize('count, labels, heads, says', [
    (20, {'a': np.arange(20) % 3}, {'a': 2}, "'a' are 0 .. 2; wanted 0 .. 1"),
    (20, {'a': np.arange(20) % 3 - 1}, {'a': 3}, "'a' are -1 .. 1"),
    (20, {'a': np.ones(20, int)}, {'a': 2}, "every label of head 'a' is 1"),
    (20, {'a': np.arange(20) / 20}, {'a': 2}, r'as int \[20\], found float64'),
    (8, {'a': np.arange(8) % 2}, {'a': 2}, 'at least 16 .* found 8'),
    (20, {'a': np.arange(20) % 2}, {'b': 2}, r"heads \['b'\].* found \['a'\]"),
    (20, {}, {}, 'at least one'),
    (20, {'a/b': np.arange(20) % 2}, {'a/b': 2}, "without '/'"),
    (19, {'a': np.arange(20) % 2}, {'a': 2}, '19 pictures, but 20 labels'),
])
def test_labels_that_teach_nothing_are_refused(count, labels, heads, says):
  images = np.zeros((count, 8, 8, 3), np.uint8)
  with pytest.raises(ValueError, match=f'classifier: .*{says}'):
    classifier_training.train(images, labels, heads, RECIPE)


@pytest.mark.parametrize('images', [
    np.zeros((20, 8, 8, 3)), np.zeros((20, 8, 8), np.uint8),
    np.zeros((20, 8, 8, 5), np.uint8)])
def test_what_are_no_pictures_is_refused(images):
  with pytest.raises(ValueError, match='wanted 20 pictures as uint8'):
    classifier_training.train(
        images, {'a': np.arange(20) % 2}, {'a': 2}, RECIPE)


def test_another_number_of_channels_is_refused(learned):
  with pytest.raises(ValueError, match='pictures of 3 channels, found 1'):
    classifier.outputs(learned, np.zeros((4, 8, 8, 1), np.uint8))


def test_a_rate_that_diverges_is_named():
  images, labels = striped(32, 0)
  wild = classifier_training.Recipe(
      least=800, batch=8, rate=1e30, widths=(2,), mirror=False)
  with pytest.raises(ValueError, match='smaller rate than 1e[+]30'):
    classifier_training.train(images, labels, HEADS, wild)
