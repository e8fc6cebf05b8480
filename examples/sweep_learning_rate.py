"""The summary at several learning rates, for the same users with the same random numbers.

All runs share the seed, so they differ by the learning rate alone: the last column counts the users, one by one,
whose category is not the one they have at 0.1.

Run: python examples/sweep_learning_rate.py
"""

import mirrorfield as mf

USERS = 5000


def simulate(rate: float) -> mf.Run:
    """Return a run of the default scenario at a learning rate, with every user in the sample."""
    return mf.simulate(mf.Scenario(users=USERS, policy={"learning_rate": rate}, record={"users": USERS}))


runs = {rate: simulate(rate) for rate in (0.02, 0.05, 0.1, 0.2, 0.5)}
category = {rate: run.dataset["diet"].isel(step=-1).argmax("category") for rate, run in runs.items()}
print("rate  locked in  effective categories  filter bubble  hooked  other category than at 0.1")
for rate, run in runs.items():
    figures = run.summary
    moved = float((category[rate] != category[0.1]).mean())
    print(
        f"{rate:4.2f}  {figures['locked_in']:9.1%}  {figures['effective_categories']:20.2f}  "
        f"{figures['filter_bubble']:13.3f}  {figures['states']['hooked']:6.1%}  {moved:26.1%}"
    )
