import { ask, download, url, useAsked, useJson } from "../../lib/api";
import * as format from "../../lib/format";
import type { Layer } from "../../lib/pictures";
import { href, setParams } from "../../lib/router";
import { type Selection, selectSnippets, selectUrl } from "../../lib/snippets";
import { type Info, leaf, lengthUnit } from "../../lib/swift";
import { Snippets } from "../../parts/Code";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { InlineFailure } from "../../parts/Notice";
import { FORMATS } from "./formats";
import { RegionPlots } from "./RegionPlots";
import { type Region, regionParams } from "./state";

/** The number of rows, which the service knows before it sends the first of them. */
async function countRows(address: string): Promise<number | null> {
  const answer = await ask(address, { method: "HEAD" });
  const found = /=(\d+)/.exec(answer.headers.get("Apus-Rows") ?? "");
  return found ? Number(found[1]) : null;
}

interface Explained {
  groups: { name: string; n_rows_at_most: number; is_exact: boolean }[];
  size_bytes_at_most: number;
  is_allowed: boolean;
}

interface Statistics {
  statistics: Record<string, { sum: number | null; unit: string | null }>;
}

export function regionText(region: Region, unit: string): string {
  const n = (x: number) => format.number(x, 3);
  if (region.kind === "sphere") return `Sphere of ${n(region.radius)} ${unit} about (${region.centre.map(n).join(", ")})`;
  const sides = ["x", "y", "z"].map((axis, i) => {
    const [low, high] = [region.sides[2 * i] ?? null, region.sides[2 * i + 1] ?? null];
    return low === null && high === null ? null : `${axis} ${low === null ? "" : n(low)}–${high === null ? "" : n(high)}`;
  });
  return `Box of ${sides.filter(Boolean).join(", ")} ${unit}`;
}

/** What is drawn: how much it holds, and how to have it. */
export function RegionPanel({ info, layer, region }: { info: Info; layer: Layer; region: Region }) {
  const params = regionParams(region);
  const where: Omit<Selection, "fields"> = { ...(params.box ? { box: params.box } : {}), ...(params.sphere ? { sphere: params.sphere } : {}) };
  const selection: Selection = { fields: `${layer.type}.*`, ...where };
  const explained = useJson<Explained>(selectUrl(info.path, selection, { explain: "true" }));
  const hasMasses = info.groups.find((group) => group.name === layer.type)?.fields.some((field) => field.name === "masses");
  const statistics = useJson<Statistics>(hasMasses ? url("v1/statistics", info.path, { type: layer.type, fields: "masses", ...where }) : null);
  const mass = statistics.state === "done" ? statistics.value.statistics.masses : undefined;
  const counted = useAsked(selectUrl(info.path, { ...selection, fields: `${layer.type}.coordinates` }, { format: "npz" }), countRows);
  const nRows = counted.state === "done" ? counted.value : null;
  const group = explained.state === "done" ? explained.value.groups[0] : undefined;
  return (
    <div className="stack">
      <div className="row between" style={{ alignItems: "start", flexWrap: "nowrap" }}>
        <p>{regionText(region, format.unit(lengthUnit(info)))}</p>
        <button type="button" className="button small quiet" aria-label="Forget the region" title="Forget the region" onClick={() => setParams({ box: "", sphere: "", halo: "" })}>
          <Icon name="close" />
        </button>
      </div>
      {explained.state === "failed" && <InlineFailure failure={explained.failure} />}
      {group && explained.state === "done" && (
        <dl className="facts region-facts">
          <div>
            <dt>{format.title(layer.type)} particles</dt>
            <dd data-testid="region-rows">{nRows === null ? `${group.is_exact ? "" : "at most "}${format.count(group.n_rows_at_most)}` : format.count(nRows)}</dd>
          </div>
          {mass && mass.sum !== null && (
            <div>
              <dt>Mass</dt>
              <dd>{format.quantity(mass.sum, mass.unit ?? "")}</dd>
            </div>
          )}
          <div>
            <dt>All fields of them</dt>
            <dd>{nRows !== null && group.n_rows_at_most > 0 ? format.bytes((explained.value.size_bytes_at_most * nRows) / group.n_rows_at_most) : `at most ${format.bytes(explained.value.size_bytes_at_most)}`}</dd>
          </div>
        </dl>
      )}
      <div>
        <h3>Download</h3>
        <div className="formats">
          {FORMATS.map(([name, ending, purpose]) => (
            <button
              key={name}
              type="button"
              className="button small"
              title={purpose}
              onClick={() => void download(selectUrl(info.path, selection, { format: name }), `${leaf(info.path).replace(/\.hdf5$/, "")}_${layer.type}.${ending}`)}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      <div>
        <h3>The code that gets exactly this</h3>
        <Snippets label="The code that gets exactly this" snippets={selectSnippets(info.path, selection)} />
      </div>
      <Link className="button small" href={href("ask", info.path, { fields: `${layer.type}.*`, ...where, limit: "100" })}>
        <Icon name="ask" /> Show values, add conditions
      </Link>
      <RegionPlots info={info} layer={layer} region={region} where={where} />
    </div>
  );
}
