"""The words that make what is on the page once more, to the same bits: a command line, and a piece of Python."""

from typing import Any

from mirrorfield.population.live import LiveCrowd
from mirrorfield.server.mirror import Settings

MIRROR = """\
import mirrorfield as mf
from mirrorfield.policy.softmax import softmax

scenario = mf.Scenario.load("one-user").model_dump(exclude_unset=True)
scenario |= {{"steps": {steps}, "seed": {seed}, "policy": {policy}}}
scenario["population"]["intentionality"]["value"] = {intentionality}
run = mf.simulate(mf.Scenario(**scenario))
policy = softmax(run.part.sample.logits[:, :, 0].astype(float))
print(policy)
"""


CROWD = """\
import mirrorfield as mf

run = mf.simulate(mf.Scenario(users={users}, steps={steps}, seed={seed}, policy={{"learning_rate": {rate}}}))
print({{name: run.summary[name] for name in ("shares", "locked_in", "effective_categories", "filter_bubble")}})
diets = run.part.sample.diet[-1]  # what up to 20,000 of them are shown in the long run, (4, n)
"""


def _changes(part: str, values: dict[str, Any]) -> str:
    return "".join(f" --set {part}.{name}={value}" for name, value in values.items())


def mirror_again(settings: Settings, steps: int) -> dict[str, str]:
    """Return the command and the Python that run a simulated person for so many posts.

    >>> mirror_again(Settings(), 9)["command"].split(" --set ")[0]
    'mirrorfield run one-user --steps 9 --seed 1'
    """
    policy, steps = settings.parts.policy(settings.learning_rate), max(1, steps)
    command = f"mirrorfield run one-user --steps {steps} --seed {settings.seed}" + _changes("policy", policy)
    return {
        "command": command + _changes("population.intentionality", {"value": settings.intentionality}),
        "python": MIRROR.format(steps=steps, seed=settings.seed, policy=policy, intentionality=settings.intentionality),
    }


def crowd_again(crowd: LiveCrowd) -> dict[str, str]:
    """Return the command and the Python that run a crowd for as many posts at the rate it has now.

    >>> from mirrorfield import Scenario
    >>> crowd_again(LiveCrowd(Scenario(users=100, seed=2)))["command"]
    'mirrorfield run --users 100 --steps 1 --seed 2 --set policy.learning_rate=0.1'
    """
    users, steps, seed, rate = crowd.scenario.users, max(1, crowd.t), crowd.scenario.seed, crowd.learning_rate
    command = f"mirrorfield run --users {users} --steps {steps} --seed {seed}"
    return {
        "command": command + _changes("policy", {"learning_rate": rate}),
        "python": CROWD.format(users=users, steps=steps, seed=seed, rate=rate),
    }
