import { useEffect, useRef, useState } from "react";
import { ask, useAsked } from "../lib/api";
import { selectUrl } from "../lib/snippets";
import { type Info, isCatalogue, pictureType } from "../lib/swift";
import { url } from "../lib/api";
import { Icon } from "./Icon";

/** Loads a picture with the login, which an address in an image cannot carry. */
export async function askPicture(relative: string): Promise<string> {
  const blob = await (await ask(relative)).blob();
  return URL.createObjectURL(blob);
}

/** True once the element has come near the visible part of the page. */
export function useSeen<T extends Element>(): [React.RefObject<T>, boolean] {
  const ref = useRef<T>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!ref.current || seen) return;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: "200px" });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [seen]);
  return [ref, seen];
}

export function pictureUrl(info: Info, pixels: number): string | null {
  const type = pictureType(info);
  if (!type) return null;
  return url("v1/image", info.path, { type: type.name, pixels, colormap: type.name === "gas" ? "inferno" : "magma" });
}

/** What a file looks like: its matter in projection, or the halos of a catalogue. */
export function Picture({ info, pixels = 360 }: { info: Info; pixels?: number }) {
  if (isCatalogue(info)) return <HaloMap info={info} n={pixels > 400 ? 3000 : 500} />;
  const address = pictureUrl(info, pixels);
  return address ? <Projection address={address} alt="" /> : <Placeholder />;
}

function Projection({ address, alt }: { address: string; alt: string }) {
  const picture = useAsked(address, askPicture);
  if (picture.state === "loading") return <div className="skeleton" />;
  return picture.state === "done" ? <img src={picture.value} alt={alt} /> : <Placeholder />;
}

export function Placeholder() {
  return <Icon name="layers" className="placeholder" />;
}

interface Halos {
  centres: number[][];
  radii: number[];
}

const HALO_FIELDS: Record<string, [string, string]> = {
  fof_catalogue: ["/Groups/Centres", "/Groups/Radii"],
  soap_catalogue: ["/InputHalos/HaloCentre", "/BoundSubhalo/EncloseRadius"],
};

function HaloMap({ info, n }: { info: Info; n: number }) {
  const [centres, radii] = HALO_FIELDS[String(info.kind)] ?? [];
  const has = (path?: string) => info.groups.some((group) => group.fields.some((field) => field.path === path));
  const fields = has(centres) && centres ? [centres, ...(has(radii) && radii ? [radii] : [])] : null;
  const address = fields && selectUrl(info.path, { fields: fields.join(","), limit: String(n) }, { format: "json" });
  const answer = useAsked(address, async (relative) => {
    const values = (await (await ask(relative)).json()) as Record<string, unknown>;
    return { centres: values[fields?.[0] ?? ""], radii: values[fields?.[1] ?? ""] ?? [] } as Halos;
  });
  const box = info.header?.box_size?.[0];
  if (!address || !box || answer.state === "failed") return <Placeholder />;
  if (answer.state === "loading") return <div className="skeleton" />;
  return (
    <svg className="map" viewBox="0 0 100 100" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      {answer.value.centres.map(([x = 0, y = 0], index) => (
        <circle
          key={index}
          cx={(x / box) * 100}
          cy={100 - (y / box) * 100}
          r={Math.max(0.25, (100 * (answer.value.radii[index] ?? 0)) / box)}
          fill="#ffb454"
          fillOpacity="0.28"
          stroke="#ffcf8f"
          strokeOpacity="0.75"
          strokeWidth="0.2"
        />
      ))}
    </svg>
  );
}
