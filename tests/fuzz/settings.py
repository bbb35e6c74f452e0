"""Settings that make no sense: each is refused in words, or builds."""
import dataclasses

from fuzz.examples import given
from fuzz.pictures import seeds
from hypothesis import strategies as st
import numpy as np

TEMPLATES = {
    'msg': {
        'data.resolution': 8, 'networks.latent': 8, 'networks.fmap_max': 8,
        'networks.fmap_base': 64, 'networks.stddev': 'last',
        'objective.penalty': 'none', 'train.batch': 8, 'data.count': 64,
        'data.held_out': 16},
    'mlp': {
        'data.name': 'ring', 'data.resolution': 1, 'data.channels': 2,
        'networks.name': 'mlp', 'networks.stddev': 'none',
        'networks.latent': 2, 'networks.fmap_max': 8,
        'objective.penalty': 'none', 'objective.drift': 0., 'data.count': 64,
        'train.batch': 8, 'data.held_out': 16},
}

ODD = [None, True, [], [8], {}, {'a': 1}, b'8', 8 + 0j, (1, 2)]

NUMERIC = [0, 1, 2, 3, 4, 8, 12, 16, 32, -1, 255, 2**31, 2**63, -2**64, 10**20,
           10**400, -10**400, 10**4000, .5, 1.5, 1e-320, 1e30, 1e300, -.1,
           float('nan'), float('inf'), -float('inf')]

WORDS = ['', ' ', '8', '4,8', '8,', '²', '٨,8', 'é漢🂡', 'a' * 300, '\0',
         '\ud800', '../..', '/dev/null', '~', '~nouser/x', "'", '%s', '{}',
         'none', 'all']


def values(about, default):
  """Values that a setting might be given: legal ones, nearly so, nonsense."""
  edges = [x for x in (about['low'], about['high']) if x is not None]
  legal = st.sampled_from([default, *edges, *about['one_of']])
  if isinstance(default, bool):
    legal = st.booleans()
  elif isinstance(default, str):
    wrong = [default[:-1], default + 'x', default.upper(), *WORDS]
  else:
    few = st.integers(0, 12)  # Mostly of two, for much has to divide.
    legal |= few.map(lambda n: type(default)(
        2**(n // 2) if n % 2 else max(n, about['low'] or 0)))
    wrong = [x + step for x in edges for step in (1, -1)] + NUMERIC
  return st.one_of(legal, legal, legal, st.sampled_from(
      ODD + (NUMERIC if isinstance(default, bool) else wrong)))


def rows():
  """{setting: names of the rows that it chooses among}."""
  from msg_gan_jax.data import sources
  from msg_gan_jax.gan import optimizers, pyramid
  from msg_gan_jax.gan.networks import phi, table
  from msg_gan_jax.gan.objectives import (
    augmentations,
    losses,
    penalties,
  )
  tables = [sources.SOURCES, table.NETWORKS, phi.PHI, pyramid.GROUPS,
            losses.LOSSES, augmentations.AUGMENTATIONS, penalties.PENALTIES,
            optimizers.OPTIMIZERS]
  return {rows.place.removeprefix('config.'): sorted(rows) for rows in tables}


def edits():
  """A strategy of one edit: (what is done, name, value)."""
  from msg_gan_jax.config import schema
  flat, known = schema.flatten(schema.Config()), rows()
  one = [st.tuples(st.just('set'), st.just(name), values(
      {**about, 'one_of': [*about['one_of'], *known.get(name, ())]},
      flat[name])) for name, about in schema.metadata().items()]
  names = st.sampled_from(sorted(flat) + ['data', 'train', 'networks'])
  odd = st.one_of(
      st.tuples(st.just('set'), names, st.sampled_from(ODD + NUMERIC + WORDS)),
      st.tuples(st.just('remove'), names, st.none()),
      st.tuples(st.just('set'), names.map(lambda x: x[:-1]), st.just(1)),
      st.tuples(st.just('set'), names.map(lambda x: x + '.b'), st.just(1)))
  return st.one_of(*one, *one, *one, odd, odd)


def edited(template, changes):
  """The nested dict of a config after all changes that can be made."""
  from msg_gan_jax.config import schema
  whole = schema.template().to_dict()
  for what, name, value in [
      *(('set', *x) for x in TEMPLATES[template].items()), *changes]:
    *groups, field = name.split('.')
    group = whole
    for x in groups:
      group = group.get(x) if isinstance(group, dict) else None
    if isinstance(group, dict):
      if what == 'remove':
        group.pop(field, None)
      else:
        group[field] = value
  return whole


def fuzz(tmp, count, examples):
  import jax

  from msg_gan_jax.arrays.mesh import data_mesh
  from msg_gan_jax.commands import dry_run as inspect
  from msg_gan_jax.config import schema
  from msg_gan_jax.data import sources
  from msg_gan_jax.gan import build
  from msg_gan_jax.gan.devices import check_batch
  (tmp / 'set').mkdir()
  for name in ('a', 'b', 'c', 'd'):
    (tmp / 'set' / f'{name}.png').write_bytes(seeds()['RGB.png'])
  traced = set()

  def trace(config, gan):
    """The step's shapes; once for all that differ in what it never sees."""
    # Of other floats the same program has another constant.
    seen = tuple(x != 0 if isinstance(x, float) else x for part in (
        config.networks, config.objective, config.optimizer)
                 for x in dataclasses.astuple(part)) + (
        config.data.shape, config.train.batch, config.train.n_dis,
        config.train.accumulate, config.train.reuse_latents,
        config.train.ema_half_life_images > 0)
    if seen in traced:
      return
    key = jax.random.key(0)
    state = jax.eval_shape(gan.init, key)
    jax.eval_shape(lambda *args: gan.step(*args, gan.phase(0)), state,
                   inspect._batch(config, gan.phase(0)), key)
    traced.add(seen)

  def dry_run(values):
    config = schema.parse(values)
    hash(config)
    gan = build.build(config)
    check_batch(config, data_mesh())
    trace(config, gan)
    train = sources.open_source(config).train
    picked = np.arange(min(4, len(train)))
    pixels, labels = train.images(picked), train.labels(picked)
    assert pixels.shape == (len(picked), *config.data.shape)
    assert labels.shape == (len(picked),) and train.shape == config.data.shape

  where = [('set', 'data.name', 'folder'),
           ('set', 'data.path', str(tmp / 'set'))]
  here = ('set', 'data.cache_dir', str(tmp / 'cache'))

  @given(examples, count.seed, template=st.sampled_from(['msg', 'msg', 'mlp']),
         from_files=st.sampled_from([[], [], where]),
         changes=st.lists(
             edits(), min_size=1, max_size=4, unique_by=lambda x: x[1]))
  def _(template, from_files, changes):
    with count.one(r'config\.\w+', f'{template} {changes}'):
      dry_run(edited(template, [here, *from_files, *changes]))
