// Halos of a FOF or SOAP catalogue that belongs to a snapshot.

import { ask, useAsked } from "../../lib/api";
import * as format from "../../lib/format";
import { selectUrl } from "../../lib/snippets";
import { askInfo, askListing, type Info, isCatalogue, join, parent } from "../../lib/swift";

export interface CatalogueHalo {
  id: number;
  centre: [number, number, number];
  radius: number;
  /** In the unit of `Halos`. */
  mass: number;
}

export interface Halos {
  /** The heaviest first. */
  halos: CatalogueHalo[];
  massUnit: string;
  /** More rows than are shown. */
  nTotal: number;
}

/** More circles than this are no picture any more. */
const SHOWN_HALOS = 3000;
/** What is asked for, to find the heaviest among. */
const ASKED_HALOS = 20_000;

interface Columns {
  id: string;
  centre: string;
  radius: string;
  mass: string;
}

const COLUMNS: Record<string, Columns[]> = {
  fof_catalogue: [{ id: "/Groups/GroupIDs", centre: "/Groups/Centres", radius: "/Groups/Radii", mass: "/Groups/Masses" }],
  soap_catalogue: ["200_crit", "200_mean", "500_crit", "BN98"].map((overdensity) => ({
    id: "/InputHalos/HaloCatalogueIndex",
    centre: "/InputHalos/HaloCentre",
    radius: `/SO/${overdensity}/SORadius`,
    mass: `/SO/${overdensity}/TotalMass`,
  })),
};

function columnsOf(info: Info): Columns | undefined {
  const paths = new Set(info.groups.flatMap((group) => group.fields.map((field) => field.path)));
  return COLUMNS[String(info.kind)]?.find((columns) => Object.values(columns).every((path: string) => paths.has(path)));
}

/** Catalogues beside a snapshot, of the same box at the same time. */
export function useCatalogues(snapshot: Info) {
  return useAsked(`catalogues of ${snapshot.path}`, async () => {
    const folder = parent(snapshot.path);
    const listing = await askListing(folder);
    const names = listing.entries.filter((entry) => entry.kind === "file" && /fof|soap|halo|group|cat/i.test(entry.name)).slice(0, 200);
    const infos = await Promise.all(names.map((entry) => askInfo(join(folder, entry.name)).catch(() => null)));
    return infos.filter((info): info is Info => info !== null && isCatalogue(info) && columnsOf(info) !== undefined && belongs(info, snapshot));
  });
}

function belongs(catalogue: Info, snapshot: Info): boolean {
  const [a, b] = [catalogue.header, snapshot.header];
  if (!a || !b) return false;
  const isClose = (x: number | null | undefined, y: number | null | undefined) => Math.abs((x ?? 0) - (y ?? 0)) <= 1e-6 * Math.max(Math.abs(x ?? 0), Math.abs(y ?? 0), 1e-9);
  return isClose(a.scale_factor, b.scale_factor) && isClose(a.box_size?.[0], b.box_size?.[0]);
}

export function useHalos(catalogue: Info | undefined) {
  const columns = catalogue && columnsOf(catalogue);
  return useAsked(columns ? `halos of ${catalogue.path}` : null, async (): Promise<Halos> => {
    if (!catalogue || !columns) throw new Error("no catalogue");
    const fields = [columns.id, columns.centre, columns.radius, columns.mass];
    const answer = await ask(selectUrl(catalogue.path, { fields: fields.join(","), limit: String(ASKED_HALOS) }, { format: "json" }));
    const values = (await answer.json()) as Record<string, unknown[]>;
    const [ids = [], centres = [], radii = [], masses = []] = fields.map((field) => values[field]);
    const halos = ids.map((id, i) => ({ id: Number(id), centre: centres[i] as [number, number, number], radius: Number(radii[i]), mass: Number(masses[i]) }));
    halos.sort((a, b) => b.mass - a.mass);
    const group = catalogue.groups.find((one) => one.fields.some((field) => field.path === columns.id));
    const mass = catalogue.groups.flatMap((one) => one.fields).find((field) => field.path === columns.mass);
    return { halos: halos.slice(0, SHOWN_HALOS), massUnit: mass?.unit?.name ?? "", nTotal: group?.n_rows ?? halos.length };
  });
}

export const massText = (halo: CatalogueHalo, halos: Halos) => format.quantity(halo.mass, halos.massUnit, 3);
