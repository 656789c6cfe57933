"""What does mending put right, and what does it make less like Bach?

    python -m benchmarks.mending --data FOLDER                      # as prices are
    python -m benchmarks.mending --data FOLDER --price "crossing=0.05; overlap=0.05" --price "melodic leap=0"
    python -m benchmarks.mending --data FOLDER --model model.onnx -n 76 --bars 0

Sopranos of JSB valid are harmonised once and then mended by each list of prices ("" is `MENDERS_PRICES` as it is; a
rule whose price is 0 is left out). A row a feature of `evaluation.texture`, then a row a rule of part-writing: Bach,
split as everyone is; nothing mended; mended by each list. Phrases are the reading's guesses.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales
from ripieno.evaluation.inputs import soprano_of
from ripieno.evaluation.texture import FEATURES, Setting, counted, key_of_setting
from ripieno.models.runtime import load_model, the_separator
from ripieno.music.part_writing import PER, RULE_CALLED, RULES, Count, form_of, judge
from ripieno.music.roll import STEPS_PER_BAR, Voices, roll_of_voices
from ripieno.music.voices import split
from ripieno.sampling.mending import CARES, MENDERS_PRICES, Hopeless, lines_sung, mend
from ripieno.sampling.passes import alone
from ripieno.session import Session, way_of

Figures = dict[str, Count]
ALL_PER = {
    **{feature.name: feature.per for feature in FEATURES},
    **{f"rule: {rule.name}": PER[rule.name] for rule in RULES},
}


def prices_of(text: str) -> dict[str, float]:
    """The prices, some of them changed: "crossing=0.05; overlap=0"."""
    prices = dict(MENDERS_PRICES)
    for word in filter(None, text.split(";")):
        name, _, price = word.strip().partition("=")
        assert name in RULE_CALLED, name
        prices[name] = float(price)
    return {name: price for name, price in prices.items() if price}


def figures(voices: Voices, truth: Voices, session: Session) -> Figures:
    """Everything that is counted in a setting, in the key of Bach's."""
    reading = session.reading
    key, phase = key_of_setting(truth), reading.beat_phase
    phrases = tuple((phrase.rest, phrase.end) for phrase in reading.phrases)
    last = reading.tune[-1].onset if reading.tune else None
    report = judge(voices, key=key, beat_phase=phase, form=form_of(voices, phrases, last, phase))
    told = counted(Setting(voices, phase, key, phrases))
    return {**told, **{f"rule: {rule.name}": report[rule.name] for rule in RULES}}


def added(all_of_them: Sequence[Figures]) -> Figures:
    """Over pieces."""
    return {name: sum((one[name] for one in all_of_them), Count()) for name in all_of_them[0]}


def settings(data: Path, n: int, n_bars: int) -> Iterator[Voices]:
    """Some of Bach's settings, evenly over JSB valid; the first bars of each."""
    valid = [one.voices for one in chorales(data, "valid") if one.voices is not None]
    for at in np.linspace(0, len(valid) - 1, n).round().astype(int):
        yield valid[at][: n_bars * STEPS_PER_BAR or None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-n", type=int, default=16, help="how many sopranos")
    parser.add_argument("--bars", type=int, default=0, help="the first so many bars of each; 0 for all")
    parser.add_argument("--quality", choices=CARES, default="high")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--price", action="append", help="see above; may be given several times")
    parser.add_argument("--threads", type=int, help="cores; all of them unless given")
    a = parser.parse_args()
    model = load_model(a.model, a.threads)
    lists = [prices_of(text) for text in a.price or [""]]
    columns: list[list[Figures]] = [[] for _ in range(2 + len(lists))]
    for truth in settings(a.data, a.n, a.bars):
        session = Session(soprano_of(truth), model=model, melody="top", mend="nothing", seed=a.seed, quality=a.quality)
        for _ in session.run():
            pass
        way = way_of(session.document, model)
        bach = split(roll_of_voices(truth), 4, truth[:, 0], 0, the_separator())
        columns[0].append(figures(bach, truth, session))
        columns[1].append(figures(lines_sung(session.log, session.policy, way.separate), truth, session))
        for column, prices in zip(columns[2:], lists, strict=True):
            log = session.log
            hopeless: Hopeless = set()
            mending = mend(
                log,
                session.context,
                session.policy,
                prices,
                way.key,
                way.beat_phase,
                hopeless,
                way.separate,
                CARES[a.quality],
                way.phrases,
                way.last,
            )
            for change in alone(mending, model):
                log = change.log
            column.append(figures(lines_sung(log, session.policy, way.separate), truth, session))
    sums = [added(column) for column in columns]
    heads = ["", "Bach", "nothing mended", *(f"`{text}`" if text else "mended" for text in a.price or [""])]
    print(f"| {' | '.join(heads)} |\n|---|{'---|' * (len(heads) - 1)}")
    for name in sums[0]:
        cells = [f"{ALL_PER[name] * one[name].rate:.3g} ({one[name].n})" for one in sums]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
