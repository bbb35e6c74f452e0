"""--mode=arithmetic: sums of means of latents, drawn with their neighbours."""
import os

from absl import flags
import numpy as np

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (
    shared.SEED, shared.LABELS, shared.WEIGHTS, shared.SPACE, shared.PSI,
    shared.CUTOFF, shared.SCALES, shared.OUT, shared.CHECKPOINTS,
    shared.TRUST_CODE)
EXAMPLES: shared.Examples = (
    " --mode=arithmetic --workdir=runs/quickstart"
    " --terms='3,17,42 - 5,6,7 + 8,9,10'",
)
TERMS = flags.DEFINE_string(
    'terms', '', "Latents by their seeds, of whose means a sum is taken: "
    "'3,17,42 - 5,6,7 + 8,9,10'. A sign has a space on each side; the range "
    "0-9 has none, and '17:4' is picture 4 of seed 17.")


def run() -> int:
  """Writes the figure and the latents, and prints their paths."""
  from msg_gan_jax.analysis.generator import arithmetic
  from msg_gan_jax.commands import trained_run
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import grids
  if not TERMS.value.strip():
    raise ValueError(
        "--terms: which? Such as --terms='3,17,42 - 5,6,7 + 8,9,10', of "
        'pictures that --mode=sample --seeds=0-99 shows.')
  terms = arithmetic.parse(TERMS.value)
  path = shared.output_file(_name(terms), '.png', ('.png',))
  trained, like = trained_run.picked(
      [pick for term in terms for pick in term.picks], shared.psi())
  with errors.naming(trained_run.names()):
    found = arithmetic.add(
        trained, terms, like, shared.SPACE.value, seed=shared.SEED.value)
    picture = arithmetic.sum_figure(trained, terms, found, shared.SCALES.value)
  shared.make_folder_of(path)
  grids.save(path, picture)
  points = f'{os.path.splitext(path)[0]}_{found.space}.npy'
  np.save(points, np.concatenate([found.means, found.result[None]]))
  console.say(path)
  console.say(points)
  return 0


def _name(terms):
  """'arithmetic_3_17_minus_5' of '3,17 - 5'."""
  words = ['arithmetic']
  for i, term in enumerate(terms):
    words += ['minus'] * (term.sign < 0) or ['plus'] * (i > 0)
    words.append(shared.in_name(term.text, len(term.picks)))
  name = '_'.join(words)
  most = 2 * shared.LONGEST_NAME
  return name if len(name) <= most else f'{name[:most]}_{len(terms)}'
