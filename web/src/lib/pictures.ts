// Addresses of pictures, histograms and statistics.

import { url } from "./api";

export interface Layer {
  type: string;
  /** Empty for the mass surface density. */
  field: string;
  weight: string;
  axis: Axis;
  /** Lower and upper bound along the axis; null for the whole box. */
  depth: [number, number] | null;
  colours: string;
}

export const AXES = ["x", "y", "z"] as const;
export type Axis = (typeof AXES)[number];

/** The coordinates that run to the right and upwards in a picture along an axis, and the axis itself. */
export type Dimension = 0 | 1 | 2;
export const PLANES: Record<Axis, [Dimension, Dimension, Dimension]> = { x: [1, 2, 0], y: [2, 0, 1], z: [0, 1, 2] };

export const COLOURS = ["inferno", "magma", "viridis", "cividis", "twilight"];

export function tileUrl(path: string, layer: Layer, z: number, x: number, y: number): string {
  return url("v1/tiles", `${path}/${z}/${x}/${y}.png`, {
    type: layer.type,
    field: layer.field,
    weight: layer.weight,
    axis: layer.axis,
    depth: layer.depth?.join(),
    colormap: layer.colours,
  });
}
