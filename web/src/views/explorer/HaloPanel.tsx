import { useState } from "react";
import type { Asked } from "../../lib/api";
import * as format from "../../lib/format";
import { setParams } from "../../lib/router";
import { type Info, kindName, leaf, lengthUnit } from "../../lib/swift";
import { InlineFailure } from "../../parts/Notice";
import { type CatalogueHalo, type Halos, massText } from "./halos";

const PAGE = 8;

interface Props {
  info: Info;
  catalogues: Info[];
  catalogue: Info | undefined;
  halos: Asked<Halos>;
  chosen: number | null;
  choose: (halo: CatalogueHalo) => void;
}

/** The halos beside the map, the heaviest first: found by rank or by id. */
export function HaloPanel({ info, catalogues, catalogue, halos, chosen, choose }: Props) {
  const [search, setSearch] = useState("");
  const [n, setN] = useState(PAGE);
  if (catalogues.length === 0) return <p className="muted small">No FOF or SOAP catalogue of this snapshot lies beside it.</p>;
  const all = halos.state === "done" ? halos.value.halos : [];
  const rankOf = new Map(all.map((halo, index) => [halo.id, index + 1]));
  const wanted = search.trim();
  const isFound = (halo: CatalogueHalo) => (wanted.startsWith("#") ? String(rankOf.get(halo.id)).startsWith(wanted.slice(1)) : String(halo.id).startsWith(wanted));
  const found = wanted ? all.filter(isFound) : all;
  return (
    <div className="stack">
      <label className="field-label">
        Catalogue
        <select className="select" value={catalogue?.path ?? "none"} onChange={(event) => setParams({ halos: event.target.value })}>
          {catalogues.map((one) => (
            <option key={one.path} value={one.path}>
              {leaf(one.path)} ({kindName(one.kind)})
            </option>
          ))}
          <option value="none">Show none</option>
        </select>
      </label>
      {halos.state === "failed" && <InlineFailure failure={halos.failure} />}
      {halos.state === "done" && (
        <>
          <label className="field-label">
            Find by id, or by rank in mass (#3)
            <input className="input" inputMode="numeric" value={search} placeholder={`1 of ${format.count(halos.value.nTotal)}`} onChange={(event) => setSearch(event.target.value)} />
          </label>
          <table className="table compact">
            <caption className="visually-hidden">Halos, the heaviest first</caption>
            <thead>
              <tr>
                <th className="end">Rank</th>
                <th>Id</th>
                <th className="end">Mass</th>
                <th className="end">Radius</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, n).map((halo) => (
                <tr key={halo.id} className={halo.id === chosen ? "open" : undefined}>
                  <td className="end muted">{rankOf.get(halo.id)}</td>
                  <td>
                    <button type="button" className="link" aria-pressed={halo.id === chosen} aria-label={`Go to halo ${halo.id}`} onClick={() => choose(halo)}>
                      {halo.id}
                    </button>
                  </td>
                  <td className="end nowrap">{massText(halo, halos.value)}</td>
                  <td className="end nowrap">{format.quantity(halo.radius, lengthUnit(info), 2)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {found.length === 0 && <p className="muted small">No halo has an id or a rank like that.</p>}
          {found.length > n && (
            <button type="button" className="button small" onClick={() => setN(n + 4 * PAGE)}>
              Show more
            </button>
          )}
        </>
      )}
    </div>
  );
}
