"""The model in JAX on one processor core, float32: one user's step under vmap, scan over recorded steps, under jit.

What was tried, and what was fastest: users in the first axis rather than the last; gathers by state rather than
selections or loops unrolled over categories; threefry rather than rbg or unsafe_rbg; one draw of three uniforms a step,
the normal from the inverse error function. Blocks of 1024 to 16,384 users differ by a tenth at most. A block, its
draw included, is one compiled call whose loops update their carry in place, so there is no buffer to donate.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from peers_model import LOCKED_IN, End, Model, Sums, figures, long_run

__all__ = ["figures", "prepare"]

BLOCK = 4096
KEYS = "threefry2x32"
LEAST = float(np.nextafter(np.float32(-1), np.float32(0)))


class User(NamedTuple):
    """One user in the middle of the loop; under vmap, all of a block."""

    tables: End
    logits: Array
    baseline: Array
    state: Array


def draw_user(susceptibility: Array, intentionality: Array, reactive: End, intentional: End) -> User:
    """Return a user before its first post."""
    hit = reactive._replace(mean=reactive.mean * susceptibility)
    tables = jax.tree.map(lambda a, b: (1 - intentionality) * a + intentionality * b, hit, intentional)
    return User(tables, jnp.zeros_like(tables.mean), jnp.float32(0), jnp.int32(0))


def interact(user: User, uniforms: Array, t: Array, learning_rate: float) -> User:
    """Show one user its t-th post."""
    u_choice, u_noise, u_transition = uniforms
    policy = jax.nn.softmax(user.logits[user.state])
    choice = (u_choice >= jnp.cumsum(policy)[:-1]).sum()
    mean, std, fall, rise = (table[user.state, choice] for table in user.tables)
    noise = np.float32(np.sqrt(2)) * lax.erf_inv(jnp.maximum(2 * u_noise - 1, LEAST))
    gain = mean + std * noise - user.baseline
    chosen = jnp.arange(len(policy)) == choice
    return User(
        tables=user.tables,
        logits=user.logits.at[user.state].add(learning_rate * gain * (chosen - policy)),
        baseline=user.baseline + gain / t,
        state=(u_transition >= fall).astype(jnp.int32) + (u_transition >= rise).astype(jnp.int32),
    )


def fold_user(user: User, number: Array) -> Sums:
    """Return what one user adds to the sums."""
    policy = jax.nn.softmax(user.logits)
    calm, hooked = (policy * user.tables.fall).sum(axis=1), (policy * (1 - user.tables.rise)).sum(axis=1)
    diet = jnp.stack(long_run(calm, 1 - calm - hooked, hooked)) @ policy
    largest = diet.max()
    tied = jnp.cumsum(diet == largest)
    category = (tied > number % tied[-1]).argmax()
    return Sums(
        category=jnp.arange(len(diet)) == category,
        state=jnp.arange(3) == user.state,
        locked_in=largest > LOCKED_IN,
        diet=diet,
        diet_square=(diet**2).sum(),
        entropy=-(diet * jnp.log(jnp.maximum(diet, 1e-30))).sum(),
        reaction=user.baseline,
        reaction_square=user.baseline**2,
    )


def run_block(key: Array, model: Model, users: int) -> Sums:
    """Draw a block of users, run it to the end and return its sums."""
    key_w, key_lambda, key_loop = jax.random.split(key, 3)
    susceptibility = jnp.exp(model.sigma * jax.random.normal(key_w, (users, 1, model.categories)))
    intentionality = jax.random.uniform(key_lambda, users)
    block = jax.vmap(draw_user, (0, 0, None, None))(susceptibility, intentionality, *model.ends)
    everyone = jax.vmap(interact, (0, 1, None, None))

    def step(t: Array, block: User) -> User:
        uniforms = jax.random.uniform(jax.random.fold_in(key_loop, t), (3, users))
        return everyone(block, uniforms, t.astype(jnp.float32), model.learning_rate)

    def to_recorded(block: User, span: tuple[Array, Array]) -> tuple[User, Sums]:
        block = lax.fori_loop(*span, step, block)
        each = jax.vmap(fold_user)(block, jnp.arange(users))
        return block, jax.tree.map(lambda values: values.sum(axis=0), each)

    first = jnp.asarray(np.r_[1, model.recorded[:-1] + 1], jnp.int32)
    return lax.scan(to_recorded, block, (first, jnp.asarray(model.recorded + 1, jnp.int32)))[1]


def prepare(model: Model, block: int = BLOCK) -> Callable[[int], Sums]:
    """Compile, and return the function that runs the model with a seed."""
    users = model.block(block)

    def numbered(seed: Array, number: Array) -> Sums:
        return run_block(jax.random.fold_in(jax.random.key(seed, impl=KEYS), number), model, users)

    compiled = jax.jit(numbered).lower(np.uint32(0), np.uint32(0)).compile()

    def run(seed: int) -> Sums:
        parts = [compiled(np.uint32(seed), np.uint32(number)) for number in range(model.users // users)]
        return Sums(*(np.sum(np.asarray(values, float), axis=0) for values in zip(*parts, strict=True)))

    return run
