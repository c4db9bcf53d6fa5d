import { useEffect, useRef, useState } from "react";
import { ask, Failure } from "../lib/api";
import * as format from "../lib/format";
import { readNpz } from "../lib/npz";
import { href, type Place, setParams } from "../lib/router";
import { selectUrl } from "../lib/snippets";
import { type Field, type Group, type Info, leaf, lengthUnit, particleGroups, pictureType, useInfo } from "../lib/swift";
import { Crumbs } from "../parts/Crumbs";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { FailureNotice, InlineFailure, Notice } from "../parts/Notice";
import { Picture } from "../parts/Picture";
import { colour } from "../parts/Plot";
import "../styles/explorer.css";
import { massText, useCatalogues, useHalos } from "./explorer/halos";
import { PointScene } from "./points/scene";

/** More points than this make no picture richer, and slow ones slower. */
const MAX_POINTS = 1_000_000;
/** The first picture has about as many. */
const FIRST_POINTS = 20_000;
const SHOWN_HALOS = 10;

export default function PointsView({ place }: { place: Place }) {
  const info = useInfo(place.path);
  if (info.state === "failed")
    return (
      <div className="narrow">
        <FailureNotice failure={info.failure} path={place.path} what="file" />
      </div>
    );
  if (info.state === "loading") return <div className="skeleton" style={{ height: "70vh", borderRadius: 0 }} role="status" aria-label="Loading" />;
  if (!pictureType(info.value) || info.value.header?.dimension === 2)
    return (
      <div className="narrow">
        <Crumbs path={place.path} />
        <Notice title="There is nothing to show in three dimensions">
          <p>Only snapshots of three-dimensional simulations are shown as points.</p>
          <Link className="button" href={href("file", place.path)}>
            What this file holds
          </Link>
        </Notice>
      </div>
    );
  return <Shown info={info.value} place={place} />;
}

const isScalar = (field: Field) => field.shape.length === 1 && typeof field.dtype === "string" && /^<f[48]$/.test(field.dtype);

/** Fractions from coarse to fine: each contains all points of those before. */
function fractions(nRows: number): number[] {
  const out: number[] = [];
  for (let n = Math.min(FIRST_POINTS, nRows); ; n *= 6) {
    if (n >= Math.min(MAX_POINTS, nRows)) return [...out, Math.min(1, MAX_POINTS / nRows)];
    out.push(n / nRows);
  }
}

function Shown({ info, place }: { info: Info; place: Place }) {
  const groups = particleGroups(info).filter((group) => group.fields.some((field) => field.name === "coordinates"));
  const group = groups.find((one) => one.name === place.params.get("type")) ?? pictureType(info);
  const scalars = group?.fields.filter(isScalar) ?? [];
  const chosen = place.params.get("colour");
  const by = scalars.find((field) => field.name === chosen) ?? (chosen === "none" ? undefined : scalars.find((field) => field.name === "temperatures"));
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<PointScene | null>(null);
  const [hasGl, setHasGl] = useState(true);
  const [progress, setProgress] = useState<{ n: number; isDone: boolean }>({ n: 0, isDone: false });
  const [failure, setFailure] = useState<Failure | null>(null);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const side = info.header?.box_size ?? [1, 1, 1];
    let made: PointScene;
    try {
      made = new PointScene(element, [side[0] ?? 1, side[1] ?? 1, side[2] ?? 1]);
    } catch {
      setHasGl(false);
      return;
    }
    scene.current = made;
    const fit = () => made.resize(element.parentElement?.clientWidth ?? 0, element.parentElement?.clientHeight ?? 0);
    const observer = new ResizeObserver(fit);
    observer.observe(element.parentElement ?? element);
    fit();
    return () => {
      observer.disconnect();
      made.dispose();
      scene.current = null;
    };
  }, [info.path, hasGl]);

  useEffect(() => {
    if (!group || !scene.current) return;
    const abort = new AbortController();
    setFailure(null);
    setProgress({ n: 0, isDone: false });
    void refine(info, group, by, abort.signal, (positions, values, isDone) => {
      scene.current?.show(positions, coloursOf(positions.length / 3, values));
      setProgress({ n: positions.length / 3, isDone });
    }).catch((error: unknown) => {
      if (!abort.signal.aborted) setFailure(error instanceof Failure ? error : new Failure(0, "page", String(error)));
    });
    return () => abort.abort();
  }, [info.path, group?.name, by?.name, hasGl]);

  return (
    <div className="explorer">
      <section className="map-side" aria-label="Points">
        {hasGl ? (
          <canvas ref={canvas} className="points" tabIndex={0} data-testid="points" data-n={progress.n} role="img" aria-label={`${format.count(progress.n)} particles in the box; drag to turn, scroll to come closer, arrow keys to move`} />
        ) : (
          <div className="picture" style={{ position: "absolute", inset: 0 }}>
            <Picture info={info} pixels={1024} />
          </div>
        )}
        <div className="map-foot">
          <span role="status">
            {hasGl ? `${format.plural(progress.n, "point")}${progress.isDone ? "" : ", more to come"}` : "This browser has no WebGL: a still picture instead"}
          </span>
          <span className="map-place">{leaf(info.path)}</span>
        </div>
      </section>
      <aside className="side" aria-label="Controls">
        <header className="side-head">
          <Crumbs path={info.path} />
          <h1>{leaf(info.path)}</h1>
        </header>
        <section className="side-section">
          <div className="inside stack" style={{ paddingTop: 16 }}>
            {failure && <InlineFailure failure={failure} />}
            <div className="controls">
              <label className="field-label">
                Matter
                <select className="select" value={group?.name} onChange={(event) => setParams({ type: event.target.value, colour: "" })}>
                  {groups.map((one) => (
                    <option key={one.name} value={one.name}>
                      {format.title(one.name)}
                    </option>
                  ))}
                </select>
              </label>
              <label className="field-label">
                Colour
                <select className="select" value={by?.name ?? "none"} onChange={(event) => setParams({ colour: event.target.value })}>
                  <option value="none">One colour</option>
                  {scalars.map((field) => (
                    <option key={field.name} value={field.name}>
                      {format.title(field.name)}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <div className="row">
              <button type="button" className="button small" onClick={() => scene.current?.home()}>
                <Icon name="home" /> The whole box
              </button>
              <Link className="button small" href={href("explore", info.path, { type: group?.name })}>
                <Icon name="map" /> On the map
              </Link>
            </div>
          </div>
        </section>
        <section className="side-section">
          <div className="inside" style={{ paddingTop: 16 }}>
            <h2 style={{ fontSize: 15, marginBottom: 10 }}>Go to a halo</h2>
            <HaloJumps info={info} jump={(centre, radius) => scene.current?.goTo(centre, radius)} />
          </div>
        </section>
      </aside>
    </div>
  );
}

function HaloJumps({ info, jump }: { info: Info; jump: (centre: [number, number, number], radius: number) => void }) {
  const catalogues = useCatalogues(info);
  const halos = useHalos(catalogues.state === "done" ? catalogues.value[0] : undefined);
  if (catalogues.state === "done" && catalogues.value.length === 0) return <p className="muted small">No FOF or SOAP catalogue of this snapshot lies beside it.</p>;
  if (halos.state !== "done") return null;
  return (
    <table className="table compact">
      <thead>
        <tr>
          <th>Id</th>
          <th className="end">Mass</th>
          <th className="end">Radius</th>
        </tr>
      </thead>
      <tbody>
        {halos.value.halos.slice(0, SHOWN_HALOS).map((halo) => (
          <tr key={halo.id}>
            <td>
              <button type="button" className="link" aria-label={`Go to halo ${halo.id}`} onClick={() => jump(halo.centre, halo.radius)}>
                {halo.id}
              </button>
            </td>
            <td className="end nowrap">{massText(halo, halos.value)}</td>
            <td className="end nowrap">{format.quantity(halo.radius, lengthUnit(info), 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type Show = (positions: Float32Array, values: Float32Array | null, isDone: boolean) => void;

async function refine(info: Info, group: Group, by: Field | undefined, signal: AbortSignal, show: Show) {
  const names = [`${group.name}.coordinates`, ...(by ? [`${group.name}.${by.name}`] : [])];
  const steps = fractions(group.n_rows);
  for (const [index, fraction] of steps.entries()) {
    const selection = { fields: names.join(","), ...(fraction < 1 ? { sample: fraction.toPrecision(6) } : {}) };
    const answer = await ask(selectUrl(info.path, selection, { format: "npz" }), { signal });
    const arrays = readNpz(await answer.arrayBuffer());
    const positions = arrays.get(names[0] ?? "")?.values;
    if (signal.aborted || !positions) return;
    show(positions, (by && arrays.get(names[1] ?? "")?.values) ?? null, index === steps.length - 1);
  }
}

/** By the rank of the logarithm between the 2nd and the 99th percentile. */
function coloursOf(n: number, values: Float32Array | null): Float32Array {
  const colours = new Float32Array(3 * n);
  if (!values) {
    for (let i = 0; i < n; i++) colours.set([0.55, 0.75, 1], 3 * i);
    return colours;
  }
  const logs = values.map((value) => (value > 0 ? Math.log10(value) : NaN));
  const sorted = logs.filter((value) => !Number.isNaN(value)).sort();
  const [low, high] = [sorted[Math.floor(0.02 * sorted.length)] ?? 0, sorted[Math.floor(0.99 * sorted.length)] ?? 1];
  for (let i = 0; i < n; i++) {
    const value = logs[i] ?? NaN;
    const t = Number.isNaN(value) ? 0 : (value - low) / (high - low || 1);
    const [r, g, b] = colour(0.12 + 0.88 * t);
    colours.set([r / 255, g / 255, b / 255], 3 * i);
  }
  return colours;
}
