import { url, useJson } from "../../lib/api";
import * as format from "../../lib/format";
import type { Layer } from "../../lib/pictures";
import type { Selection } from "../../lib/snippets";
import { type Info, lengthUnit } from "../../lib/swift";
import { Curve, Heat } from "../../parts/Plot";
import { InlineFailure } from "../../parts/Notice";
import type { Region } from "./state";

interface Histogram2d {
  counts: number[][];
  x_edges: number[];
  y_edges: number[];
}

interface Profile {
  counts: number[];
  x_edges: number[];
}

/** The phase diagram of gas, and how mass lies about the middle, beside the map. */
export function RegionPlots({ info, layer, region, where }: { info: Info; layer: Layer; region: Region; where: Omit<Selection, "fields"> }) {
  const names = new Set(info.groups.find((group) => group.name === layer.type)?.fields.map((field) => field.name));
  const hasPhases = names.has("densities") && names.has("temperatures");
  return (
    <>
      {hasPhases && <PhaseDiagram info={info} layer={layer} where={where} />}
      {region.kind === "sphere" && names.has("masses") && <DensityProfile info={info} layer={layer} region={region} />}
    </>
  );
}

function PhaseDiagram({ info, layer, where }: { info: Info; layer: Layer; where: Omit<Selection, "fields"> }) {
  const answer = useJson<Histogram2d>(
    url("v1/histogram", info.path, {
      type: layer.type,
      x: "densities",
      y: "temperatures",
      weight: "masses",
      x_bins: 90,
      y_bins: 70,
      x_log: "true",
      y_log: "true",
      ...where,
      format: "json",
    }),
  );
  const field = info.groups.find((group) => group.name === layer.type)?.fields.find((one) => one.name === "densities");
  const [factor, unit] = format.factored(field?.unit?.name ?? "");
  return (
    <div>
      <h3>Phase diagram</h3>
      {answer.state === "loading" && <div className="skeleton" style={{ height: 260 }} />}
      {answer.state === "failed" && <InlineFailure failure={answer.failure} />}
      {answer.state === "done" && (
        <Heat
          counts={answer.value.counts}
          x={{ label: `Density [${format.unit(unit)}]`, range: ends(answer.value.x_edges, factor), log: true }}
          y={{ label: "Temperature [K]", range: ends(answer.value.y_edges, 1), log: true }}
          describe="Mass by density and temperature"
        />
      )}
    </div>
  );
}

const ends = (edges: number[], factor: number): [number, number] => [(edges[0] ?? 1) * factor, (edges.at(-1) ?? 10) * factor];

const PROFILE_BINS = 24;

/** Mass in shells over their volume. */
function DensityProfile({ info, layer, region }: { info: Info; layer: Layer; region: Region & { kind: "sphere" } }) {
  const outer = region.radius;
  const answer = useJson<Profile>(
    url("v1/histogram", info.path, {
      type: layer.type,
      radial: region.centre.map((x) => Number(x.toPrecision(6))).join(","),
      weight: "masses",
      x_bins: PROFILE_BINS,
      x_range: `${Number((outer / 50).toPrecision(6))},${Number(outer.toPrecision(6))}`,
      x_log: "true",
      format: "json",
    }),
  );
  const mass = info.groups.find((group) => group.name === layer.type)?.fields.find((one) => one.name === "masses");
  const [factor, unit] = format.factored(mass?.unit?.name ?? "");
  const length = lengthUnit(info);
  const points =
    answer.state === "done"
      ? answer.value.counts.map((sum, i): [number, number] => {
          const [a, b] = [answer.value.x_edges[i] ?? 0, answer.value.x_edges[i + 1] ?? 0];
          return [Math.sqrt(a * b), (sum * factor) / ((4 / 3) * Math.PI * (b ** 3 - a ** 3))];
        })
      : [];
  return (
    <div>
      <h3>Density profile</h3>
      {answer.state === "loading" && <div className="skeleton" style={{ height: 220 }} />}
      {answer.state === "failed" && <InlineFailure failure={answer.failure} />}
      {answer.state === "done" && (
        <Curve
          points={points}
          x={{ label: `Distance from the centre [${format.unit(length)}]`, log: true }}
          y={{ label: `Density [${format.unit(`${unit}/${length}**3`)}]`, log: true }}
          describe="Density about the centre of the sphere"
        />
      )}
    </div>
  );
}
