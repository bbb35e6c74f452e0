"""ADA's feedback: the strength of an augmentation follows what D says of reals.

Source: Karras et al. 2020 (arXiv:2006.06676), sec. 3.1.
"""
import jax.numpy as jnp

BATCHES = 4  # of reals from one step of p to the next


def start(p):
  """{'p', 'signs', 'count'}: the probability, and what D said since."""
  return {'p': jnp.asarray(p, jnp.float32), 'signs': jnp.zeros(()),
          'count': jnp.zeros(())}


def observe(aux, sign, size):
  """`aux` after D has judged `size` augmented reals, of this mean sign."""
  return aux | {'signs': aux['signs'] + sign * size,
                'count': aux['count'] + size}


def adjust(aux, target, speed_images):
  """`aux` with p a step nearer to what keeps r_t at the target.

  r_t is the mean sign of D at the reals it saw since the last step: 0 where it
  guesses, 1 where it knows them all by heart. Nothing seen moves nothing.

  Args:
    aux: of `start` and `observe`.
    target: of r_t; .6 in the paper.
    speed_images: real images in which p goes from 0 to 1, 500,000 there.
  """
  said = jnp.sign(aux['signs'] - target * aux['count'])
  return start(jnp.clip(
      aux['p'] + said * aux['count'] / speed_images, 0, 1))
