"""Images a second of BMSG-GAN's own training step.

  python bmsg_gan.py --path=BMSG-GAN --depth=4 --latent=64 --batch=32

Theirs: MSG_GAN with its networks and average, optimize_discriminator and
optimize_generator, the relativistic hinge loss, and train.py's defaults. Ours:
the loop, a batch of random pictures that stays on the device, and what their
`train` does between: the pyramid of the reals, and latents on the sphere.
"""
import peer_clock

URL = 'https://github.com/akanimax/BMSG-GAN'


def run():
  options = peer_clock.step_flags(
      __doc__, depth=4, latent=64, batch=32).parse_args()
  peer_clock.check(options, ('latent', 'batch'))
  if options.depth < 4:
    raise ValueError(
        f'--depth: found {options.depth}; their networks have at least 4.')
  peer_clock.use_checkout(
      options.path, URL, 'sourcecode', 'MSG_GAN/GAN.py')
  from MSG_GAN import GAN, Losses
  import torch
  from torch.nn import functional

  device = peer_clock.device()
  torch.backends.cudnn.benchmark = True
  gan = GAN.MSG_GAN(
      options.depth, options.latent, use_ema=True, device=device)
  gan.gen.train()
  gan.dis.train()
  loss = Losses.RelativisticAverageHingeGAN(gan.dis)
  of_g, of_d = (
      torch.optim.Adam(network.parameters(), .003, (0., .99))
      for network in (gan.gen, gan.dis))
  side = 2**(options.depth + 1)
  reals = peer_clock.random_pictures(options.batch, 3, side, side)

  def step():
    pyramid = [functional.avg_pool2d(reals, 2**i)
               for i in reversed(range(options.depth))]
    z = options.latent**.5 * functional.normalize(
        torch.randn(options.batch, options.latent, device=device))
    gan.optimize_discriminator(of_d, z, pyramid, loss)
    gan.optimize_generator(of_g, z, pyramid, loss)

  return peer_clock.images_a_second(step, options.batch, options.seconds)


if __name__ == '__main__':
  peer_clock.main(run)
