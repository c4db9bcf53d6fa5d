// What /v1/list and /v1/info say.

import { askJson, url, useJson } from "./api";
import * as format from "./format";

export interface Entry {
  name: string;
  kind: "file" | "folder";
  size_bytes?: number;
  modified_s?: number;
}

export interface Listing {
  path: string;
  entries: Entry[];
}

export interface Unit {
  name: string;
  cgs: number;
  dimensions: Record<string, number>;
}

export interface Field {
  path: string;
  name: string;
  dtype: unknown;
  shape: number[];
  unit: Unit | null;
  a_exponent: number | null;
  frame: string | null;
  description: string | null;
  lossy_filter: string | null;
  named_columns: { names: string[]; stored: string[] } | null;
}

export interface Group {
  group: string;
  name: string;
  particle_type: number | null;
  present: boolean;
  n_rows: number;
  n_rows_total: number | null;
  fields: Field[];
}

export interface Header {
  code: string | null;
  run_name: string | null;
  system: string | null;
  snapshot_date: string | null;
  output_type: string | null;
  select_output: string | null;
  box_size: number[] | null;
  dimension: number | null;
  redshift: number | null;
  scale_factor: number | null;
  time: number | null;
  n_files_per_snapshot: number | null;
  is_virtual: boolean | null;
  n_groups_total: number | null;
  n_subhalos_total: number | null;
}

export interface Info {
  path: string;
  size_bytes: number;
  modified_s: number | null;
  kind: string | { other: string };
  distribution: { form: string } & Record<string, unknown>;
  header: Header | null;
  units: { names: Record<string, string> } | null;
  cosmology: Record<string, unknown> | null;
  groups: Group[];
}

export const useInfo = (path: string | null) => useJson<Info>(path === null ? null : url("v1/info", path));
export const useListing = (path: string) => useJson<Listing>(url("v1/list", path));
export const askInfo = (path: string) => askJson<Info>(url("v1/info", path));
export const askListing = (path: string) => askJson<Listing>(url("v1/list", path));

export const join = (folder: string, name: string) => (folder ? `${folder}/${name}` : name);
export const parent = (path: string) => path.split("/").slice(0, -1).join("/");
export const leaf = (path: string) => path.split("/").at(-1) ?? path;

const KINDS: Record<string, string> = {
  snapshot: "Snapshot",
  subsampled: "Subsampled snapshot",
  fof_catalogue: "FOF catalogue",
  soap_catalogue: "SOAP catalogue",
  line_of_sight: "Lines of sight",
  not_swift: "HDF5 file",
};

export function kindName(kind: Info["kind"]): string {
  return typeof kind === "string" ? (KINDS[kind] ?? format.title(kind)) : kind.other;
}

export const isSnapshot = (info: Info) => info.kind === "snapshot" || info.kind === "subsampled";
export const isCatalogue = (info: Info) => info.kind === "fof_catalogue" || info.kind === "soap_catalogue";
export const isCosmological = (info: Info) => info.cosmology?.cosmological_run === true;

/** Particle types that have particles, the most telling first. */
export function particleGroups(info: Info): Group[] {
  return info.groups.filter((group) => group.particle_type !== null && group.n_rows > 0);
}

export const lengthUnit = (info: Info) => info.units?.names.length ?? "";

export function boxText(info: Info): string | null {
  const box = info.header?.box_size?.slice(0, info.header.dimension ?? 3);
  if (!box?.length) return null;
  const unit = format.unit(lengthUnit(info));
  const isCube = box.every((side) => Math.abs(side - (box[0] ?? 0)) < 1e-9 * side);
  return `${isCube ? format.number(box[0] ?? 0) : box.map((side) => format.number(side)).join(" × ")} ${unit}`.trim();
}

export function redshiftText(info: Info): string | null {
  const z = info.header?.redshift;
  return isCosmological(info) && z !== null && z !== undefined ? `z = ${format.redshift(z)}` : null;
}

export function nRows(info: Info): number {
  if (isCatalogue(info)) return info.header?.n_subhalos_total ?? info.header?.n_groups_total ?? info.groups[0]?.n_rows ?? 0;
  return particleGroups(info).reduce((sum, group) => sum + group.n_rows, 0);
}

export function countText(info: Info): string | null {
  if (isCatalogue(info)) return format.plural(nRows(info), info.kind === "soap_catalogue" ? "halo" : "group");
  return nRows(info) > 0 ? format.plural(nRows(info), "particle") : null;
}

/** The type that a picture shows best. */
export function pictureType(info: Info): Group | undefined {
  const groups = particleGroups(info).filter((group) => group.fields.some((field) => field.name === "coordinates"));
  return groups.find((group) => group.name === "gas") ?? groups.find((group) => group.name === "dark_matter") ?? groups[0];
}

export function fieldUnit(field: Field): string {
  return field.unit ? format.unit(field.unit.name) : "";
}

const ITEM_BYTES = /(\d+)$/;
/** Bytes of the values when they are read, not as they are compressed in the file. */
export function fieldBytes(field: Field): number | null {
  const size = typeof field.dtype === "string" ? ITEM_BYTES.exec(field.dtype)?.[1] : undefined;
  return size ? field.shape.reduce((product, n) => product * n, Number(size)) : null;
}

const DTYPES: Record<string, string> = { f: "float", i: "int", u: "uint" };
export function dtypeText(dtype: unknown): string {
  const found = typeof dtype === "string" ? /^[<>|]([a-zA-Z])(\d+)$/.exec(dtype) : null;
  const kind = found && DTYPES[found[1] ?? ""];
  if (found && kind) return `${kind}${Number(found[2]) * 8}`;
  return typeof dtype === "string" ? dtype.replace(/^[<>|]/, "") : Array.isArray(dtype) ? "record" : "?";
}
