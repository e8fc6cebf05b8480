"""Objects of one's own, from Python or from the words `module:name`: taken, checked, and told apart."""

import hashlib
import importlib
import inspect
import pickle
import sys
from dataclasses import replace
from typing import Any

from mirrorfield.contract import Observe, Own
from mirrorfield.engine.arrays import check_own
from mirrorfield.engine.calls import call_function
from mirrorfield.engine.checks import check_people, check_picklable, check_recommender
from mirrorfield.errors import InputError, nearest
from mirrorfield.people.markov import Markov
from mirrorfield.population.run import Plan
from mirrorfield.population.scenario import Scenario


def with_own(
    plan: Plan, recommender: Any = None, people: Any = None, observe: Observe = "history", portable: bool = False
) -> Plan:
    """Return a plan in which a recommender, people or both are somebody's own; the plan itself if neither is.

    Parameters: recommender, an object that keeps the contract; people, one that does, or what makes one from the
    scenario (the class `Satiated`, say); observe, what the recommender sees; portable, whether other processes or a
    run folder will need the objects, which then must be picklable. Raises InputError for objects that break the
    contract, and for parts of the scenario that they cannot stand beside.
    """
    if recommender is None and people is None:
        if observe != "history":
            raise InputError('observe: expected a recommender of your own beside observe="state"')
        return plan
    if recommender is not None:
        world = plan.scenario
        closing = world.intervention.intensity_cap < 1 or world.retrieval.corpus is not None
        check_recommender(recommender, categories=world.arms, observe=observe, closing=closing, portable=portable)
    if people is not None:
        people = made_people(people, plan.scenario)
        if isinstance(people, Markov):
            people.population = plan.population
        check_people(people, categories=plan.scenario.arms, portable=portable)
    identity = digest(recommender, people, observe) if portable else ""
    plan = replace(plan, own=Own(recommender, people, observe, identity))
    check_own(plan)
    return plan


def made_people(people: Any, scenario: Scenario) -> Any:
    """Return people: an object that reacts as it is, and what it is made by (a class, say) called with the scenario."""
    ready = hasattr(people, "react") and not isinstance(people, type)
    return people if ready else call_function(people, scenario)


def load_object(words: str, option: str) -> Any:
    """Return what `module:name` names, a class without arguments made into an object; the working folder is looked in.

    Raises InputError, in one line, for words of another form, a module that does not import and a name that is not
    there. The module's code runs: give it words that you trust.
    """
    module_name, _, name = words.partition(":")
    if not (module_name and name):
        raise InputError(f'{option}: expected module:name, such as mirrorfield.recommenders:Thompson, got "{words}"')
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(f"{option}: {module_name} does not import: {type(error).__name__}: {error}") from None
    finally:
        sys.path.remove("")
    if not hasattr(module, name):
        choices = [known for known in dir(module) if not known.startswith("_")]
        raise InputError(f'{option}: {module_name} has no "{name}".{nearest(name, choices)}')
    return getattr(module, name)


def load_recommender(words: str) -> Any:
    """Return the recommender that `module:name` names; a class is called without arguments."""
    found = load_object(words, "--recommender")
    return call_function(found) if isinstance(found, type) else found


def digest(recommender: Any, people: Any, observe: str) -> str:
    """Return a SHA-256 over objects with their settings, the source of their classes, and `observe`."""
    seal = hashlib.sha256(observe.encode())
    for thing in (recommender, people):
        check_picklable(thing)
        seal.update(pickle.dumps(thing))
        if thing is not None:
            seal.update(_source(getattr(thing, "function", type(thing))))
    return seal.hexdigest()


def _source(kind: Any) -> bytes:
    try:
        return inspect.getsource(kind).encode()
    except (OSError, TypeError):
        return b""
