"""Dirac-GAN: the smallest GAN, with the losses and penalties of the tables.

  python docs/studies/dirac.py

Prints the table of docs/studies/toys.md that compares measured rates with
computed ones, and draws docs/images/dirac.png. The data are the point 0, G is
the point theta, D(x) = psi x: Mescheder et al. 2018 (arXiv:1801.04406), sec. 2.
A loss has its slope f'(0) and its curvature f''(0) where D says 0. In the
paper D says how fake a point is, here how real it is: that turns psi's sign and
changes no eigenvalue.
"""
import argparse
import pathlib
import sys
from typing import NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
SLOPES = {  # loss: (f'(0), f''(0)); f(t) = -log(1 + exp(-t)), or t.
    'non_saturating': (.5, -.25), 'minimax': (.5, -.25),
    'relativistic': (.5, -.25), 'wasserstein': (1., 0.), 'hinge': (1., 0.)}


class Case(NamedTuple):
  """What the players want, in the words of the config."""
  loss: str = 'non_saturating'
  penalty: str = 'none'
  weight: float = 0.
  noise: float = 0.


CASES = {
    'unregularized': Case(),
    'Wasserstein': Case('wasserstein'),
    'R1, γ = 0.3': Case(penalty='r1', weight=.3),
    'R1, γ = 1, critical': Case(penalty='r1', weight=1.),
    'instance noise, σ = 0.7': Case(noise=.7),
    'Wasserstein + R1, γ = 0.3': Case('wasserstein', 'r1', .3),
    'Wasserstein + instance noise, σ = 0.7': Case('wasserstein', noise=.7),
}


def eigenvalues(case):
  """The two of the field's Jacobian at (0, 0), in closed form, complex [2].

  J = [[0, f'], [-f', 2 f'' s^2 - gamma]]: noise gives reals and fakes the mean
  square s^2 each, and R1 is gamma psi^2 / 2 wherever it is taken. With gamma or
  noise alone they are those of the paper, sec. 3 and 3.2. (Huang et al. 2024,
  arXiv:2501.05441, eq. 12, lacks the square of f'.)
  """
  slope, curvature = SLOPES[case.loss]
  half = curvature * case.noise**2 - case.weight / 2
  root = np.emath.sqrt(complex(half**2 - slope**2))
  return np.array([half + root, half - root])


def objectives(case, samples=1, seed=0):
  """(d, g): functions of theta and psi that each player minimizes.

  Args:
    case: a Case.
    samples: draws of the noise of reals, and as many of fakes. Each comes with
      its negative, so that (0, 0) stays an equilibrium.
    seed: of these draws; the field is the same at every call.
  """
  import jax
  import jax.numpy as jnp

  from msg_gan_jax.gan.objectives.augmentations import AUGMENTATIONS
  from msg_gan_jax.gan.objectives.losses import LOSSES
  from msg_gan_jax.gan.objectives.penalties import PENALTIES
  from msg_gan_jax.gan.state import Verdict
  loss, penalty = LOSSES[case.loss], PENALTIES[case.penalty]
  keys = jax.random.split(jax.random.key(seed), 3)

  def shown(x, key):
    """The pyramid of D: a point as pictures of one pixel."""
    pyramid = (jnp.full((samples, 1, 1, 1), x),)
    if not case.noise:
      return pyramid
    noisy = AUGMENTATIONS['instance_noise']
    return tuple(jnp.concatenate(pair) for pair in zip(
        noisy(pyramid, key, case.noise), noisy(pyramid, key, -case.noise),
        strict=True))

  def both(theta):
    return shown(0., keys[0]), shown(theta, keys[1])

  def says(psi):
    return lambda pyramid: psi * pyramid[0][:, 0, 0, 0]

  def d(theta, psi):
    real, fake = both(theta)
    total = loss.d(*(Verdict(says(psi)(x)) for x in (real, fake)))
    if penalty:
      total += case.weight * penalty.values(
          says(psi), real, fake, keys[2]).mean()
    return total

  def g(theta, psi):
    return loss.g(*(Verdict(says(psi)(x)) for x in both(theta)))

  return d, g


def field(case, samples=1, seed=0):
  """(theta, psi) -> what both change at: minus each player's own gradient."""
  import jax
  import jax.numpy as jnp
  d, g = objectives(case, samples, seed)
  return lambda point: -jnp.stack([
      jax.grad(g, 0)(*point), jax.grad(d, 1)(*point)])


def simultaneous(v, h):
  """The step of rate h that both players take at once."""
  return lambda point: point + h * v(point)


def alternating(v, h):
  """D's step, then G's, which sees the new D: the order of gan.step."""
  import jax.numpy as jnp
  d_only, g_only = jnp.array([0., 1.]), jnp.array([1., 0.])

  def step(point):
    point = point + h * d_only * v(point)
    return point + h * g_only * v(point)
  return step


def trajectory(step, start, steps):
  """float32 [steps + 1, 2], the start first."""
  import jax
  import jax.numpy as jnp
  first = jnp.asarray(start, jnp.float32)
  _, rest = jax.jit(lambda x: jax.lax.scan(
      lambda point, _: (step(point),) * 2, x, length=steps))(first)
  return np.concatenate([first[None], rest])


def modulus(points, values, vectors):
  """By how much a trajectory near (0, 0) shrinks or grows a step.

  Args:
    points: [n, 2].
    values, vectors: the eigenvalues of the step and its eigenvectors in
      columns. The coordinate along the slowest is a pure power of its
      eigenvalue, while the norm swings within every turn.

  Returns:
    The n-th root of what is left of that coordinate.
  """
  slow = np.abs(values).argmax()
  along = np.abs(np.linalg.solve(vectors, points.T.astype(complex))[slow])
  return (along[-1] / along[0])**(1 / (len(points) - 1))


def measure(case, h=.1, steps=200, samples=2**14):
  """(computed, measured) modulus of one simultaneous step at rate h."""
  import jax
  import jax.numpy as jnp
  step = simultaneous(field(case, samples if case.noise else 1), h)
  values, vectors = np.linalg.eig(
      np.asarray(jax.jacobian(step)(jnp.zeros(2)), np.float64))
  points = trajectory(step, (1e-3, 0.), steps)
  return (np.abs(1 + h * eigenvalues(case)).max(),
          modulus(points, values, vectors))


def table(h=.1):
  """Lines of markdown: eigenvalues, and moduli computed and measured."""
  yield ('| | eigenvalues of the field | modulus of a step, computed | '
         'measured |')
  yield '|---|---|---|---|'
  for name, case in CASES.items():
    computed, measured = measure(case, h)
    yield (f'| {name} | {_pair(eigenvalues(case))} | {computed:.5f} | '
           f'{measured:.5f} |')


def _pair(values):
  a, b = values
  if abs(a.imag) > 1e-9:
    real = f'{a.real:.3f} ' if abs(a.real) > 1e-9 else ''
    return f'{real}± {abs(a.imag):.3f}i'
  if abs(a - b) < 1e-9:
    return f'{a.real:.3f}, twice'
  return f'{a.real:.3f}, {b.real:.3f}'


def draw(path, h=.2, steps=400, start=(.9, .9)):
  """A PNG: where (theta, psi) goes, a panel for each way of training."""
  from matplotlib import figure
  panels = {
      'simultaneous steps': (simultaneous, (
          ('Wasserstein', Case('wasserstein')), ('non-saturating', Case()))),
      'alternating steps': (alternating, (
          ('Wasserstein', Case('wasserstein')), ('non-saturating', Case()))),
      'R1': (simultaneous, (
          ('γ = 0.3', Case(penalty='r1', weight=.3)),
          ('γ = 1, critical', Case(penalty='r1', weight=1.)))),
      'instance noise': (simultaneous, (
          ('σ = 0.7', Case(noise=.7)),
          ('σ = √2, critical', Case(noise=2**.5)))),
  }
  colors = '#0072B2', '#D55E00'  # The first two of report.curves.
  fig = figure.Figure(figsize=(13, 3.6), layout='constrained')
  for ax, (title, (rule, lines)) in zip(
      fig.subplots(1, len(panels)), panels.items(), strict=True):
    for color, (name, case) in zip(colors, lines, strict=True):
      v = field(case, 2**12 if case.noise else 1)
      # Wasserstein's spiral leaves the picture; it is cut there.
      points = trajectory(rule(v, h), start, steps)
      inside = np.cumprod((np.abs(points) < 2).all(1)).astype(bool)
      ax.plot(*points[inside].T, '.-', color=color, label=name, linewidth=.7,
              markersize=2.5)
    ax.plot(*start, 'o', color='#000000', markersize=5, fillstyle='none')
    ax.plot(0, 0, '+', color='#000000', markersize=9)
    ax.set(title=title, xlabel='θ', xlim=(-2, 2), ylim=(-2, 2), aspect='equal')
    ax.legend(loc='lower left', fontsize=8, frameon=False)
    ax.spines[['top', 'right']].set_visible(False)
  fig.axes[0].set_ylabel('ψ')
  fig.savefig(path, dpi=100)


def main(path):
  print('\n'.join(table()))
  draw(path)


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--picture', type=pathlib.Path,
                      default=ROOT / 'docs' / 'images' / 'dirac.png')
  main(parser.parse_args().picture)
