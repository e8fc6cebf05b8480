"""The pure functions that compiled code may call."""

from mirrorfield import maths, streams
from mirrorfield.model import draw, profile
from mirrorfield.policy import baseline, reinforce

LINKED = (
    maths.exp,
    maths.log,
    maths.cos_turn,
    maths.normal,
    streams.mix64,
    streams.stream,
    streams.next_word,
    streams.uniform,
    streams.uniform_positive,
    profile.blend,
    profile.reaction,
    reinforce.advantage,
    reinforce.logit_step,
    baseline.welford,
    draw.draw_word,
    draw.draw_normal,
    draw.draw_gamma,
    draw.draw_from_cdf,
    draw.draw_intentionality,
    draw.draw_susceptibility,
    draw.start_stream,
    draw.draw_user,
    draw.vectorised,
)
