"""Seconds of clean-fid's FID and KID of two folders, which are printed before.

  python clean_fid.py --real=A --fake=B --weights=weights.pth

Theirs: the reading of files, the resize of each by PIL, `fid_from_feats` and
`kernel_distance`. The network is pytorch-fid's Inception on the same --weights,
in place of the TorchScript file of the same network that clean-fid fetches:
bytes v are shown to it as (v - 128) / 128, as theirs does it.

--path is a checkout of clean-fid; without it, it is the package of that name
that is installed. pytorch-fid is needed besides.
"""
import time

import peer_clock

URL = 'https://github.com/GaParmar/clean-fid'


def run():
  flags = peer_clock.fid_flags(__doc__)
  flags.add_argument('--batch', type=int, default=32)
  options = peer_clock.parse_fid(flags)
  if options.path:
    peer_clock.use_checkout(options.path, URL, '', 'cleanfid/fid.py')
  from cleanfid import fid
  from pytorch_fid import inception
  import torch

  inception.load_state_dict_from_url = (
      lambda *_, **__: torch.load(options.weights, map_location='cpu'))
  device = peer_clock.device()
  network = inception.InceptionV3(resize_input=False).to(device).eval()

  def model(x):  # It scales 0 .. 1 to -1 .. 1, and so v / 256 as wanted.
    return network(x / 256)[0].flatten(1)

  start = time.perf_counter()
  real, fake = (fid.get_folder_features(
      folder, model, num_workers=0, batch_size=options.batch, device=device,
      mode='clean', verbose=False) for folder in (options.real, options.fake))
  distance = fid.fid_from_feats(real, fake)
  kernel = fid.kernel_distance(real, fake)
  passed = time.perf_counter() - start
  print(f'FID {distance:.9g}')
  print(f'KID {kernel:.9g}')
  return passed


if __name__ == '__main__':
  peer_clock.main(run)
