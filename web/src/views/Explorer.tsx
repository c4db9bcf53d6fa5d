import { useEffect, useMemo, useRef, useState } from "react";
import { Failure } from "../lib/api";
import * as format from "../lib/format";
import { type Dimension, PLANES, tileUrl } from "../lib/pictures";
import { href, type Place, setParams } from "../lib/router";
import { type Info, leaf, lengthUnit, particleGroups, pictureType, redshiftText, useInfo } from "../lib/swift";
import { Crumbs } from "../parts/Crumbs";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { FailureNotice, Notice } from "../parts/Notice";
import "../styles/explorer.css";
import { HaloPanel } from "./explorer/HaloPanel";
import { type CatalogueHalo, massText, useCatalogues, useHalos } from "./explorer/halos";
import { LayerPanel } from "./explorer/LayerPanel";
import { BoxMap, type Shape, type Tool } from "./explorer/map";
import { RegionPanel } from "./explorer/RegionPanel";
import { atParam, drawnBox, drawnSphere, explored, type Region, regionParams } from "./explorer/state";

export default function Explorer({ place }: { place: Place }) {
  const info = useInfo(place.path);
  if (info.state === "failed")
    return (
      <div className="narrow">
        <FailureNotice failure={info.failure} path={place.path} what="file" />
      </div>
    );
  if (info.state === "loading") return <div className="skeleton" style={{ height: "70vh", borderRadius: 0 }} role="status" aria-label="Loading" />;
  if (!pictureType(info.value))
    return (
      <div className="narrow">
        <Crumbs path={place.path} />
        <Notice title="There are no particles to show in this file">
          <p>Only snapshots can be explored on the map. If this is a catalogue, open the snapshot that it belongs to: its halos are shown there.</p>
          <Link className="button" href={href("file", place.path)}>
            What this file holds
          </Link>
        </Notice>
      </div>
    );
  return <Shown info={info.value} place={place} />;
}

function Shown({ info, place }: { info: Info; place: Place }) {
  const state = useMemo(() => explored(place, info), [place, info]);
  const { layer, region } = state;
  const box = info.header?.box_size ?? [1, 1, 1];
  const unit = format.unit(lengthUnit(info));
  const [right, up] = PLANES[layer.axis];
  const catalogues = useCatalogues(info);
  const known = catalogues.state === "done" ? catalogues.value : [];
  const catalogue = state.catalogue === "none" ? undefined : (known.find((one) => one.path === state.catalogue) ?? known[0]);
  const halos = useHalos(catalogue);
  const chosen = place.params.get("halo") === null ? null : Number(place.params.get("halo"));
  const [tool, setTool] = useState<Tool>("pan");
  const [failure, setFailure] = useState<Failure | null>(null);
  const [pointed, setPointed] = useState<{ u: number; v: number } | null>(null);
  const [unitsPerPixel, setUnitsPerPixel] = useState(0);
  const element = useRef<HTMLDivElement>(null);
  const map = useRef<BoxMap | null>(null);

  const setRegion = (to: Region, more: Record<string, string> = {}) => setParams({ ...regionParams(to), halo: "", ...more });
  const choose = (halo: CatalogueHalo, options: { fly: boolean }) => {
    setRegion({ kind: "sphere", centre: halo.centre, radius: halo.radius }, { halo: String(halo.id) });
    if (options.fly) map.current?.goToCircle(halo.centre[right], halo.centre[up], halo.radius);
  };
  // The map lives longer than a rendering: it calls what is current.
  const events = useRef({ drawn: (_: Shape) => {}, picked: (_: number) => {} });
  events.current = {
    drawn: (shape) => {
      setTool("pan");
      setRegion(shape.kind === "box" ? drawnBox(layer, shape.u, shape.v) : drawnSphere(layer, box, shape.u, shape.v, shape.radius));
    },
    picked: (id) => {
      const halo = halos.state === "done" ? halos.value.halos.find((one) => one.id === id) : undefined;
      if (halo) choose(halo, { fly: false });
    },
  };

  useEffect(() => {
    if (!element.current) return;
    const made = new BoxMap(
      element.current,
      { u: box[right] ?? 1, v: box[up] ?? 1 },
      {
        moved: (at) => {
          setUnitsPerPixel(made.unitsPerPixel());
          setParams({ at: atParam(at) });
        },
        drawn: (shape) => events.current.drawn(shape),
        picked: (id) => events.current.picked(id),
        pointed: setPointed,
        failed: (error) => setFailure(error instanceof Failure ? error : new Failure(0, "page", String(error))),
      },
    );
    if (state.at) made.go(state.at, { animate: false });
    setUnitsPerPixel(made.unitsPerPixel());
    map.current = made;
    const observer = new ResizeObserver(() => made.resized());
    observer.observe(element.current);
    return () => {
      observer.disconnect();
      made.remove();
      map.current = null;
    };
    // A new map for each plane; where it stands is taken from the address once.
  }, [info.path, layer.axis]);

  useEffect(() => {
    setFailure(null);
    map.current?.showTiles((z, x, y) => tileUrl(info.path, layer, z, x, y));
  }, [info.path, layer.type, layer.field, layer.weight, layer.axis, layer.colours, layer.depth?.join()]);

  useEffect(() => {
    if (halos.state !== "done") return map.current?.showHalos([], null);
    const along = PLANES[layer.axis][2];
    const shown = halos.value.halos.filter((halo) => !layer.depth || (halo.centre[along] + halo.radius > layer.depth[0] && halo.centre[along] - halo.radius < layer.depth[1]));
    map.current?.showHalos(
      shown.map((halo) => ({ id: halo.id, u: halo.centre[right], v: halo.centre[up], radius: halo.radius, label: `Halo ${halo.id} · ${massText(halo, halos.value)}` })),
      chosen,
    );
  }, [halos.state, catalogue?.path, layer.axis, layer.depth?.join(), chosen]);

  useEffect(() => map.current?.showShape(region && shapeOf(region, right, up, box)), [region && JSON.stringify(region), layer.axis]);
  useEffect(() => map.current?.setTool(tool), [tool, layer.axis]);

  return (
    <div className="explorer">
      <section className="map-side" aria-label="Map">
        <div ref={element} className="map" data-testid="map" role="application" aria-label={`${format.title(layer.type)} of ${leaf(info.path)}: drag or use the arrow keys to move, plus and minus to zoom`} />
        <div className="map-tools" role="group" aria-label="Tools">
          {(
            [
              ["pan", "map", "Move the map"],
              ["box", "box", "Draw a box"],
              ["circle", "circle", "Draw a circle"],
            ] as const
          ).map(([name, icon, text]) => (
            <button key={name} type="button" className="tool" aria-pressed={tool === name} aria-label={text} title={text} onClick={() => setTool(name)}>
              <Icon name={icon} />
              <span>{{ pan: "Move", box: "Box", circle: "Circle" }[name]}</span>
            </button>
          ))}
        </div>
        <div className="map-foot">
          <ScaleBar unitsPerPixel={unitsPerPixel} unit={unit} />
          <span className="map-place" aria-hidden="true">
            {pointed ? `${"xyz"[right]} ${format.number(pointed.u, 4)}  ${"xyz"[up]} ${format.number(pointed.v, 4)} ${unit}` : [redshiftText(info), leaf(info.path)].filter(Boolean).join(" · ")}
          </span>
        </div>
        {failure && (
          <p className="map-failure" role="alert">
            {failure.detail}
          </p>
        )}
      </section>
      <aside className="side" aria-label="Controls">
        <header className="side-head">
          <Crumbs path={info.path} />
          <h1>{leaf(info.path)}</h1>
        </header>
        <Section title="Show" isOpen>
          <LayerPanel info={info} layer={layer} />
        </Section>
        <Section title="Region" isOpen>
          {region ? (
            <RegionPanel info={info} layer={layer} region={region} />
          ) : (
            <div className="stack">
              <p className="muted small">Draw a box or a circle on the map, or click a halo, to count, plot and download what lies in it.</p>
              <button type="button" className="button small" onClick={() => setRegion(visibleBox(map.current, layer, box, right, up))}>
                Take what the map shows
              </button>
            </div>
          )}
        </Section>
        <Section title="Halos" isOpen>
          <HaloPanel info={info} catalogues={known} catalogue={catalogue} halos={halos} chosen={chosen} choose={(halo) => choose(halo, { fly: true })} />
        </Section>
        <p className="side-foot muted small">
          {particleGroups(info)
            .map((group) => `${format.title(group.name)} ${format.count(group.n_rows)}`)
            .join(" · ")}
        </p>
      </aside>
    </div>
  );
}

function Section({ title, children, isOpen }: { title: string; children: React.ReactNode; isOpen: boolean }) {
  return (
    <details className="side-section" open={isOpen}>
      <summary>
        <h2>{title}</h2>
      </summary>
      <div className="inside">{children}</div>
    </details>
  );
}

function shapeOf(region: Region, right: Dimension, up: Dimension, box: number[]): Shape {
  if (region.kind === "sphere") return { kind: "circle", u: region.centre[right], v: region.centre[up], radius: region.radius };
  const side = (axis: number): [number, number] => [region.sides[2 * axis] ?? 0, region.sides[2 * axis + 1] ?? box[axis] ?? 1];
  return { kind: "box", u: side(right), v: side(up) };
}

function visibleBox(map: BoxMap | null, layer: Parameters<typeof drawnBox>[0], box: number[], right: number, up: number): Region {
  const shown = map?.shown() ?? { u: [0, box[right] ?? 1], v: [0, box[up] ?? 1] };
  const inside = ([low, high]: [number, number], side: number): [number, number] => [Math.max(0, low), Math.min(side, high)];
  return drawnBox(layer, inside(shown.u as [number, number], box[right] ?? 1), inside(shown.v as [number, number], box[up] ?? 1));
}

function ScaleBar({ unitsPerPixel, unit }: { unitsPerPixel: number; unit: string }) {
  if (!unitsPerPixel) return null;
  const most = 130 * unitsPerPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = power * ([5, 2, 1].find((step) => step * power <= most) ?? 1);
  const isSmall = unit === "Mpc" && length < 1;
  return (
    <span className="scale-bar" aria-label="Scale">
      <span style={{ width: length / unitsPerPixel }} />
      {isSmall ? `${format.number(length * 1000, 3)} kpc` : `${format.number(length, 3)} ${unit}`}
    </span>
  );
}
