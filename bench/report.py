#!/usr/bin/python3
"""Turns the values that a bench script recorded into tables, and a plot.

    report.py VALUES [--plot FILE.png]

VALUES has a line per measurement: group, system, measure, round, value, separated by tabs. The first system of a group
is the one that the others are compared with. A cell shows the minimum and, in parentheses, the median of the rounds;
in bold the minimum divided by the first system's minimum, and after it the median of the same ratio taken round by round.
"""

import argparse
import collections
import statistics
import sys


def read(path):
    groups = collections.OrderedDict()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            group, system, measure, turn, value = line.rstrip("\n").split("\t")
            measures = groups.setdefault(group, collections.OrderedDict())
            systems = measures.setdefault(measure, collections.OrderedDict())
            systems.setdefault(system, {})[int(turn)] = float(value)
    return groups


def systems_of(measures):
    seen = collections.OrderedDict()
    for turn in sorted({t for systems in measures.values() for values in systems.values() for t in values}):
        for systems in measures.values():
            for system, values in systems.items():
                if turn in values:
                    seen.setdefault(system)
    return list(seen)


def ratios(values, reference):
    pairs = [values[t] / reference[t] for t in values if reference.get(t)]
    lowest = min(reference.values(), default=0)
    return (min(values.values()) / lowest if lowest else None, statistics.median(pairs) if pairs else None)


def cell(values, reference):
    if not values:
        return "-"
    numbers = values.values()
    text = f"{min(numbers):.3g}"
    if len(values) > 1:
        text += f" ({statistics.median(numbers):.3g})"
    if reference and reference is not values:
        of_minima, of_pairs = ratios(values, reference)
        if of_minima is not None:
            text += f" **{of_minima:.2f}x**"
        if of_pairs is not None and len(values) > 1:
            text += f" {of_pairs:.2f}x"
    return text


def print_table(group, measures):
    systems = systems_of(measures)
    print(f"\n## {group}\n\n| | {' | '.join(systems)} |\n|---|{'---|' * len(systems)}")
    for measure, by_system in measures.items():
        reference = by_system.get(systems[0], {})
        cells = [cell(by_system.get(system, {}), reference) for system in systems]
        print(f"| {measure} | {' | '.join(cells)} |")


def plot(groups, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    bars = [(g, m, s, ratios(v, by[systems_of(ms)[0]])[0])
            for g, ms in groups.items() for m, by in ms.items() if m.endswith("(s)") and systems_of(ms)[0] in by
            for s, v in by.items() if s != systems_of(ms)[0]]
    bars = [bar for bar in bars if bar[3]]
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.19 * len(bars)))
    colours = {s: f"C{i}" for i, s in enumerate(dict.fromkeys(bar[2] for bar in bars))}
    axes.barh(range(len(bars)), [bar[3] for bar in bars], color=[colours[bar[2]] for bar in bars])
    axes.set_yticks(range(len(bars)), [f"{g}: {m.removesuffix(' (s)')}, {s}" for g, m, s, _ in bars], fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.margins(y=0.005)
    axes.set_xlabel("time as a multiple of the first system of the group (minimum by minimum)")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("values")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    groups = read(arguments.values)
    for group, measures in groups.items():
        print_table(group, measures)
    if arguments.plot:
        plot(groups, arguments.plot)
    return 0


sys.exit(main())
