import { useState } from "react";
import * as format from "../lib/format";
import { href } from "../lib/router";
import { boxText, countText, type Info, isCosmological, isSnapshot, redshiftText } from "../lib/swift";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { Picture } from "../parts/Picture";
import type { Known } from "./Catalogue";

/** Snapshots of one run as a row through time: shown for runs with at least three. */
export function Runs({ known }: { known: Known[] }) {
  const runs = new Map<string, Info[]>();
  for (const { info, entry } of known) {
    if (!info || !isSnapshot(info) || !info.header?.run_name) continue;
    if (/\.\d+\.hdf5$/.test(entry.name)) continue; // a part of a distributed snapshot
    const key = [info.header.run_name, boxText(info), info.kind].join("|");
    runs.set(key, [...(runs.get(key) ?? []), info]);
  }
  const long = [...runs.values()].map(throughTime).filter((run) => run.length >= 3);
  return long.map((run) => <Run key={run[0]?.path} run={run} />);
}

function throughTime(infos: Info[]): Info[] {
  const byTime = new Map(infos.map((info) => [time(info), info]));
  return [...byTime].sort(([a], [b]) => a - b).map(([, info]) => info);
}

const time = (info: Info) => (isCosmological(info) ? (info.header?.scale_factor ?? 0) : (info.header?.time ?? 0));
const when = (info: Info) => redshiftText(info) ?? `t = ${format.number(time(info), 3)}`;

function Run({ run }: { run: Info[] }) {
  const [index, setIndex] = useState(run.length - 1);
  const info = run[Math.min(index, run.length - 1)];
  const [first, last] = [run[0], run.at(-1)];
  if (!info || !first || !last) return null;
  return (
    <section className="panel time" aria-label={`Snapshots of ${info.header?.run_name}`}>
      <div className="picture">
        <Picture info={info} pixels={480} />
      </div>
      <div className="stack">
        <div>
          <h2>{info.header?.run_name}</h2>
          <p className="muted">{[format.plural(run.length, "snapshot"), boxText(info), countText(info)].filter(Boolean).join(" · ")}</p>
        </div>
        <div>
          <input
            type="range"
            min={0}
            max={run.length - 1}
            value={index}
            aria-label="Time"
            aria-valuetext={when(info)}
            onChange={(event) => setIndex(Number(event.target.value))}
          />
          <div className="ticks">
            <span>{when(first)}</span>
            <strong>{when(info)}</strong>
            <span>{when(last)}</span>
          </div>
        </div>
        <div className="row">
          <Link className="button primary" href={href("explore", info.path)}>
            <Icon name="map" /> Explore
          </Link>
          <Link className="button" href={href("file", info.path)}>
            {info.path.split("/").at(-1)}
          </Link>
        </div>
      </div>
    </section>
  );
}
