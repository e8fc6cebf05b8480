"""PPO of Stable-Baselines3 trained on people, and then their recommender: for docs/results/recommenders.md.

Usage: uv run --group sb3 python scripts/train_ppo.py [--posts 2000000] [--users N] [--steps T] [--discount 0.99]
Trains on episodes of T posts, 250 people at a time, by what a platform remembers and by arousal too. Then serves
people 0 to N - 1 of the default scenario, who never were in training, beside the built-in REINFORCE, with the same
luck. Prints a Markdown table with paired differences from REINFORCE and half their 95% intervals.
"""

import argparse
import time

import numpy as np
import torch
from recommenders import COLUMNS, became, cell
from stable_baselines3 import PPO

import mirrorfield as mf
from mirrorfield.gym.sb3 import FeedVecEnv, recommender_of

ENVIRONMENTS, ROLLOUT, BATCH = 250, 32, 2000


def main() -> None:
    """Train, serve and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--discount", type=float, default=0.99)
    parser.add_argument("--observe", nargs="+", choices=("history", "state"), default=("history", "state"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    world = mf.Scenario(users=asked.users, steps=asked.steps, record={"steps": 1, "users": asked.users})
    base = {name: values.astype(float) for name, values in became(mf.simulate(world)).items()}
    print(f"{asked.users:,} people, {asked.steps:,} posts; {asked.posts:,} posts of training, seed {asked.seed}\n")
    print("| recommender |", " | ".join(COLUMNS.values()), "|\n|---|" + "---:|" * len(COLUMNS))
    print("| REINFORCE |", " | ".join(f"{base[column].mean():.4f}" for column in COLUMNS), "|", flush=True)
    for observe in asked.observe:
        began = time.perf_counter()
        people = FeedVecEnv(ENVIRONMENTS, mf.Scenario(seed=1000 + asked.seed, steps=asked.steps), observe)
        settings = {"n_steps": ROLLOUT, "batch_size": BATCH, "n_epochs": 4, "ent_coef": 0.001}
        model = PPO("MlpPolicy", people, device="cpu", seed=asked.seed, gamma=asked.discount, **settings)
        model.learn(asked.posts)
        trained = time.perf_counter()
        run = mf.simulate(world, recommender=recommender_of(model, asked.steps, observe), observe=observe)
        found = {name: np.asarray(values, float) for name, values in became(run).items()}
        cells = " | ".join(cell(base[column], found[column]) for column in COLUMNS)
        print(f"| PPO of Stable-Baselines3, {observe}, discount {asked.discount:g} | {cells} |", flush=True)
        print(
            f"<!-- trained in {trained - began:.0f} s, served in {time.perf_counter() - trained:.0f} s -->", flush=True
        )


if __name__ == "__main__":
    main()
