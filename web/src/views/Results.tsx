import { useState } from "react";
import * as format from "../lib/format";
import { Curve, extent, Histogram } from "../parts/Plot";

export interface Column {
  name: string;
  field: { name: string; unit: string | null } | undefined;
  values: unknown[];
}

export interface Table {
  name: string;
  columns: Column[];
  nRows: number;
}

const AXIS_NAMES = ["x", "y", "z"];
const PAGE = 25;

/** The columns of an answer, one table for each type of rows. */
export function tablesOf(answer: Record<string, unknown>, fields: Column["field"][]): Table[] {
  const tables = new Map<string, Table>();
  for (const [name, values] of Object.entries(answer)) {
    if (!Array.isArray(values)) continue;
    const owner = name.startsWith("/") ? (name.split("/")[1] ?? "") : (name.split(".")[0] ?? "");
    const table = tables.get(owner) ?? { name: owner, columns: [], nRows: values.length };
    const field = fields.find((one) => one?.name === name);
    const short = name.startsWith(`${owner}.`) ? name.slice(owner.length + 1) : name;
    const width = Array.isArray(values[0]) ? values[0].length : 0;
    if (width === 0) table.columns.push({ name: short, field, values });
    for (let i = 0; i < width; i++) {
      table.columns.push({ name: `${short}${width === 3 ? `.${AXIS_NAMES[i]}` : `[${i}]`}`, field, values: values.map((row) => (row as unknown[])[i]) });
    }
    tables.set(owner, table);
  }
  return [...tables.values()];
}

function cell(value: unknown, column: Column): string {
  // Ids and counts are said in full.
  if (typeof value === "number" && Number.isInteger(value) && (column.field?.unit ?? "1") === "1") return String(value);
  if (typeof value === "number") return format.number(value, 5);
  return typeof value === "string" ? value : JSON.stringify(value);
}

const unitOf = (column: Column) => (column.field?.unit ? format.unit(column.field.unit) : "");

export function Results({ table, limit }: { table: Table; limit: number }) {
  const [n, setN] = useState(PAGE);
  return (
    <section className="panel">
      <div className="row between" style={{ padding: "14px 20px" }}>
        <h2>{format.title(table.name)}</h2>
        <span className="muted small" data-testid="n-rows">
          {format.plural(table.nRows, "row")}
          {table.nRows === limit ? ", the first that were found" : ""}
        </span>
      </div>
      {table.nRows === 0 ? (
        <p className="muted" style={{ padding: "0 20px 20px" }}>No row satisfies this.</p>
      ) : (
        <>
          <Plot table={table} />
          <div className="scroll-x" tabIndex={0} role="region" aria-label={`Rows of ${table.name}`}>
            <table className="table values">
              <thead>
                <tr>
                  {table.columns.map((column) => (
                    <th key={column.name} className="end">
                      {column.name}
                      <span className="unit">{unitOf(column) || "\u00a0"}</span>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {Array.from({ length: Math.min(n, table.nRows) }, (_, row) => (
                  <tr key={row}>
                    {table.columns.map((column) => (
                      <td key={column.name} className="end nowrap" title={String(column.values[row])}>
                        {cell(column.values[row], column)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {n < table.nRows && (
            <div style={{ padding: "12px 20px" }}>
              <button type="button" className="button small" onClick={() => setN(n + 100)}>
                Show more rows
              </button>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function Plot({ table }: { table: Table }) {
  const columns = table.columns.filter((column) => typeof column.values[0] === "number");
  const [chosenX, setX] = useState("");
  const [chosenY, setY] = useState("");
  const [log, setLog] = useState<boolean | null>(null);
  const x = columns.find((column) => column.name === chosenX) ?? columns[0];
  const y = chosenY === "count" ? undefined : (columns.find((column) => column.name === chosenY) ?? columns[1]);
  if (!x || table.nRows < 2) return null;
  const canLog = (column: Column) => column.values.every((value) => typeof value === "number" && value > 0);
  const usesLog = log ?? (canLog(x) && spans(x) && (!y || canLog(y)));
  const label = (column: Column) => `${column.name}${unitOf(column) ? ` [${unitOf(column)}]` : ""}`;
  return (
    <div className="result-plot">
      <div className="row">
        <label className="row small muted">
          Across
          <select className="select" value={x.name} onChange={(event) => setX(event.target.value)}>
            {columns.map((column) => (
              <option key={column.name}>{column.name}</option>
            ))}
          </select>
        </label>
        <label className="row small muted">
          Up
          <select className="select" value={y?.name ?? "count"} onChange={(event) => setY(event.target.value)}>
            <option value="count">number of rows</option>
            {columns.map((column) => (
              <option key={column.name}>{column.name}</option>
            ))}
          </select>
        </label>
        <label className="row small">
          <input type="checkbox" checked={usesLog} onChange={(event) => setLog(event.target.checked)} /> Logarithmic
        </label>
      </div>
      {y ? (
        <Curve
          dots
          points={x.values.map((value, i): [number, number] => [Number(value), Number(y.values[i])])}
          x={{ label: label(x), log: usesLog }}
          y={{ label: label(y), log: usesLog }}
          describe={`${y.name} against ${x.name}`}
        />
      ) : (
        <Counted column={x} log={usesLog && canLog(x)} label={label(x)} />
      )}
    </div>
  );
}

function spans(column: Column): boolean {
  const [low, high] = extent(column.values as number[]);
  return high / low > 30;
}

const BINS = 40;

function Counted({ column, log, label }: { column: Column; log: boolean; label: string }) {
  const map = log ? Math.log10 : (x: number) => x;
  const values = column.values.map(Number).filter(Number.isFinite);
  const [low, high] = extent(values.map(map));
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(((map(value) - low) / (high - low)) * BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const edges = Array.from({ length: BINS + 1 }, (_, i) => low + ((high - low) * i) / BINS).map((x) => (log ? 10 ** x : x));
  return <Histogram edges={edges} counts={counts} log={log} x={label} y="Rows" describe={`How ${column.name} is distributed`} />;
}
