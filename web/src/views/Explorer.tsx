import type { Place } from "../lib/router";

export default function Explorer({ place }: { place: Place }) {
  return <p>{place.path}</p>;
}
