import type { Place } from "../lib/router";

export default function Ask({ place }: { place: Place }) {
  return <p>{place.path}</p>;
}
