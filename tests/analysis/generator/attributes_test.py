"""Laws of directions that a classifier of the data leads to."""
import sys
import types

from helpers import Drawn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import attributes, directions, strips
from msg_gan_jax.analysis.generator.attributes import Attribute
from msg_gan_jax.analysis.trained import Latents
from msg_gan_jax.config import schema
from msg_gan_jax.data.drawn import avatars
from msg_gan_jax.metrics.features import classifier, dataset_classifier

# Factors of z of which a picture knows nothing but whether each is positive.
AXES = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0][:3]


class Gan:
  """Three pixels, of which each is as light as z is far along an axis."""
  sizes, shapes, layers = (1,), ((1, 3, 1),), 0

  def __init__(self, classes=0):
    self.classes = classes

  def settle(self, state):
    return state

  def draw(self, key, n):
    return jax.random.normal(key, (n, 6))

  def latents(self, state, z, labels=None, *, weights='ema', psi=1.):
    return z

  def synthesize(self, state, w, labels=None, *, weights='ema'):
    return jnp.tanh(w @ AXES.T.astype(np.float32)).reshape(-1, 1, 3, 1),


class Reader:
  """Reads the three pixels: light or dark, at 1 of 4, and never rightly."""
  values = {'left': ('dark', 'light'), 'middle': ('dark', 'light'),
            'right': ('low', 'dark', 'light'), 'guess': ('a', 'b')}
  accuracy = {'left': 1., 'middle': .9, 'right': .85, 'guess': .5}

  def read(self, pictures):
    x = np.stack([*pictures]).astype(int)[:, 0, :, 0]
    return {'left': (x[:, 0] > 127) * 1, 'middle': (x[:, 1] > 127) * 1,
            'right': (x[:, 2] > 60) + (x[:, 2] > 127) * 1,
            'guess': np.arange(len(x)) % 2}


def made(classes=0):
  config = schema.template()
  config.networks.latent_law = 'normal'
  return trained.Trained(
      schema.parse(config), Gan(classes), jnp.float32(1))


class Unknown(Drawn):
  """A source without labels and factors."""

  def factors(self, indices):
    return {}


@pytest.fixture(scope='module')
def found():
  return attributes.find(made(), Reader(), (), 2000)


def test_the_normal_is_the_axis_that_is_read(found):
  got, effects = found
  assert [x.of.head for x in effects[:-1]] == ['left', 'middle', 'right']
  for vector, axis in zip(got.vectors, AXES, strict=True):
    assert abs(vector @ axis) > .98
  np.testing.assert_allclose(got.steps, 1, atol=.1)
  assert got.space == 'z' and got.measure == 'balanced accuracy'


def test_what_is_linear_is_separated_and_changes_alone(found):
  _, effects = found
  *own, random = effects
  for x in own:
    assert x.separates.share > .95 and x.separates.low > .9
    assert (x.before.share, x.after.share) < (.05, 1) and x.after.share > .6
    itself = x.changes[x.of.head].share
    others = [y.share for head, y in x.changes.items() if head != x.of.head]
    assert itself > .9 and max(others) < .3
    assert itself > random.changes[x.of.head].share + .2
  # What the classifier guesses is of no account.
  assert 'guess' not in own[0].changes and random.of is None


def test_what_is_tested_on_was_not_learned_from(monkeypatch):
  """It knows by heart what it has seen, and says no of all else."""
  seen = []

  def by_heart(points, has):
    seen.append(len(points))
    known = {x.tobytes(): y for x, y in zip(points, has, strict=True)}
    return AXES[0], lambda rows: np.array([
        known.get(x.tobytes(), False) for x in rows])

  monkeypatch.setattr(attributes, 'boundary', by_heart)
  _, effects = attributes.find(made(), Reader(), (('left', 1),), 1000)
  assert seen == [750]
  # Of 250 others it is right about all that have it not.
  assert effects[0].separates.share == .5


def test_a_value_may_be_asked_for_and_named(found):
  known = Reader()
  asked = attributes.parse('right:low, guess', known)
  assert asked == (('right', 0), ('guess', None))
  got, effects = attributes.find(made(), known, asked[:1], 1000)
  assert got.names == ('right_low',) and effects[0].of == Attribute(
      'right', 0, 'right:low')
  assert got.vectors[0] @ AXES[2] < -.95  # Low is where it is dark.
  # A guess that is asked for is counted.
  _, effects = attributes.find(made(), known, asked[1:], 1000)
  assert .35 < effects[0].separates.share < .65
  assert 'guess' in effects[0].changes


@pytest.mark.parametrize('text, wanted', [
    ('lefd', r"^factors: no factor 'lefd'; did you mean 'left'\? Known: guess"),
    ('left:lihgt', r"^factors: no value 'lihgt' of 'left'; did you mean 'lig"),
    ('left,', "^factors: no factor ''; Known: "),
    ('left:', "^factors: no value '' of 'left'; Known: dark, light"),
])
def test_what_is_no_factor_is_told(text, wanted):
  with pytest.raises(ValueError, match=wanted):
    attributes.parse(text, Reader())


def test_of_what_is_too_rare_nothing_is_learned():
  read = {'left': np.arange(100) < 7, 'middle': np.arange(100) < 50,
          'right': np.zeros(100, int), 'guess': np.arange(100) % 2}
  read = {head: x.astype(int) for head, x in read.items()}
  assert [x.name for x in attributes.chosen((), Reader(), read)] == [
      'middle:dark']
  with pytest.raises(ValueError, match=r'^factors: left:light is seen in 7 of '
                     '100 samples; wanted at least 20 with and 20 without'):
    attributes.chosen((('left', 1),), Reader(), read)
  read['middle'] = 0 * read['middle']
  with pytest.raises(ValueError, match='^samples: the classifier is right in'):
    attributes.chosen((), Reader(), read)


def test_of_few_samples_and_without_scikit_learn_it_is_told(monkeypatch):
  with pytest.raises(ValueError, match='^samples: 79; wanted at least 80'):
    attributes.find(made(), Reader(), (), 79)
  with pytest.raises(ValueError, match="^space: 'w', but this GAN has no mapp"):
    attributes.find(made(), Reader(), (), 400, 'w')
  monkeypatch.setitem(sys.modules, 'sklearn', None)
  with pytest.raises(ValueError, match='^method=classifier needs sklearn, .* R'
                     'un: pip install scikit-learn'):
    attributes.find(made(), Reader(), (), 400)


def test_names_of_files_differ():
  names = attributes._file_names([
      Attribute('a', i, name) for i, name in enumerate((
          'label:a/b', 'label:a b', 'label:..', 'label:ψ', 'x' * 99))])
  assert names == ('label_a_b', 'label_a_b_2', 'label_..', 'label_ψ', 'x' * 60)


def test_pictures_are_read_in_whole_chunks(monkeypatch):
  seen = []
  monkeypatch.setattr(classifier, 'CHUNK', 4)
  monkeypatch.setattr(classifier, 'outputs', lambda variables, x: (
      seen.append(len(x)), (None, {'a': np.stack([x[:, 0, 0, 0], 0 * x[
          :, 0, 0, 0] + 5], 1).astype(float)}))[1])
  pictures = np.arange(10, dtype=np.uint8)[:, None, None, None]
  found = attributes.Reader({}, {}, {}).read(iter(pictures))
  assert seen == [4, 4, 2]
  assert found['a'].tolist() == [1] * 5 + [0] * 5


def test_a_label_that_is_a_factor_is_not_read_twice(monkeypatch):
  monkeypatch.setattr(dataset_classifier, 'trained', lambda *args: (
      dataset_classifier.Trained({}, {}, {'hat': 1.}, '')))

  def known(source):
    return attributes.reader(types.SimpleNamespace(train=source, held_out=None))

  found = known(avatars.Avatars(50, 8)).values
  assert 'label' not in found and found['hat'] == avatars.FACTORS['hat']
  pictures = np.zeros((6, 8, 8, 3), np.uint8)
  own = known(Drawn(pictures, [0, 0, 1, 1, 0, 1], ('cat', 'dog'))).values
  assert own == {'number': ('0', '1'), 'label': ('cat', 'dog')}


def test_pictures_of_which_nothing_can_be_learned_are_told():
  def known(source):
    attributes.reader(types.SimpleNamespace(train=source, held_out=None))

  pictures = np.zeros((6, 8, 8, 3), np.uint8)
  with pytest.raises(ValueError, match=r'^method=classifier: drawn has neither '
                     'labels nor factors to learn; wanted method=pca or meth'):
    known(Unknown(pictures))
  with pytest.raises(ValueError, match=r'^method=classifier: drawn has 6 pictu'
                     'res, too few to learn from; wanted method=pca'):
    known(Drawn(pictures, [0, 0, 1, 1, 0, 1], ('cat', 'dog')))


# Tables and files.


def test_the_tables_have_what_was_measured(found):
  got, effects = found
  table = strips.effects_table(effects)
  assert [row[0] for row in table.rows] == [x.of.name for x in effects[:-1]]
  for row, x in zip(table.rows, effects, strict=False):
    others = {head: y.share for head, y in x.changes.items()
              if head != x.of.head}
    assert row[1] == x.reads and row[2].value == x.separates.share
    assert row[5].value == x.changes[x.of.head].share
    assert row[8] == max(others.values()) == others[row[7]]
    assert row[9] == pytest.approx(np.mean([*others.values()]))
  table = strips.changes_table(effects)
  assert table.columns == ('direction', 'left', 'middle', 'right')
  assert [row[0] for row in table.rows][-1] == 'random'
  assert table.rows[0][1] == effects[0].changes['left'].share
  assert got.strengths[0] == effects[0].separates.share


def test_all_is_written(found, tmp_path):
  got, effects = found
  z = np.asarray(made().gan.draw(jax.random.key(1), 2))
  paths = strips.write(tmp_path, made(), got, Latents(z), effects)
  names = [path.rpartition('/')[2] for path in paths]
  assert names[0] == 'overview.png' and names[-7:] == [
      'directions.npz', 'effects.md', 'effects.tex', 'effects.csv',
      'changes.md', 'changes.tex', 'changes.csv']
  header = (tmp_path / 'effects.csv').read_text().splitlines()[0]
  assert header.startswith('direction,read rightly,separates,separates low,')
  assert directions.along(got.vectors, z).shape == (3,)
