import type { ReactNode } from "react";

/** Names and values; those without a value are left out. */
export function Facts({ facts, wide = false }: { facts: [ReactNode, ReactNode][]; wide?: boolean }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (known.length === 0) return null;
  return (
    <dl className={wide ? "facts wide" : "facts"}>
      {known.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
