"""The outcome as a table for people: Markdown, from the same dictionary that is written as JSON."""

COLUMNS = (  # metric, heading, factor, digits
    ("wall_s", "wall s", 1, 3), ("cpu_s", "CPU s", 1, 3), ("gb_per_s", "GB/s", 1, 2), ("first_byte_s", "first byte ms", 1e3, 1), ("requests_per_s", "requests/s", 1, 0),
    ("cpu_us_per_request", "CPU us/request", 1, 0), ("p50_ms", "p50 ms", 1, 2), ("p99_ms", "p99 ms", 1, 2), ("ping_p50_ms", "ping p50 ms", 1, 2), ("ping_p99_ms", "ping p99 ms", 1, 2),
    ("gb_per_core_s", "GB/core-s", 1, 3), ("ns_per_row", "CPU ns/row", 1, 1), ("us_per_chunk", "us/chunk", 1, 3), ("bytes_per_chunk", "B/chunk", 1, 1), ("peak_mib", "peak MiB", 1, 0),
)


def markdown(outcome):
    """The whole report."""
    lines = [f"# Apus beside its peers, {outcome['date']}", "", provenance(outcome), "", "## Goals", "", *goal_table(outcome), ""]
    for work in outcome["works"]:
        lines += ["", f"## {work['title']} (`{work['name']}`)", "", *work_table(work)]
        lines += [f"\nNot measured: {text}" for text in work["failures"]]
    return "\n".join(lines) + "\n"


def provenance(outcome):
    machine = outcome["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version and name != "apus")
    return (
        f"Commit {machine['commit']}, {machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, Linux {machine['kernel']}, load {machine['load']:.1f} at the start; "
        f"{outcome['rounds']} interleaved rounds, medians; files of {outcome['n_rows'] / 1e6:g} million rows; {versions}."
    )


def goal_table(outcome):
    lines = ["| work | figure | goal | measured | met |", "|---|---|---|---|---|"]
    for work in outcome["works"]:
        for goal in work["goals"]:
            sign = "at least" if goal["at_least"] else "at most"
            lines.append(f"| {work['title']} | {goal['text']} | {sign} {number(goal['bound'])} {goal['unit']} | {number(goal['value'])} {goal['unit']} | {'yes' if goal['met'] else '**no**'} |".replace("  ", " "))
    return lines


def work_table(work):
    medians = {name: medians_of(contender) for name, contender in work["contenders"].items() if contender["summary"]}
    columns = [column for column in COLUMNS if any(column[0] in m for m in medians.values())]
    lines = ["| | " + " | ".join(heading for _, heading, _, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, m in medians.items():
        lines.append(f"| {name} | " + " | ".join(f"{m[metric] * factor:,.{digits}f}" if metric in m else "" for metric, _, factor, digits in columns) + " |")
    return lines


def medians_of(contender):
    m = {metric: values["median"] for metric, values in contender["summary"].items()}
    if m.get("bytes") and m.get("wall_s"):
        m["gb_per_s"] = m["bytes"] / 1e9 / m["wall_s"]
    return m


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
