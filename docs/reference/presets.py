"""Prints the page of presets.

  python docs/reference/presets.py > docs/reference/presets.md
"""
import pathlib
import sys

HEAD = """# Presets

This page is generated: `python docs/reference/presets.py >
docs/reference/presets.md`.

Every row of PRESETS at the size of its source's pictures: the parameters of G
and of D, and the arithmetic of one step and of one real picture that is shown.
A step is `train.n_dis` updates of D and one of G, at the preset's own batch.
[rows.md](rows.md) describes the rows.

GFLOP are counted in the program as it is traced, before XLA optimizes it. Where
the compiled program, which `--dry_run` counts, was compared, the two differed
by no more than 1 %. Where steps differ, because a penalty is not in every step,
the number is the mean over steps; for `lapgan` it is the mean over its levels.
A GAN that grows is counted at its finest resolution.

| preset | network | pictures | batch | D updates | G parameters | \
D parameters | GFLOP a step | GFLOP a picture |
|---|---|---|---|---|---|---|---|---|
"""
# (pixels, channels) of a source's pictures, where they are not 32 and colour.
PICTURES = {
    'msg_progan': (1024, 3), 'bmsg_gan': (256, 3), 'vanilla': (28, 1),
    'infogan': (28, 1), 'dcgan': (64, 3), 'wgan': (64, 3),
    'landscape_resnet19': (128, 3), 'stylegan2_ada': (256, 3),
    'r3gan_64': (64, 3), **dict.fromkeys(
        ('progan', 'stylegan', 'msg_stylegan', 'stylegan2'), (1024, 3))}


def page():
  """The lines of docs/reference/presets.md; each takes seconds."""
  from msg_gan_jax.config import schema
  yield HEAD
  for name in schema.PRESETS:
    yield f'| {" | ".join(cells(name))} |\n'


def cells(name):
  """One preset as the cells of a row."""
  import dataclasses

  import jax

  from msg_gan_jax.arrays.mesh import data_mesh
  from msg_gan_jax.commands import dry_run
  from msg_gan_jax.config import schema
  from msg_gan_jax.gan import build
  config = schema.template(name)
  side, channels = PICTURES.get(name, (32, 3))
  config.data.resolution, config.data.channels = side, channels
  config = schema.parse(config)
  gan = build.build(config)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  if config.train.grow_from:  # as if it began at the finest resolution
    top = gan.phase(config.train.total_images)
    config = dataclasses.replace(config, train=dataclasses.replace(
        config.train, batch=top.batch, grow_batches='', grow_from=side))
    gan = build.build(config)
  steps = dry_run.lower_steps(gan, config, data_mesh())
  gflop = dry_run.mean_flops(*steps) / 1e9
  return (f'`{name}`', config.networks.name, f'{side}x{side}x{channels}',
          str(config.train.batch), str(config.train.n_dis),
          *(f'{dry_run.count_parameters(x.params):,}'
            for x in (state.g, state.d)),
          f'{gflop:,.1f}', f'{gflop / gan.step_images:,.3f}')


if __name__ == '__main__':
  sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
  for line in page():
    print(line, end='', flush=True)
