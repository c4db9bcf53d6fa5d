// The explorer's state is its address: what is shown, where, and what is selected, under the names that the API has for them.

import { AXES, COLOURS, type Axis, type Layer, PLANES } from "../../lib/pictures";
import type { Place } from "../../lib/router";
import { type Info, pictureType } from "../../lib/swift";

export type Region =
  | { kind: "box"; /** Three pairs; null is open. */ sides: (number | null)[] }
  | { kind: "sphere"; centre: [number, number, number]; radius: number };

export interface Explored {
  layer: Layer;
  region: Region | null;
  /** The path of the catalogue whose halos are shown. */
  catalogue: string | null;
  at: { u: number; v: number; zoom: number } | null;
}

export function explored(place: Place, info: Info): Explored {
  const { params } = place;
  const numbers = (name: string) => (params.get(name) ?? "").split(",").map((text) => (text.trim() === "" ? null : Number(text)));
  const type = params.get("type") ?? pictureType(info)?.name ?? "gas";
  const axis = AXES.find((one) => one === params.get("axis")) ?? "z";
  const depth = numbers("depth");
  const at = numbers("at");
  return {
    layer: {
      type,
      field: params.get("field") ?? "",
      weight: params.get("weight") ?? "",
      axis,
      depth: isPair(depth) ? depth : null,
      colours: COLOURS.find((one) => one === params.get("colours")) ?? (type === "gas" ? "inferno" : "magma"),
    },
    region: regionOf(numbers("box"), numbers("sphere")),
    catalogue: params.get("halos"),
    at: at.length === 3 && at.every(isNumber) ? { u: at[0]!, v: at[1]!, zoom: at[2]! } : null,
  };
}

const isNumber = (value: number | null): value is number => value !== null && Number.isFinite(value);
const isPair = (values: (number | null)[]): values is [number, number] => values.length === 2 && values.every(isNumber);

function regionOf(box: (number | null)[], sphere: (number | null)[]): Region | null {
  if (box.length === 6 && box.every((side) => side === null || isNumber(side))) return { kind: "box", sides: box };
  const [x, y, z, radius] = sphere;
  if (sphere.length === 4 && isNumber(x!) && isNumber(y!) && isNumber(z!) && isNumber(radius!)) return { kind: "sphere", centre: [x, y, z], radius };
  return null;
}

/** Six digits place anything in a picture, and keep addresses short. */
const short = (x: number) => String(Number(x.toPrecision(6)));

export function regionParams(region: Region | null): { box: string | undefined; sphere: string | undefined } {
  if (!region) return { box: undefined, sphere: undefined };
  if (region.kind === "box") return { box: region.sides.map((side) => (side === null ? "" : short(side))).join(","), sphere: undefined };
  return { box: undefined, sphere: [...region.centre, region.radius].map(short).join(",") };
}

export function atParam(at: { u: number; v: number; zoom: number }): string {
  return [short(at.u), short(at.v), String(Number(at.zoom.toFixed(2)))].join(",");
}

/** A drawn rectangle, as deep as the layer. */
export function drawnBox(layer: Layer, u: [number, number], v: [number, number]): Region {
  const [right, up, along] = PLANES[layer.axis];
  const sides: (number | null)[] = [null, null, null, null, null, null];
  const set = (axis: number, [low, high]: [number, number]) => {
    sides[2 * axis] = low;
    sides[2 * axis + 1] = high;
  };
  set(right, u);
  set(up, v);
  if (layer.depth) set(along, layer.depth);
  return { kind: "box", sides };
}

/** A drawn circle: a sphere in the middle of what the layer shows. */
export function drawnSphere(layer: Layer, box: number[], u: number, v: number, radius: number): Region {
  const [right, up, along] = PLANES[layer.axis];
  const centre: [number, number, number] = [0, 0, 0];
  centre[right] = u;
  centre[up] = v;
  centre[along] = layer.depth ? (layer.depth[0] + layer.depth[1]) / 2 : (box[along] ?? 0) / 2;
  return { kind: "sphere", centre, radius };
}

export type { Axis };
