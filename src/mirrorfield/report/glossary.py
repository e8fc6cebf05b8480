"""The fixed text of the page: what each word and number means, and what the simulation does not claim."""

_F, _P = "<i>p</i><sub>u</sub>", "<i>p̄</i><sub>u</sub>"

_TERMS = (
    ("Feed", "The probabilities with which the recommender picks the next post's category for user u, in the user's "
     "present arousal state.", f"{_F}(a) = softmax(θ<sub>u</sub>[s<sub>u</sub>])<sub>a</sub>, summing to 1"),
    ("Diet", "What user u is served in the long run of their own states, under the policy as it is at that step. Every "
     "figure below is of the diet; it does not depend on the state that the user is in just now.",
     f"{_P}(a) = Σ<sub>s</sub> d<sub>u</sub>(s) π<sub>u</sub>(a | s), d<sub>u</sub> the long-run law of the states"),
    ("Category of a user", "The category to which the diet gives its greatest probability.",
     f"argmax<sub>a</sub> {_P}(a)"),
    ("Locked in", "A user whose diet gives one category more than 0.9.", f"max<sub>a</sub> {_P}(a) &gt; 0.9"),
    ("Led by another category in another state", "No one category leads in all the states that the user spends more "
     "than 5% of their time in.",
     "no a is a maximum of π<sub>u</sub>(· | s) in every s with d<sub>u</sub>(s) &gt; 0.05"),
    ("Effective categories", "How many equally likely categories would be as varied as the diet; the mean over users. "
     "From 1 to K.", f"mean<sub>u</sub> exp(H({_P})), H(p) = −Σ<sub>a</sub> p(a) ln p(a)"),
    ("Filter-bubble index", "How much of a post's category is explained by whose diet it is: 0 when all diets are "
     "equal, 1 when users are fed one category each, in equal numbers.",
     f"I(user; category) / ln K = (H(mean<sub>u</sub> {_P}) − mean<sub>u</sub> H({_P})) / ln K"),
    ("Overlap", "Probability that posts from the diets of two different users share a category; exact "
     "over all pairs, undefined for one user.",
     "mean over u ≠ v of Σ<sub>a</sub> <i>p̄</i><sub>u</sub>(a) <i>p̄</i><sub>v</sub>(a)"),
    ("Reaction", "What the user gives back for one post, which is also the recommender's reward; its unit is that of "
     "the scenario's reaction tables.", "G ~ Normal(μ<sub>u</sub>[s, a], σ<sub>u</sub>[s, a]²)"),
    ("Arousal", "The state a user is in, moved up or down by what was shown: calm, engaged or hooked. Everybody starts "
     "calm.", "s′ ~ P<sub>u</sub>[s, a, ·]"),
    ("Intentionality λ", "Where a user stands between the reactive profile (0) and the intentional one (1).",
     "μ<sub>u</sub> = (1 − λ<sub>u</sub>) w<sub>u</sub> μ<sub>reactive</sub> + λ<sub>u</sub> "
     "μ<sub>intentional</sub>"),
    ("Wilson interval", "The 95% interval for a proportion seen in n users; it treats a band's users as independent "
     "draws, which they are in this simulation.",
     "(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96"),
)  # fmt: skip

_HONEST = (
    ("The update is myopic.", "It credits each post with the reaction to that post alone, not with the states that "
     "follow. Nobody is steered towards being hooked: arousal rises as a by-product of what earns reactions now."),
    ("Lock-in here is metastable.", "Unless the scenario lets users adapt, they do not change, and a gradient on a "
     "softmax policy may find a better category later, after a very long stay. “Locked in” is a state at the "
     "last step, not a verdict for ever."),
    ("This is not the replicator equation.", "The softmax policy gradient weights each change by the policy twice, so "
     "it lingers near corners where replicator dynamics would leave sooner. The two agree on where they rest, not on "
     "how fast they get there."),
    ("These users are simulated.", "Reactions come from tables in the scenario below, not from people. The page shows "
     "what this rule does to those tables; it is no estimate of any real service."),
)  # fmt: skip


def definitions() -> str:
    """Return the section that defines each term, with its formula."""
    entries = "".join(
        f'<div><dt>{term}</dt><dd>{text}<span class="formula">{formula}</span></dd></div>\n'
        for term, text, formula in _TERMS
    )
    return (
        '<section aria-labelledby="terms"><h2 id="terms">What the words mean</h2>\n'
        f'<dl class="terms terms-wide">{entries}</dl></section>\n'
    )


def honesty() -> str:
    """Return the section that says what the results do not show."""
    entries = "".join(f"<li><b>{claim}</b> {text}</li>\n" for claim, text in _HONEST)
    return (
        '<section aria-labelledby="honest"><h2 id="honest">What this does not show</h2>\n'
        f'<ul class="honest">{entries}</ul></section>\n'
    )
