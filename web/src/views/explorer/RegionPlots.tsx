import { url, useJson } from "../../lib/api";
import * as format from "../../lib/format";
import type { Layer } from "../../lib/pictures";
import type { Selection } from "../../lib/snippets";
import type { Info } from "../../lib/swift";
import { type Axis, Curve, Heat } from "../../parts/Plot";
import { InlineFailure } from "../../parts/Notice";
import type { Region } from "./state";

interface Histogram2d {
  counts: number[][];
  x_edges: number[];
  y_edges: number[];
  x_unit: string | null;
  y_unit: string | null;
}

interface Profile {
  profile: (number | null)[];
  x_edges: number[];
  unit: string | null;
  x_unit: string | null;
}

type Where = Omit<Selection, "fields">;

/** The phase diagram of gas, and how mass lies about the middle, beside the map. */
export function RegionPlots({ info, layer, region, where }: { info: Info; layer: Layer; region: Region; where: Where }) {
  const names = new Set(info.groups.find((group) => group.name === layer.type)?.fields.map((field) => field.name));
  const hasPhases = names.has("densities") && names.has("temperatures");
  return (
    <>
      {hasPhases && <PhaseDiagram info={info} layer={layer} where={where} />}
      {region.kind === "sphere" && names.has("masses") && <DensityProfile info={info} layer={layer} region={region} where={where} />}
    </>
  );
}

function PhaseDiagram({ info, layer, where }: { info: Info; layer: Layer; where: Where }) {
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
  return (
    <div>
      <h3>Phase diagram</h3>
      {answer.state === "loading" && <div className="skeleton" style={{ height: 260 }} />}
      {answer.state === "failed" && <InlineFailure failure={answer.failure} />}
      {answer.state === "done" && (
        <Heat
          counts={answer.value.counts}
          x={logAxis("Density", answer.value.x_edges, answer.value.x_unit)}
          y={logAxis("Temperature", answer.value.y_edges, answer.value.y_unit)}
          describe="Mass by density and temperature"
        />
      )}
    </div>
  );
}

function logAxis(name: string, edges: number[], unitName: string | null): Axis {
  const [factor, unit] = format.factored(unitName ?? "1");
  return { label: labelled(name, unit), range: [(edges[0] ?? 1) * factor, (edges.at(-1) ?? 10) * factor], log: true };
}

const labelled = (name: string, unitName: string) => (format.unit(unitName) ? `${name} [${format.unit(unitName)}]` : name);

const PROFILE_BINS = 24;
/** Shells begin at this fraction of the radius. */
const INNERMOST = 1 / 50;

function DensityProfile({ info, layer, region, where }: { info: Info; layer: Layer; region: Region & { kind: "sphere" }; where: Where }) {
  const short = (x: number) => Number(x.toPrecision(6));
  const answer = useJson<Profile>(
    url("v1/histogram", info.path, {
      type: layer.type,
      radial: region.centre.map(short).join(","),
      x_bins: PROFILE_BINS,
      x_range: `${short(region.radius * INNERMOST)},${short(region.radius)}`,
      x_log: "true",
      ...where,
      format: "json",
    }),
  );
  return (
    <div>
      <h3>Density profile</h3>
      {answer.state === "loading" && <div className="skeleton" style={{ height: 220 }} />}
      {answer.state === "failed" && <InlineFailure failure={answer.failure} />}
      {answer.state === "done" && <ProfileCurve profile={answer.value} />}
    </div>
  );
}

function ProfileCurve({ profile }: { profile: Profile }) {
  const [factor, unit] = format.factored(profile.unit ?? "1");
  const points = profile.profile.map((value, i): [number, number] => [Math.sqrt((profile.x_edges[i] ?? 0) * (profile.x_edges[i + 1] ?? 0)), value === null ? NaN : value * factor]);
  return (
    <Curve
      points={points}
      x={{ label: labelled("Distance from the centre", profile.x_unit ?? "1"), log: true }}
      y={{ label: labelled("Density", unit), log: true }}
      describe="Density about the centre of the sphere"
    />
  );
}
