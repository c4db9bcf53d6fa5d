import { Fragment } from "react";
import { url, useJson } from "../lib/api";
import * as format from "../lib/format";
import { href, setParams } from "../lib/router";
import { fieldSnippets } from "../lib/snippets";
import { dtypeText, type Field, fieldBytes, fieldUnit, type Group, type Info } from "../lib/swift";
import { Snippets } from "../parts/Code";
import { Facts } from "../parts/Facts";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { InlineFailure } from "../parts/Notice";
import { Histogram } from "../parts/Plot";

export function FieldTable({ info, group, search, open }: { info: Info; group: Group; search: string; open: string | null }) {
  const words = search.toLowerCase().split(/\s+/);
  const shown = group.fields.filter((field) => words.every((word) => `${field.name} ${field.path} ${field.description ?? ""}`.toLowerCase().includes(word)));
  if (shown.length === 0) return <p className="muted" style={{ padding: 20 }}>No field matches.</p>;
  return (
    <div className="scroll-x">
      <table className="table fields">
        <thead>
          <tr>
            <th>Name</th>
            <th className="wide-only">Unit</th>
            <th className="wide-only">Description</th>
            <th className="wide-only">Type</th>
            <th className="wide-only">Lossy filter</th>
            <th className="end">Values</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((field) => (
            <Row key={field.path} info={info} group={group} field={field} isOpen={open === field.name} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ info, group, field, isOpen }: { info: Info; group: Group; field: Field; isOpen: boolean }) {
  const size = fieldBytes(field);
  const columns = field.shape[1] ? ` × ${field.shape.slice(1).join(" × ")}` : "";
  return (
    <Fragment>
      <tr className={isOpen ? "open" : undefined}>
        <td>
          <button type="button" className="name" aria-expanded={isOpen} onClick={() => setParams({ type: group.name, field: isOpen ? "" : field.name })}>
            <Icon name="right" />
            {field.name}
          </button>
          <span className="only-narrow">
            {[fieldUnit(field), field.description].filter(Boolean).join(" · ")}
          </span>
        </td>
        <td className="wide-only unit">{fieldUnit(field) || <span className="muted">–</span>}</td>
        <td className="wide-only description">{field.description}</td>
        <td className="wide-only nowrap">
          {dtypeText(field.dtype)}
          {columns}
        </td>
        <td className="wide-only">{field.lossy_filter ?? <span className="muted">–</span>}</td>
        <td className="end nowrap">{size === null ? "–" : format.bytes(size)}</td>
      </tr>
      {isOpen && (
        <tr className="details">
          <td colSpan={6}>
            <Details info={info} group={group} field={field} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

interface Stored {
  storage_size_bytes: number;
  chunks: number[] | null;
  layout: string;
  filters: { name: string }[];
}

function Details({ info, group, field }: { info: Info; group: Group; field: Field }) {
  const stored = useJson<Stored>(url("v1/object", info.path, { object: field.path }));
  const size = fieldBytes(field);
  const facts = stored.state === "done" ? stored.value : null;
  const ratio = facts && size && facts.storage_size_bytes > 0 ? size / facts.storage_size_bytes : null;
  return (
    <div className="details-grid">
      <div className="stack">
        <FieldHistogram info={info} group={group} field={field} />
      </div>
      <div className="stack" style={{ gap: 18 }}>
        <Facts
          facts={[
            ["Frame", field.frame && format.title(field.frame)],
            ["Scale factor exponent", field.a_exponent],
            ["On disk", facts && `${format.bytes(facts.storage_size_bytes)}${ratio && ratio > 1.05 ? ` (${format.number(ratio, 2)} times smaller)` : ""}`],
            ["Filters", facts?.filters.map((filter) => filter.name).join(", ")],
            ["In the file", <code key="path">{field.path}</code>],
          ]}
        />
        {field.named_columns && (
          <p className="small">
            <span className="muted">Columns: </span>
            {field.named_columns.names.join(", ")}
          </p>
        )}
        <Snippets label={`Fetch ${field.name}`} snippets={fieldSnippets(info, group, field)} />
        <div className="row">
          <Link className="button small" href={href("ask", info.path, { fields: `${group.name}.${field.name}`, limit: "100" })}>
            <Icon name="ask" /> Show values
          </Link>
        </div>
      </div>
    </div>
  );
}

export interface HistogramAnswer {
  counts: number[];
  x_edges: number[];
}

function isInteger(field: Field): boolean {
  return typeof field.dtype === "string" && /[iu]\d+$/.test(field.dtype);
}

/** Quantities that span decades are shown in logarithmic bins. */
function FieldHistogram({ info, group, field }: { info: Info; group: Group; field: Field }) {
  const columns = field.shape[1] ?? 1;
  const column = columns > 1 ? `${field.name}[0]` : field.name;
  const wantsLog = columns === 1 && !isInteger(field);
  const address = (log: boolean) => url("v1/histogram", info.path, { type: group.name, x: column, x_bins: 80, x_log: log ? "true" : undefined, format: "json" });
  const first = useJson<HistogramAnswer>(field.shape.length > 2 ? null : address(wantsLog));
  // A field that has no positive values has no logarithmic bins.
  const second = useJson<HistogramAnswer>(wantsLog && first.state === "failed" && first.failure.status === 400 ? address(false) : null);
  const answer = second.state === "done" ? second : first;
  if (answer.state === "loading") return <div className="skeleton" style={{ height: 240 }} role="status" aria-label="Counting" />;
  if (answer.state === "failed") return <InlineFailure failure={answer.failure} />;
  const [factor, unit] = format.factored(field.unit?.name ?? "1");
  const label = `${format.title(field.name)}${columns > 1 ? " (first column)" : ""}${unit && unit !== "1" ? ` [${format.unit(unit)}]` : ""}`;
  return (
    <Histogram
      edges={answer.value.x_edges.map((edge) => edge * factor)}
      counts={answer.value.counts}
      log={wantsLog && answer === first}
      x={label}
      y={group.particle_type === null ? "Rows" : "Particles"}
      describe={`Histogram of ${field.name}`}
    />
  );
}
