"""Every combination is decided by `build`, and what it accepts trains."""
import dataclasses
import itertools
import random
import re
import time

from helpers import batch
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import compatibility
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks.norms import NORMS
from msg_gan_jax.gan.networks.players import D_CONDITIONS, G_CONDITIONS
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.objectives.penalties import PENALTIES

# lapgan_test.py has the laws of the chain.
NETWORK_ROWS = [name for name in NETWORKS if name != 'lapgan']
AXES = {
    'networks.name': NETWORK_ROWS, 'networks.d_norm': list(NORMS),
    'networks.d_weight_norm': list(WEIGHT_NORMS),
    'objective.loss': list(LOSSES), 'objective.penalty': list(PENALTIES),
    'networks.g_norm': list(NORMS), 'networks.g_condition': list(G_CONDITIONS),
    'networks.d_condition': list(D_CONDITIONS),
}
MAPPED = ('stylegan', 'stylegan2', 'stylegan2_plain', 'r3gan')
EQUALIZED = ('msg_progan', 'bmsg_gan', 'progan', 'mlp', *MAPPED)
# Two levels of those that have one for each height; the others so large that no
# map of one pixel is normalized.
PIXELS = {
    **dict.fromkeys(
        ('msg_progan', 'bmsg_gan', 'progan', 'mlp', 'vanilla', 'infogan',
         'stylegan', 'stylegan2', 'stylegan2_plain', 'r3gan'), 8),
    **dict.fromkeys((
        'dcgan', 'dcgan_64', 'dcgan_compare_gan', 'resnet_mimicry_64',
        'resnet_mimicry_48', 'resnet_stl'), 32),
    'resnet19': 64, 'resnet_mimicry_128': 64}


def is_legal(row):
  """What the table of settings allows, in one place and by hand."""
  name, d_norm, d_weight_norm, _, penalty, g_norm, g_condition, d_condition = (
      row[axis] for axis in AXES)
  if name in EQUALIZED and (
      (g_norm, d_norm, d_weight_norm) != ('none',) * 3
      or g_condition == 'batch_norm'):
    return False
  if (name in MAPPED and g_condition == 'concat') or (
      name not in MAPPED and g_condition == 'mapping'):
    return False
  if d_condition == 'mapped_projection' and name not in MAPPED[1:]:
    return False
  if name == 'r3gan' and d_condition not in ('none', 'mapped_projection'):
    return False
  if name in ('vanilla', 'infogan') and 'instance' in (g_norm, d_norm):
    return False
  return ((g_condition == 'none') == (d_condition == 'none')
          and (g_condition != 'batch_norm' or g_norm == 'batch')
          and (penalty == 'none' or d_norm != 'batch'))


def config_of(start, row, **settings):
  """The Config of a row: {'networks.name': ...} and of more settings."""
  changes = {'networks': {}, 'objective': {}, 'data': {}, 'train': {},
             'optimizer': {}}
  told = row['networks.g_condition'] != 'none' or (
      row['networks.d_condition'] != 'none')
  for place, value in {
      **row, 'networks.classes': 3 * told,
      'data.resolution': PIXELS.get(row['networks.name'], 16),
      **({'networks.w': 4, 'networks.mapping_layers': 2}
         if row['networks.name'].startswith('style') else {}),
      **settings}.items():
    section, field = place.split('.')
    changes[section][field] = value
  return dataclasses.replace(start, **{
      section: dataclasses.replace(getattr(start, section), **fields)
      for section, fields in changes.items() if fields})


@pytest.fixture(scope='module')
def tiny(small):
  """A Config of four of everything, and of Adam."""
  return small(
      networks__fmap_max=4, networks__fmap_base=8, networks__latent=4,
      networks__scales='none', networks__stddev='none', train__batch=4,
      objective__drift=0., optimizer__name='adam', optimizer__g_rate=.01,
      optimizer__d_rate=.01, train__ema_half_life_images=8.)


def rows(*axes):
  """Each combination of some axes, the others at their plainest."""
  plainest = {axis: values[0] for axis, values in AXES.items()}
  plainest.update({'networks.name': 'sndcgan'})
  for values in itertools.product(*(AXES[axis] for axis in axes)):
    yield {**plainest, **dict(zip(axes, values, strict=True))}


def assert_decided(start, found):
  """How many are accepted; each as `is_legal` has it, none by tracing."""
  traced, accepted = [], 0

  def heard(event, duration, **kwargs):
    del duration, kwargs
    if 'trace' in event:
      traced.append(event)

  jax.monitoring.register_event_duration_secs_listener(heard)
  try:
    jax.jit(lambda x: x + 1).lower(1.)
    assert traced  # it would be heard
    traced.clear()
    for row in found:
      try:
        build(config_of(start, row))
      except ValueError as e:
        assert not is_legal(row), row
        text = str(e)
        assert re.search(r'config\.(networks|objective)\.\w+', text), text
        assert re.search('[Ww]anted|did you mean', text), text
      else:
        assert is_legal(row), row
        accepted += 1
    assert not traced
  finally:
    jax.monitoring.unregister_event_duration_listener(heard)
  return accepted


def test_builds_are_decided_without_tracing(tiny):
  """Each axis against the networks, and a draw of the whole."""
  whole = random.Random(0)
  found = [row for axis in list(AXES)[1:] for row in rows(
      'networks.name', axis)]
  found += [row for row in rows('networks.g_norm', 'networks.g_condition',
                                'networks.d_condition')]
  found += [{axis: whole.choice(values) for axis, values in AXES.items()}
            for _ in range(500)]
  start = time.process_time()
  accepted = assert_decided(tiny, found)
  # Milliseconds of this process each; a trace takes a hundred times that.
  assert time.process_time() - start < 10
  assert len(found) > 1400 and 500 < accepted < len(found)


@pytest.mark.slow
def test_the_whole_cross_is_decided(tiny):
  axes = list(AXES)
  # What differs between networks that are like another one is not decided here.
  found = itertools.chain(
      rows(*axes[:5]), rows(axes[0], *axes[5:], axes[1]))
  assert_decided(tiny, (row for row in found
                        if row['networks.name'] not in LIKE_ANOTHER))


# ResNets whose blocks are those of another one, at other sizes and widths: they
# are traced.
LIKE_ANOTHER = ('resnet19', 'resnet_stl', 'resnet_mimicry_48',
                'resnet_mimicry_64', 'resnet_mimicry_128', 'resnet_studiogan')
# The pairs of settings are traced with these, whose code the others share or
# are; a network that costs less stands first, and takes what any could.
FAMILIES = ('mlp', 'vanilla', 'sndcgan', 'msg_progan', 'stylegan2',
            'resnet_sngan')
TRACED = {**AXES, 'networks.name': FAMILIES}


def pairs(row):
  return set(itertools.combinations(sorted(row.items()), 2))


EVERY_PAIR = {
    pair for a, b in itertools.combinations(sorted(TRACED), 2)
    for pair in itertools.product(
        ((a, x) for x in TRACED[a]), ((b, y) for y in TRACED[b]))}


def completed(pair, draw):
  """A legal row that has a pair, the rest by chance; None: there is none."""
  for tried in range(1000):
    row = {axis: draw.choice(values) for axis, values in TRACED.items()}
    if tried % 2:  # few pairs go together with a network of its own norms
      row.update({'networks.d_norm': 'none', 'networks.g_norm': 'none',
                  'networks.d_weight_norm': 'none'})
    if tried % 3 == 0:
      row.update({'networks.g_condition': 'none',
                  'networks.d_condition': 'none'})
    row.update(pair)
    if row['networks.g_condition'] == 'batch_norm' and (
        'networks.g_norm' not in dict(pair)):
      row['networks.g_norm'] = 'batch'
    if is_legal(row):
      return row
  return None


def fuller(row, pair, left, draw):
  """The row whose other axes each took the value that adds most pairs.

  Where several add as many, that is a cheap network, 'none', or chance.
  """
  def gain(axis, value):
    changed = {**row, axis: value}
    if not is_legal(changed):
      return -1, False, 0.
    plainer = -FAMILIES.index(value) if axis == 'networks.name' else (
        value == 'none')
    return sum(
        tuple(sorted(((axis, value), (other, changed[other])))) in left
        for other in TRACED if other != axis), plainer, draw.random()

  axes = [axis for axis in TRACED if axis not in dict(pair)]
  draw.shuffle(axes)
  for axis in axes:
    row = {**row, axis: max(TRACED[axis], key=lambda value, axis=axis: gain(
        axis, value))}
  return row


def legal_of(name, draw, penalty=True):
  """A legal row of a network; its penalty is none, or any."""
  pair = ('networks.name', name), *[('objective.penalty', 'none')] * (
      not penalty)
  return completed(pair, draw)


# Penalties, through which D is differentiated twice, are stepped with these,
# which compile fast.
PENALIZED = ('mlp', 'vanilla', 'infogan', 'msg_progan', 'bmsg_gan', 'progan',
             'sndcgan', 'dcgan_wgan_gp')


def stepped():
  """The rows that are compiled: between them every value of every axis.

  One of each network that is not LIKE_ANOTHER; of many drawn, that which adds
  most values.
  """
  draw = random.Random(1)
  seen, found = set(), []
  for name in sorted(set(NETWORK_ROWS) - set(LIKE_ANOTHER), key=lambda x: (
      x not in PENALIZED, x)):
    choices = [legal_of(name, draw, name in PENALIZED) for _ in range(100)]
    found.append(max(choices, key=lambda row: (
        row['objective.penalty'] not in ('none', *(x for _, x in seen)),
        len(set(row.items()) - seen))))
    seen |= set(found[-1].items())
  return found


STEPPED = stepped()


def covering(seed=0):
  """(rows that have the legal pairs that no step has, the illegal pairs).

  Greedy: for a pair that no row has yet, of four rows with it the one that has
  most other such pairs.
  """
  draw = random.Random(seed)
  left = EVERY_PAIR - set().union(*map(pairs, STEPPED))
  found, illegal = [], set()
  for pair in sorted(left):
    if pair not in left:
      continue
    choices = []
    for _ in range(4):
      if not (row := completed(pair, draw)):
        illegal.add(pair)
        break
      choices.append(fuller(row, pair, left, draw))
    if choices:
      found.append(max(choices, key=lambda row: len(pairs(row) & left)))
      left -= pairs(found[-1])
  return found, illegal


COVERING, ILLEGAL = covering()


def names(row):
  return '-'.join(row.values())


def test_every_pair_is_covered_or_known_to_be_illegal():
  seen = set().union(*map(pairs, [*STEPPED, *COVERING]))
  assert not seen & ILLEGAL and all(is_legal(row) for row in COVERING)
  assert EVERY_PAIR <= seen | ILLEGAL
  norms = len(NORMS) - 1, len(WEIGHT_NORMS) - 1
  equalized, mapped = (
      [x for x in names if x in FAMILIES] for names in (EQUALIZED, MAPPED))
  assert len(ILLEGAL) == (
      # Networks that scale their weights: no norms, no conditional ones.
      len(equalized) * (2 * norms[0] + norms[1] + 1)
      # Dense ones: no instance norm, of G or of D.
      + 2
      # Labels by a mapping network, or without it: of G, of D.
      + 2 * (len(FAMILIES) - len(mapped)) + len(mapped)
      # ... and so with no norms. A D that has one has a G that has one.
      + 2 * (2 * norms[0] + norms[1]) + 2
      # One player alone that is told of classes.
      + (len(G_CONDITIONS) - 1) + (len(D_CONDITIONS) - 1)
      # Conditional batch norm without batch norm; penalties with it in D.
      + norms[0] + (len(PENALTIES) - 1))


def test_every_value_of_every_axis_is_stepped():
  seen = set().union(*(row.items() for row in STEPPED))
  assert {(axis, value) for axis, values in AXES.items() for value in values
          } - seen == {('networks.name', name) for name in LIKE_ANOTHER}
  assert all(is_legal(row) for row in STEPPED)


@pytest.mark.slow
@pytest.mark.parametrize(
    'row', [*COVERING, *(legal_of(name, random.Random(0), False)
                         for name in LIKE_ANOTHER)], ids=names)
def test_what_is_legal_can_be_traced(tiny, row):
  config = config_of(tiny, row)
  gan = build(config)
  key = jax.random.key(0)
  old = jax.eval_shape(gan.init, key)
  new, logs = jax.eval_shape(gan.step, old, batch(config), key)
  assert jax.tree.structure(new) == jax.tree.structure(old)
  for a, b in zip(jax.tree.leaves(old), jax.tree.leaves(new), strict=True):
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
  for name, x in logs.items():
    assert (x.shape, x.dtype) == ((), jnp.float32), name


def stays(path, x, row):
  """Whether a parameter or a statistic has a reason to stay as it was."""
  names = [key.key for key in path if hasattr(key, 'key')]
  last = names[-1]
  if last == 'dead_bias':
    return True
  # Where D looks at differences of scores alone, or all of them lie within its
  # hinges, whose slopes are -1 and 1.
  if names[-2:] == ['score', 'bias'] and row['objective.loss'] in (
      'wasserstein', 'relativistic', 'relativistic_average_hinge', 'hinge'):
    return True
  # A unit vector of one number is 1 or -1 for ever.
  return last in ('u', 'v') and x.size == 1


@pytest.mark.slow
@pytest.mark.parametrize('row', STEPPED, ids=names)
def test_a_step_is_finite_and_changes_all_that_should_change(tiny, row):
  """At every level that a network has; of four maps all may be dead."""
  config = config_of(
      tiny, row, **{'networks.scales': 'all', 'networks.fmap_max': 8})
  gan = build(config)
  new = old = gan.init(jax.random.key(0))
  # Behind what begins at 0, R3GAN's last layers and StyleGAN's noise, there is
  # no gradient in the first step.
  for _ in range(1 + (row['networks.name'] in ('r3gan', 'stylegan'))):
    new, logs = gan.step(new, batch(config), jax.random.key(1))
  for path, x in jax.tree_util.tree_flatten_with_path((new, logs))[0]:
    assert np.isfinite(np.asarray(x)).all(), jax.tree_util.keystr(path)
  same = []
  for player in 'gd':
    for part in ('params', 'stats'):
      before, after = (getattr(getattr(state, player), part)
                       for state in (old, new))
      for (path, a), b in zip(
          jax.tree_util.tree_flatten_with_path(before)[0],
          jax.tree.leaves(after), strict=True):
        changed = not np.array_equal(a, b)
        if not changed and not stays(path, a, row):
          same.append(f'{player}.{part}{jax.tree_util.keystr(path)}')
  assert not same


@pytest.mark.parametrize(('settings', 'images', 'text'), [
    (dict(data__name='ring', data__resolution=1, data__channels=2,
          data__mirror=False, networks__name='mlp', networks__stddev='none'),
     0, "D judges points of the plane .*'ring'.* no pixels"),
    (dict(preset='progan', data__resolution=16, train__grow_from=4,
          train__grow_stable_images=100, train__grow_fade_images=100,
          train__total_images=1000, train__grow_batches='',
          train__grow_rates=''), 150,
     'after 150 images the D of this run knows pictures of 8 px, .* 16 px'),
])
def test_a_d_that_has_seen_no_pictures_is_refused(
    small, settings, images, text):
  gan = build(small(**settings))
  with pytest.raises(ValueError, match=f'^workdir: .*{text}'):
    compatibility.check_seen(gan.components, images)


def test_a_d_that_has_grown_is_looked_into(small):
  gan = build(small(
      'progan', data__resolution=8, train__grow_from=4,
      train__grow_stable_images=100, train__grow_fade_images=100,
      train__total_images=1000, train__grow_batches='', train__grow_rates=''))
  assert compatibility.check_seen(gan.components, 150) is None
  assert compatibility.check_seen(build(small()).components, 0) is None
