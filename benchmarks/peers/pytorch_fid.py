"""Seconds of pytorch-fid's FID of two folders, which is printed before.

  python pytorch_fid.py --real=A --fake=B --weights=weights.pth

Theirs: all of `calculate_fid_given_paths`, as their command calls it: the
network, the features of both folders, the distance. Ours: --weights, a file
that make_weights.py wrote or the published one. It takes the place of their
download, `pytorch_fid.inception.load_state_dict_from_url`.

--batch=1 takes pictures of several sizes, and --dims fewer features. --real and
--fake may be .npz files of mu and sigma; --save=FILE.npz writes that of --fake,
which then takes its place.

Without --path it is the package of that name that is installed.
"""
import os
import time

import peer_clock

URL = 'https://github.com/mseitzer/pytorch-fid'


def run():
  flags = peer_clock.fid_flags(__doc__)
  flags.add_argument('--batch', type=int, default=50)
  flags.add_argument('--dims', type=int, default=2048)
  flags.add_argument('--save', default='', help='a .npz')
  options = peer_clock.parse_fid(flags)
  if options.path:
    peer_clock.use_checkout(
        options.path, URL, 'src', 'pytorch_fid/fid_score.py')
  from pytorch_fid import fid_score, inception
  import torch

  inception.load_state_dict_from_url = (
      lambda *_, **__: torch.load(options.weights, map_location='cpu'))
  device = peer_clock.device()
  if options.save:
    fid_score.save_fid_stats([options.fake, options.save], options.batch,
                             device, options.dims)
    options.fake = options.save
  start = time.perf_counter()
  fid = fid_score.calculate_fid_given_paths(
      [options.real, options.fake], options.batch, device, options.dims,
      min(8, os.cpu_count() or 1))
  passed = time.perf_counter() - start
  print(f'FID {fid:.9g}')
  return passed


if __name__ == '__main__':
  peer_clock.main(run)
