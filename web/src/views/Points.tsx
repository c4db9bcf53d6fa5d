import type { Place } from "../lib/router";

export default function Points({ place }: { place: Place }) {
  return <p>{place.path}</p>;
}
