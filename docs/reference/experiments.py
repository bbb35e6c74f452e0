"""Prints the page of experiments.

  python docs/reference/experiments.py > docs/reference/experiments.md
"""
import ast
import pathlib

ROOT = pathlib.Path(__file__).parents[2]
HEAD = """# Experiments

This page is generated: `python docs/reference/experiments.py >
docs/reference/experiments.md`.

Each file of [experiments](../../experiments) is a GAN with the settings of its
source. Its docstring says where they come from, what was published with them,
and what is different here. `python launch.py --config=NAME` trains it,
`--config=NAME:ARGUMENT` chooses one of its rows, and `--dry_run` looks before
it trains. [Presets](presets.md) has sizes and arithmetic, and
[a study](../studies/every_experiment.md) tells what became of each in a short
run.
"""
# A title, and names or beginnings of names; an experiment stands where it fits
# first.
FAMILIES = {
    'To begin with': ('quickstart', 'own_pictures', 'polygons', 'toy_ring'),
    'MSG-GAN': ('msg_progan_', 'msg_stylegan_', 'cifar10_msg_progan',
                'bmsg_gan_cifar10'),
    "MSG-GAN's connections in other networks": ('msg_sndcgan', 'msg_resnet'),
    'Growing: ProGAN, StyleGAN': ('progan_', 'stylegan_', 'msg_vs_growing'),
    'StyleGAN2, R3GAN': ('stylegan2_', 'r3gan_'),
    'DCGAN, WGAN, WGAN-GP, LSGAN, DRAGAN': (
        'dcgan_', 'wgan_', 'lsgan_', 'dragan_'),
    'Spectral norm and stable rank norm': ('sn', 'srn_', 'mimicry_'),
    "The GAN Landscape's best models": ('landscape_',),
    'Conditional': ('cgan_', 'acgan_', 'conditional_'),
    'The first ones': ('vanilla_', 'infogan_', 'lapgan_'),
}


def page():
  """The text of docs/reference/experiments.md."""
  lines = [HEAD]
  names = sorted(path.stem for path in (ROOT / 'experiments').glob('*.py')
                 if path.stem != '__init__')
  homes = {name: family_of(name) for name in names}
  for title in FAMILIES:
    lines += [f'## {title}', '', '| experiment | what it is |', '|---|---|']
    for name in names:
      if homes[name] == title:
        lines.append(f'| [`{name}`](../../experiments/{name}.py) | '
                     f'{first_line(name)} |')
    lines.append('')
  return '\n'.join(lines)


def family_of(name):
  """The title under which an experiment stands."""
  for title, beginnings in FAMILIES.items():
    if name.startswith(beginnings):
      return title
  raise ValueError(f'{name}: is in none of FAMILIES')


def first_line(name):
  """The first line of an experiment's docstring."""
  text = (ROOT / 'experiments' / f'{name}.py').read_text(encoding='utf-8')
  return ast.get_docstring(ast.parse(text)).splitlines()[0]


if __name__ == '__main__':
  print(page(), end='')
