"""ADA's feedback: the strength of an augmentation follows what D says of reals.

Source: Karras et al. 2020 (arXiv:2006.06676), sec. 3.1.
"""
import jax
import jax.numpy as jnp

BATCHES = 4  # Batches of reals between two changes of p.

# {'p': the probability, 'signs': the sum of the signs of D(real) since p
# changed, 'count': of how many reals}, float32 scalars.
Feedback = dict[str, jax.Array]


def start(p: float | jax.Array) -> Feedback:
  """Feedback that has seen nothing since it set the probability p."""
  return {'p': jnp.asarray(p, jnp.float32), 'signs': jnp.zeros(()),
          'count': jnp.zeros(())}


def observe(feedback: Feedback, sign: float | jax.Array,
            size: int) -> Feedback:
  """Feedback after D has judged `size` augmented reals, of this mean sign."""
  return feedback | {'signs': feedback['signs'] + sign * size,
                     'count': feedback['count'] + size}


def adjust(feedback: Feedback, target: float, speed_images: float,
           most: float = 1.) -> Feedback:
  """Feedback with p a step nearer to what keeps r_t at the target.

  r_t is the mean sign of D at the reals it saw since the last step: 0 where it
  guesses, 1 where it knows them all by heart. If D has seen nothing, p stays.
  The authors' code also counts what D says of reals where R1 is computed.

  Args:
    feedback: of `start` and `observe`.
    target: of r_t; .6 in the paper.
    speed_images: real images in which p goes from 0 to 1, 500,000 there.
    most: bound of p; 0 sets none, as their code: p then is no probability
      above 1, but has to come down again before less is augmented.
  """
  direction = jnp.sign(feedback['signs'] - target * feedback['count'])
  return start(jnp.clip(
      feedback['p'] + direction * feedback['count'] / speed_images, 0,
      most or None))
