"""One recommender, one update rule, four users: who ends up locked onto what.

Run: python examples/one_gradient.py
"""

import mirrorfield as mf

run = mf.simulate(mf.Scenario.load("four-mirrors"))
data = run.dataset
segments = run.scenario.population.segments
for user in data["user"].values:
    row = data.sel(user=user)
    feed = row["feed"].isel(step=-1)
    top = int(feed.argmax("category"))
    state = str(data["state"].values[int(row["final_state"])])
    print(
        f"{segments[int(row['segment'])].name:5s}  lambda {float(row['intentionality']):.2f}  "
        f"{state:6s}  next post: {data['category'].values[top]} with probability {float(feed[top]):.3f}"
    )
