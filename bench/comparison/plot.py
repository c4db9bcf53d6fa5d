"""Two pictures of an outcome: what the same work costs each peer, and the goals."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from .report import medians_of  # noqa: E402

# Work, its contender that is Apus, metric, and what the bars of the first picture are called.
COSTS = (
    ("whole-gzip", "apus", "cpu_s", "whole field, gzip"), ("whole-plain", "apus contiguous", "cpu_s", "whole field, contiguous"), ("ranges-1000-gzip", "apus", "cpu_s", "1,000 ranges, gzip"),
    ("ranges-10000-chunked", "apus", "cpu_s", "10,000 ranges, chunked"), ("lossy", "apus", "cpu_s", "all lossy chains"), ("hot-rows", "apus", "cpu_us_per_request", "300 hot rows"), ("json", "apus", "cpu_s", "doubles as JSON"),
    ("first-byte", "apus", "wall_s", "region of a snapshot (wall)"),
)
PEERS = {"h5py": "#7f7f7f", "h5grove": "#d98c3f", "tiled": "#9a6fb0", "nginx": "#5a9e6f", "swiftsimio": "#c85a5a"}
APUS = "#2f6fb3"


def draw(outcome, stem):
    """Writes `STEM-costs.svg` and `STEM-goals.svg`; returns their paths."""
    matplotlib.rcParams.update({"svg.hashsalt": "apus", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    return [draw_costs(outcome, stem.with_name(stem.name + "-costs.svg")), draw_goals(outcome, stem.with_name(stem.name + "-goals.svg"))]


def draw_costs(outcome, path):
    works = {work["name"]: work for work in outcome["works"]}
    groups = []
    for name, apus, metric, label in COSTS:
        if name in works and apus in works[name]["contenders"]:
            medians = {peer: medians_of(contender) for peer, contender in works[name]["contenders"].items()}
            if metric in medians[apus]:
                way = apus.removeprefix("apus").strip()
                others = {peer: best for peer in PEERS if (best := cheapest(medians, peer, metric, way))}
                groups.append((label, {peer: value / medians[apus][metric] for peer, value in others.items()}))
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.19 * sum(len(bars) + 1.6 for _, bars in groups) + 0.4))
    at, ticks = 0.0, []
    for label, bars in groups:
        ticks.append((at - len(bars) / 2, label))
        for peer, value in {"apus": 1.0, **bars}.items():
            axes.barh(at, value, 0.9, color=PEERS.get(peer, APUS))
            axes.text(value * 1.04, at, f"{peer} {value:.3g}" if peer != "apus" else "apus", va="center", fontsize=7.5)
            at -= 1
        at -= 0.8
    axes.set_xscale("log")
    axes.axvline(1, color=APUS, lw=0.8)
    axes.set_yticks([y for y, _ in ticks], [label for _, label in ticks])
    axes.set_xlabel("CPU time for the same work, Apus = 1 (less is better)")
    axes.set_xlim(left=min([0.3, *(0.7 * v for _, bars in groups for v in bars.values())]), right=3 * max([1, *(v for _, bars in groups for v in bars.values())]))
    axes.set_title(f"{outcome['machine']['cores']} cores of {outcome['machine']['cpu']}, commit {outcome['machine']['commit']}, {outcome['date'][:10]}", fontsize=8)
    return save(figure, path)


def cheapest(medians, peer, metric, way):
    """The best figure of that peer's contenders, those of the same storage where several are told apart."""
    names = [name for name in medians if name.startswith(peer) and metric in medians[name]]
    names = [name for name in names if way and way in name] or names
    return min((medians[name][metric] for name in names), default=None)


def draw_goals(outcome, path):
    goals = [(f"{work['name']}: {goal['text']}", goal) for work in outcome["works"] for goal in work["goals"]]
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.26 * len(goals)))
    for at, (_, goal) in enumerate(reversed(goals)):
        reached = goal["value"] / goal["bound"] if goal["at_least"] else goal["bound"] / max(goal["value"], 1e-9)
        axes.barh(at, max(reached, 0.01), 0.7, color=APUS if goal["met"] else "#c85a5a")
    axes.set_yticks(range(len(goals)), [text[:90] for text, _ in reversed(goals)], fontsize=7)
    axes.set_xscale("log")
    axes.axvline(1, color="black", lw=0.8)
    axes.set_xlabel("how far past the goal (1 = just met)")
    return save(figure, path)


def save(figure, path):
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return path
