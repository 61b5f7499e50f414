"""Rules on how it learns: numbers that run away, rates, memorising, averages that lag, too little of it."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.case import Case, recent
from ganvas.diagnostics.finding import Evidence, Finding

RUNAWAY = 50.0
"""Gradient norm over its median of the first half of the looks: above it the gradients explode."""
STEEP = 500.0
"""Size of D's mean logit above which D has long lost all measure, whatever its loss."""
STILL = 1e-4
"""`update_ratio` (the length of an update over that of the weights) below which a network stands still."""
DECAYED = 0.3
"""Share of the learning rate below which nothing is said of it any more: it has been brought down."""
HECTIC = 0.03
"""`update_ratio` of G above which each update throws away what the last ones found."""
MEMORY = 0.5
"""How far images that D never saw are from those it learnt from, on the way to the fakes (ADA's r_v; Karras et al.
2020, arXiv 2006.06676, eq. 1; `small-data` steers for 0.5): above it D knows its images by heart."""
SOME = 3
"""Looks over whose median memorising is judged."""
COPIED = 0.7
"""Share of samples nearer to the images learnt from than to as many others (chance: 0.5)."""
TINY = 8
"""Images over which batch normalisation takes its means, below which these are mostly noise."""
LAG = 1.5
"""`distance` of the averaged generator's samples over the one of the generator itself."""
GAIN = 0.9
"""`distance` over what it was at 60 % of the images, below which the run was still getting better at its end."""


def not_a_number(case: Case) -> Finding | None:
    """Losses or gradients stopped being numbers."""
    for event in case.events:
        if event.get("event") == "nan":
            what = ", ".join(map(str, event.get("what") or ())) or "?"
            at = int(event.get("nimg") or case.seen)
            shown = tuple(e for name in ("grad/d", "grad/g") if (e := case.told(name, at)) is not None)
            return Finding(
                "nan", at, "high", shown, (case.rates(g=0.1, d=0.1), "--with gradient-clipping"), {"what": what}
            )
    return None


def exploding(case: Case) -> Finding | None:
    """A gradient is many times as long as it used to be, and stays so."""
    logit = np.maximum(np.abs(case.look("logit/real")), np.abs(case.look("logit/fake")))
    tries = ["--with r1-r2", case.rates(g=0.1, d=0.1)]
    if found := case.finding("exploding", logit > STEEP, ("grad/d", "grad/g"), tries, least=2):
        return found
    for name in ("grad/d", "grad/g"):
        norms = case.look(name)
        early = norms[: len(norms) // 2]
        if not np.isfinite(early).any():
            continue
        usual = np.median(early[np.isfinite(early)])
        tries = ["--with gradient-clipping", case.rates(**{name[-1]: 0.2}), "--with r1-r2"]
        if found := case.finding("exploding", norms > RUNAWAY * usual, (name, f"loss/{name[-1]}"), tries, least=2):
            return found
    return None


def too_slow(case: Case) -> Finding | None:
    """The weights hardly move, though the learning rate has not been brought down yet."""
    for player in "gd":
        share = _rates(case, player)
        good = (case.look(f"update_ratio/{player}") < STILL * share) & (case.look("distance") > 0.3)
        tries, shown = [case.rates(**{player: 30}), case.rates(g=30, d=30)], (f"update_ratio/{player}", "distance")
        found = case.finding("too-slow", good, shown, tries, among=share > DECAYED, player=player.upper())
        if found is not None:
            return found
    return None


def too_fast(case: Case) -> Finding | None:
    """Each update moves G so far that nothing learnt survives the next ones, and the pictures stay bad."""
    distance, share = case.look("distance"), _rates(case, "g")
    stays = (distance > 0.5) & (distance > 0.8 * case.earlier(distance))
    good = (case.look("update_ratio/g") > HECTIC * share) & stays
    tries = [case.rates(g=0.1, d=0.1), "--with gradient-clipping"]
    return case.finding("too-fast", good, ("update_ratio/g", "sample_change", "distance"), tries, among=share > DECAYED)


def overfitting(case: Case) -> Finding | None:
    """D judges real images that it never saw more like fakes than like those it learnt from."""
    again = case.nimg > case.data["n"]  # what was seen once is not known by heart: 32 answers a look are a small sample
    good = again & (recent(case.look("overfit"), SOME) > MEMORY) & (recent(case.look("auc/held_out"), SOME) > 0.6)
    tries = ["--with ada", "--with translation --with colour", "--with flip"]
    return case.finding("overfitting", good, ("eval_logit/train", "eval_logit/held_out", "eval_logit/fake"), tries)


def copying(case: Case) -> Finding | None:
    """Samples lie nearer to the images learnt from than to others of the same kind."""
    good = recent(case.look("nearest_train"), SOME) > COPIED
    return case.finding(
        "copying", good, ("nearest_train", "nearest"), ["--with ada", "--with translation --with colour"]
    )


def tiny_batches(case: Case) -> Finding | None:
    """Batch normalisation over a handful of images."""
    config = case.config
    parts = config.step.batch // config.step.accumulate
    normal = config.generator.norm == "batch" or any(config.discriminator.norms)
    if not normal or parts >= TINY or config.generator.family == "r3":
        return None
    tries = (f"--step.batch {max(32, config.step.batch)} --step.accumulate 1", "--generator.norm none")
    return Finding("tiny-batch", 0, "high", (), tries, {"images": parts})


def lagging_average(case: Case) -> Finding | None:
    """Samples come from an average of G that still remembers its first steps."""
    raw, averaged = case.look("distance/raw"), case.look("distance")
    good = (averaged > LAG * raw) & (averaged > raw + 0.1)
    return case.finding("ema-lag", good, ("distance", "distance/raw"), ["--step.ema-warmup 0.1", "--step.ema-kimg 5"])


def too_little(case: Case) -> Finding | None:
    """The run ended while its pictures were still getting better."""
    distance = case.look("distance")
    if case.state not in ("finish", "stop") or len(distance) < 5:
        return None
    good = (distance < GAIN * case.earlier(distance)) & (distance > 0.05)
    return case.finding("too-little", good, ("distance", "texture"), (), least=2)


def _rates(case: Case, player: str) -> np.ndarray:
    """The learning rate at each look as a share of the one that the run was given."""
    optim = case.config.g_optim if player == "g" else case.config.d_optim
    return case.look(f"lr/{player}") / optim.lr


def fake_accuracy(case: Case) -> Evidence | None:
    """D's accuracy on fakes over the last quarter of the run, for a direct answer to "is that bad?"."""
    return case.told("acc/fake", int(case.seen - case.length / 4))
