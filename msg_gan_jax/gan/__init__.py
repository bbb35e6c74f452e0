"""A GAN as pure functions; no clock, no disk, no log.

Read in this order: `build` (the object that users have), `step` (one step, from
above), `objective` (what D and G minimize), `updates` (gradients and the
optimizer). What they rest on: `state` (the arrays), `pyramid` (images at all
scales), `components` (what a Config names), `context` (what holds in one step)
and `schedules`. `compatibility` decides which settings go together, `ablation`
what a change of one entails.
"""
