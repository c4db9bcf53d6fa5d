// The map: Leaflet with the box's own coordinates. It knows pictures and shapes, nothing of files.

import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import { ask } from "../../lib/api";

export type Tool = "pan" | "box" | "circle";

export interface Halo {
  id: number;
  /** Position in the plane of the picture. */
  u: number;
  v: number;
  radius: number;
  label: string;
}

export type Shape = { kind: "box"; u: [number, number]; v: [number, number] } | { kind: "circle"; u: number; v: number; radius: number };

export interface MapEvents {
  moved(at: { u: number; v: number; zoom: number }): void;
  drawn(shape: Shape): void;
  picked(id: number): void;
  pointed(at: { u: number; v: number } | null): void;
  failed(error: unknown): void;
}

/** Halos of a smaller radius are left out, but for the heaviest: circles would hide the picture. */
const MIN_HALO_PIXELS = 11;
const ALWAYS_SHOWN = 25;
const TILE = 256;
const MAX_ZOOM = 12;
/** Deeper levels enlarge these. */
const MAX_TILE_ZOOM = 10;

export class BoxMap {
  private readonly map: L.Map;
  private tiles: L.GridLayer | null = null;
  private readonly halos = L.layerGroup();
  private shape: L.Layer | null = null;
  private known: { halos: Halo[]; chosen: number | null } = { halos: [], chosen: null };
  private tool: Tool = "pan";
  private readonly bounds: L.LatLngBounds;

  constructor(
    element: HTMLElement,
    private readonly sides: { u: number; v: number },
    private readonly events: MapEvents,
  ) {
    const scale = TILE / Math.max(sides.u, sides.v);
    // The first row of tiles begins at the upper edge of the box.
    const crs = L.extend({}, L.CRS.Simple, { transformation: L.transformation(scale, 0, -scale, scale * sides.v) }) as L.CRS;
    this.bounds = L.latLngBounds([0, 0], [sides.v, sides.u]);
    this.map = L.map(element, {
      crs,
      attributionControl: false,
      preferCanvas: true,
      maxBounds: this.bounds.pad(0.5),
      minZoom: 0,
      maxZoom: MAX_ZOOM,
      zoomSnap: 0.25,
      zoomDelta: 1,
      wheelPxPerZoomLevel: 120,
      zoomControl: false,
    });
    L.control.zoom({ position: "topright" }).addTo(this.map);
    this.map.fitBounds(this.bounds, { padding: [8, 8], animate: false });
    this.map.setMinZoom(Math.min(0, this.map.getZoom()));
    this.halos.addTo(this.map);
    this.map.on("zoomend", () => this.drawHalos());
    this.map.on("moveend", () => events.moved(this.at()));
    this.map.on("mousemove", (event) => events.pointed(this.isInside(event.latlng) ? { u: event.latlng.lng, v: event.latlng.lat } : null));
    this.map.on("mouseout", () => events.pointed(null));
    this.listenForDrawing(element);
  }

  at() {
    const centre = this.map.getCenter();
    return { u: centre.lng, v: centre.lat, zoom: this.map.getZoom() };
  }

  go(at: { u: number; v: number; zoom: number }, options: { animate: boolean }) {
    this.map.setView([at.v, at.u], at.zoom, { animate: options.animate });
  }

  /** Shows a circle about a place, with something of what lies around it. */
  goToCircle(u: number, v: number, radius: number) {
    this.map.flyToBounds(L.latLngBounds([v - 4 * radius, u - 4 * radius], [v + 4 * radius, u + 4 * radius]), { duration: 0.8, maxZoom: MAX_TILE_ZOOM });
  }

  /** How many of the box's units a pixel spans. */
  unitsPerPixel(): number {
    return Math.max(this.sides.u, this.sides.v) / (TILE * 2 ** this.map.getZoom());
  }

  /** What of the plane is visible. */
  shown(): { u: [number, number]; v: [number, number] } {
    const bounds = this.map.getBounds();
    return { u: [bounds.getWest(), bounds.getEast()], v: [bounds.getSouth(), bounds.getNorth()] };
  }

  showTiles(addressOf: (z: number, x: number, y: number) => string) {
    const before = this.tiles;
    const { events } = this;
    const Tiles = L.GridLayer.extend({
      createTile(coords: L.Coords, done: L.DoneCallback) {
        const image = document.createElement("img");
        image.alt = "";
        const abort = new AbortController();
        (image as HTMLImageElement & { abort: AbortController }).abort = abort;
        inTurn(() => ask(addressOf(coords.z, coords.x, coords.y), { signal: abort.signal }), abort.signal)
          .then((answer) => answer.blob())
          .then((blob) => {
            const address = URL.createObjectURL(blob);
            image.onload = () => {
              URL.revokeObjectURL(address);
              done(undefined, image);
            };
            image.src = address;
          })
          .catch((error: unknown) => {
            if (abort.signal.aborted) return;
            events.failed(error);
            done(error instanceof Error ? error : new Error(String(error)), image);
          });
        return image;
      },
    }) as unknown as new (options: L.GridLayerOptions) => L.GridLayer;
    this.tiles = new Tiles({ tileSize: TILE, bounds: this.bounds, noWrap: true, minZoom: -4, minNativeZoom: 0, maxNativeZoom: MAX_TILE_ZOOM, maxZoom: MAX_ZOOM, keepBuffer: 1, updateWhenZooming: false });
    // Between whole zoom levels, rounding would leave hairlines between tiles.
    this.tiles.on("tileloadstart", (event) => {
      event.tile.style.width = event.tile.style.height = `${TILE + 1}px`;
    });
    this.tiles.on("tileunload", (event) => (event.tile as HTMLElement & { abort?: AbortController }).abort?.abort());
    this.tiles.addTo(this.map);
    if (!before) return;
    // What was shown stays until the new is there.
    const remove = () => before.remove();
    this.tiles.once("load", remove);
    setTimeout(remove, 4000);
  }

  /** Shows halos, given the heaviest first; of the others those that are large enough where the map stands. */
  showHalos(halos: Halo[], chosen: number | null) {
    this.known = { halos, chosen };
    this.drawHalos();
  }

  private drawHalos() {
    const { halos, chosen } = this.known;
    const smallest = MIN_HALO_PIXELS * this.unitsPerPixel();
    this.halos.clearLayers();
    for (const [rank, halo] of halos.entries()) {
      const isChosen = halo.id === chosen;
      if (!isChosen && rank >= ALWAYS_SHOWN && halo.radius < smallest) continue;
      L.circle([halo.v, halo.u], {
        radius: halo.radius,
        color: isChosen ? "#ffffff" : "#9fd4ff",
        weight: isChosen ? 2.5 : 1.1,
        opacity: isChosen ? 1 : 0.75,
        fillOpacity: isChosen ? 0.12 : 0.03,
        fillColor: "#9fd4ff",
      })
        .bindTooltip(halo.label, { className: "halo-tip", sticky: true, direction: "top", opacity: 1 })
        .on("click", () => this.tool === "pan" && this.events.picked(halo.id))
        .addTo(this.halos);
    }
  }

  showShape(shape: Shape | null) {
    this.shape?.remove();
    this.shape = shape && layerOf(shape).addTo(this.map);
  }

  setTool(tool: Tool) {
    this.tool = tool;
    this.map.getContainer().classList.toggle("is-drawing", tool !== "pan");
    if (tool === "pan") this.map.dragging.enable();
    else this.map.dragging.disable();
  }

  resized() {
    this.map.invalidateSize();
  }

  remove() {
    this.map.remove();
  }

  private isInside(at: L.LatLng) {
    return this.bounds.contains(at);
  }

  private listenForDrawing(element: HTMLElement) {
    let from: L.LatLng | null = null;
    const place = (event: PointerEvent) => this.map.mouseEventToLatLng(event);
    const shapeTo = (start: L.LatLng, to: L.LatLng): Shape =>
      this.tool === "circle"
        ? { kind: "circle", u: start.lng, v: start.lat, radius: Math.hypot(to.lng - start.lng, to.lat - start.lat) }
        : { kind: "box", u: [Math.min(start.lng, to.lng), Math.max(start.lng, to.lng)], v: [Math.min(start.lat, to.lat), Math.max(start.lat, to.lat)] };
    element.addEventListener("pointerdown", (event) => {
      if (this.tool === "pan" || event.button !== 0 || (event.target as Element).closest(".leaflet-control")) return;
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      from = place(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (from) this.showShape(shapeTo(from, place(event)));
    });
    element.addEventListener("pointerup", (event) => {
      if (!from) return;
      const shape = shapeTo(from, place(event));
      from = null;
      const size = shape.kind === "circle" ? shape.radius : Math.min(shape.u[1] - shape.u[0], shape.v[1] - shape.v[0]);
      if (size > 2 * this.unitsPerPixel()) this.events.drawn(shape);
    });
    element.addEventListener("pointercancel", () => {
      from = null;
    });
  }
}

function layerOf(shape: Shape): L.Path {
  const style: L.PathOptions = { color: "#ffb454", weight: 2, fillColor: "#ffb454", fillOpacity: 0.1, dashArray: "6 4", interactive: false };
  if (shape.kind === "circle") return L.circle([shape.v, shape.u], { ...style, radius: shape.radius });
  return L.rectangle([[shape.v[0], shape.u[0]], [shape.v[1], shape.u[1]]], style);
}

/** Tiles that are asked for at once: a server has as many permits for a few such maps. */
const MAX_TILES_AT_ONCE = 4;
let nRunning = 0;
const waiting: (() => void)[] = [];

/** Runs what is asked for when its turn comes, unless it was called off by then. */
async function inTurn<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (nRunning >= MAX_TILES_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  nRunning++;
  try {
    signal.throwIfAborted();
    return await run();
  } finally {
    nRunning--;
    waiting.shift()?.();
  }
}
